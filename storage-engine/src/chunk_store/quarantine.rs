//! Quarantine: the chunks of this drive that failed verification, for repair and for operators.
//! A report, not a gate: every read verifies what it returns, so that bytes of a damaged block never leave the store, while the
//! intact blocks of a chunk without another replica can still be saved.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock::lock;
use crate::id::{BlobId, ChunkId};

/// More damage than this on one drive is no longer a list to work off but a drive to replace.
const DAMAGED_CHUNKS_MAX: usize = 10_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DamagedChunk {
    pub chunk: ChunkId,
    pub reason: String,
}

#[derive(Default)]
pub struct Quarantine {
    chunks: Mutex<BTreeMap<ChunkId, String>>,
}

impl Quarantine {
    pub fn add(&self, chunk: ChunkId, reason: String) {
        let mut chunks = lock(&self.chunks);
        if chunks.contains_key(&chunk) || chunks.len() >= DAMAGED_CHUNKS_MAX {
            return;
        }
        tracing::error!(?chunk, reason, "damaged chunk");
        chunks.insert(chunk, reason);
    }

    /// A new copy was written, or the chunk turned out to be intact.
    pub fn remove(&self, chunk: ChunkId) {
        lock(&self.chunks).remove(&chunk);
    }

    pub fn remove_blob(&self, blob: BlobId) {
        let mut chunks = lock(&self.chunks);
        let range: Vec<ChunkId> = chunks.range(blob.chunk(0)..=blob.chunk(u32::MAX)).map(|(chunk, _)| *chunk).collect();
        range.iter().for_each(|chunk| {
            chunks.remove(chunk);
        });
    }

    pub fn list(&self) -> Vec<DamagedChunk> {
        let chunks = lock(&self.chunks);
        chunks.iter().map(|(chunk, reason)| DamagedChunk { chunk: *chunk, reason: reason.clone() }).collect()
    }
}
