//! What the writer did, for metrics and benches: entries per sync is the gain of writing all groups together.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
pub(super) struct Counters {
    pub rounds: AtomicU64,
    pub syncs: AtomicU64,
    pub requests: AtomicU64,
    pub entries: AtomicU64,
    pub entry_bytes: AtomicU64,
    pub disk_reads: AtomicU64,
}

/// Totals since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogCounters {
    pub rounds: u64,
    pub syncs: u64,
    pub requests: u64,
    pub entries: u64,
    pub entry_bytes: u64,
    /// Reads that the tail in memory could not answer.
    pub disk_reads: u64,
}

impl Counters {
    pub fn read(&self) -> LogCounters {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LogCounters {
            rounds: load(&self.rounds),
            syncs: load(&self.syncs),
            requests: load(&self.requests),
            entries: load(&self.entries),
            entry_bytes: load(&self.entry_bytes),
            disk_reads: load(&self.disk_reads),
        }
    }
}

pub(super) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
