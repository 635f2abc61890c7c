//! A metadata snapshot: one moment of all records and payloads, for a query or for a Raft snapshot. Its reads block, unless it is told
//! to look in memory only.

use bytes::Bytes;

use crate::error::{Context, Result};
use crate::id::BlobId;
use crate::rocks::{ColumnFamily, Direction, KeyRange, Scan, Snapshot};

pub struct MetadataSnapshot {
    snapshot: Snapshot,
}

impl MetadataSnapshot {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot }
    }

    /// Whether reads are answered from memory or not at all (`WouldBlock`): then they may be made on an async thread.
    pub fn only_in_memory(&mut self, only: bool) {
        self.snapshot.only_in_memory(only);
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.snapshot.get(ColumnFamily::Metadata, key).context("read metadata")
    }

    pub fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        self.snapshot.scan(ColumnFamily::Metadata, range, direction)
    }

    pub fn inline_payload(&self, blob: BlobId) -> Result<Option<Bytes>> {
        self.snapshot.get(ColumnFamily::InlinePayload, blob.as_bytes()).context("read inline payload")
    }

    /// Payloads in the order of their blobs' ids; the range is one of id bytes.
    pub fn scan_inline(&self, range: &KeyRange) -> Scan<'_> {
        self.snapshot.scan(ColumnFamily::InlinePayload, range, Direction::Forward)
    }
}
