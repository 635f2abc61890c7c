//! Counters: what the data path counts, for metrics and for operators.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use super::rate_meter::RateMeter;

/// Since the start of this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicationStatus {
    /// Replicas that were left out of a write because they were down, slow, full or failed; repair brings them the bytes.
    pub dropped_replicas: u64,
    /// Chunks that other nodes appended here.
    pub received_chunks: u64,
    pub received_bytes: u64,
    /// Bodies of other nodes that are being written here.
    pub receiving_blobs: u64,
    /// Reads that another node answered.
    pub remote_reads: u64,
    /// Reads that found the copy of this node damaged or missing, and another one good.
    pub bad_local_reads: u64,
    pub repair: RepairStatus,
}

/// Since the start of this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepairStatus {
    /// Blobs and chunks to be looked at, and those under way.
    pub queued: u64,
    pub repaired_chunks: u64,
    pub repaired_bytes: u64,
    /// Over the last seconds.
    pub repaired_bytes_per_second: u64,
    /// Tries that found no good copy on any node: a human must look.
    pub unrepairable: u64,
    /// Left to the next pass over the records after many tries.
    pub given_up: u64,
    /// Walks over all records of a group that were compared with the chunks here.
    pub passes: u64,
    /// What the last passes found missing and what was not brought yet.
    pub blobs_left: u64,
    pub bytes_left: u64,
}

pub struct Counters {
    dropped_replicas: AtomicU64,
    received_chunks: AtomicU64,
    received_bytes: AtomicU64,
    remote_reads: AtomicU64,
    bad_local_reads: AtomicU64,
    repaired_chunks: AtomicU64,
    repaired_bytes: AtomicU64,
    unrepairable: AtomicU64,
    given_up: AtomicU64,
    repair_rate: RateMeter,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            dropped_replicas: AtomicU64::default(),
            received_chunks: AtomicU64::default(),
            received_bytes: AtomicU64::default(),
            remote_reads: AtomicU64::default(),
            bad_local_reads: AtomicU64::default(),
            repaired_chunks: AtomicU64::default(),
            repaired_bytes: AtomicU64::default(),
            unrepairable: AtomicU64::default(),
            given_up: AtomicU64::default(),
            repair_rate: RateMeter::new(Instant::now()),
        }
    }
}

impl Counters {
    pub fn count_dropped_replica(&self) {
        self.dropped_replicas.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_received_chunk(&self, bytes: u64) {
        self.received_chunks.fetch_add(1, Ordering::Relaxed);
        self.received_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn count_remote_read(&self) {
        self.remote_reads.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_bad_local_read(&self) {
        self.bad_local_reads.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_repaired(&self, chunks: u64, bytes: u64) {
        self.repaired_chunks.fetch_add(chunks, Ordering::Relaxed);
        self.repaired_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.repair_rate.add(bytes, Instant::now());
    }

    pub fn repaired_bytes_per_second(&self) -> u64 {
        self.repair_rate.per_second(Instant::now())
    }

    pub fn count_unrepairable(&self) {
        self.unrepairable.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_given_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    /// Without what is not counted but there at this moment.
    pub fn status(&self) -> ReplicationStatus {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReplicationStatus {
            dropped_replicas: get(&self.dropped_replicas),
            received_chunks: get(&self.received_chunks),
            received_bytes: get(&self.received_bytes),
            receiving_blobs: 0,
            remote_reads: get(&self.remote_reads),
            bad_local_reads: get(&self.bad_local_reads),
            repair: RepairStatus {
                repaired_chunks: get(&self.repaired_chunks),
                repaired_bytes: get(&self.repaired_bytes),
                repaired_bytes_per_second: self.repaired_bytes_per_second(),
                unrepairable: get(&self.unrepairable),
                given_up: get(&self.given_up),
                ..RepairStatus::default()
            },
        }
    }
}
