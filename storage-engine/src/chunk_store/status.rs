//! Status: what the chunk store counts, for metrics and for operators.

use std::sync::atomic::{AtomicU64, Ordering};

use super::quarantine::DamagedChunk;

#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Since the store was opened.
#[derive(Default)]
pub struct Counters {
    pub appends: Counter,
    pub appended_bytes: Counter,
    pub reads: Counter,
    pub read_bytes: Counter,
    pub syncs: Counter,
    pub corrupt_reads: Counter,
    pub garbage_moved_bytes: Counter,
    pub extents_removed: Counter,
}

#[derive(Clone, Debug, Default)]
pub struct Status {
    pub extents: u64,
    pub extents_sealed: u64,
    pub chunks: u64,
    /// Frame bytes that the index points at, and those it does not.
    pub live_bytes: u64,
    pub dead_bytes: u64,
    pub appends: u64,
    pub appended_bytes: u64,
    pub reads: u64,
    pub read_bytes: u64,
    pub syncs: u64,
    pub corrupt_reads: u64,
    pub garbage_moved_bytes: u64,
    pub extents_removed: u64,
    pub scrub: ScrubStatus,
    /// Chunks that failed verification and were neither freed nor replaced since.
    pub damaged: Vec<DamagedChunk>,
}

/// The scrub that is under way, or the last one if none is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubStatus {
    pub running: bool,
    pub started_ms: u64,
    pub finished_ms: u64,
    pub extents_done: u64,
    pub extents_total: u64,
    pub bytes: u64,
    pub errors: u64,
}
