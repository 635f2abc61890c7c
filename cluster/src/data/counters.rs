//! Counters: what the data path counts, for metrics and for operators.

use std::sync::atomic::{AtomicU64, Ordering};

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
}

#[derive(Default)]
pub struct Counters {
    dropped_replicas: AtomicU64,
    received_chunks: AtomicU64,
    received_bytes: AtomicU64,
}

impl Counters {
    pub fn count_dropped_replica(&self) {
        self.dropped_replicas.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_received_chunk(&self, bytes: u64) {
        self.received_chunks.fetch_add(1, Ordering::Relaxed);
        self.received_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn status(&self) -> ReplicationStatus {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReplicationStatus {
            dropped_replicas: get(&self.dropped_replicas),
            received_chunks: get(&self.received_chunks),
            received_bytes: get(&self.received_bytes),
            receiving_blobs: 0,
        }
    }
}
