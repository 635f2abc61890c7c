//! Bounds of the log store.

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogStoreOptions {
    /// Recent entries kept in memory, of all groups together: what followers and state machines read next.
    pub tail_bytes_max: usize,
    /// Entries that wait for the writer, of all groups together; then callers wait.
    pub queue_bytes_max: usize,
    /// A round ends here at the latest, so that its sync, and everyone in it, does not take too long.
    pub round_bytes_max: usize,
}

impl Default for LogStoreOptions {
    fn default() -> Self {
        Self { tail_bytes_max: 32 << 20, queue_bytes_max: 32 << 20, round_bytes_max: 8 << 20 }
    }
}
