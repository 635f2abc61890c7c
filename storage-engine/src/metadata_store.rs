//! Metadata store: the replicated state of all groups of a node, as records by key, and the payloads of small objects.
//! Owns: which column families they stand in, and that a batch over both is one write.
//! Does not own: what a key or record means (cluster::metadata); the order of batches of a group (its state machine).
//! Invariant: a batch is not in the write-ahead log (docs/decisions/0004-metadata-without-a-log.md). After a crash the
//! store is at the last flush, all families at one moment, and the Raft logs write the rest again.

mod batch;
mod snapshot;

pub use batch::MetadataBatch;
pub use snapshot::MetadataSnapshot;

use bytes::Bytes;

use crate::error::{Context, Result};
use crate::id::BlobId;
use crate::rocks::{ColumnFamily, Direction, Durability, KeyRange, Rocks, Scan};

#[derive(Clone)]
pub struct MetadataStore {
    rocks: Rocks,
}

impl MetadataStore {
    pub fn new(rocks: Rocks) -> Self {
        Self { rocks }
    }

    pub fn batch(&self) -> MetadataBatch {
        MetadataBatch::new(self.rocks.batch())
    }

    /// Writes a batch; it is visible when this returns. Blocks for some microseconds, longer if RocksDB slows writers.
    pub fn apply(&self, batch: MetadataBatch) -> Result<()> {
        self.rocks.write(batch.into_inner(), Durability::Unlogged).context("write metadata")
    }

    /// As `apply`, from async code.
    pub async fn apply_async(&self, batch: MetadataBatch) -> Result<()> {
        self.rocks.write_unlogged_async(batch.into_inner()).await.context("write metadata")
    }

    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.rocks.get_async(ColumnFamily::Metadata, key).await.context("read metadata")
    }

    /// The value that a crash at this moment would leave. Of a group's applied position: how far its log may be purged.
    pub async fn persisted(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let key = Bytes::copy_from_slice(key);
        let value = self.rocks.blocking(move |rocks| rocks.get_persisted(ColumnFamily::Metadata, &key)).await;
        value.context("read flushed metadata")
    }

    pub async fn inline_payload(&self, blob: BlobId) -> Result<Option<Bytes>> {
        self.rocks.get_async(ColumnFamily::InlinePayload, blob.as_bytes()).await.context("read inline payload")
    }

    /// Records of a key range, as they change. Blocks.
    pub fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        self.rocks.scan(ColumnFamily::Metadata, range, direction)
    }

    /// All records and payloads as they are now.
    pub fn snapshot(&self) -> MetadataSnapshot {
        MetadataSnapshot::new(self.rocks.snapshot())
    }

    /// When it returns, everything applied before the call survives a crash.
    pub async fn flush(&self) -> Result<()> {
        self.rocks.blocking(Rocks::flush).await.context("flush metadata")
    }
}

#[cfg(test)]
mod metadata_store_test;
