//! A metadata batch: records, payloads and the applied position of a run of log entries, written together.

use crate::id::BlobId;
use crate::rocks::{ColumnFamily, WriteBatch};

pub struct MetadataBatch {
    batch: WriteBatch,
}

impl MetadataBatch {
    pub(super) fn new(batch: WriteBatch) -> Self {
        Self { batch }
    }

    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.batch.put(ColumnFamily::Metadata, key, value);
    }

    pub fn delete(&mut self, key: &[u8]) {
        self.batch.delete(ColumnFamily::Metadata, key);
    }

    /// Deletes all records `from ≤ key < to`.
    pub fn delete_range(&mut self, from: &[u8], to: &[u8]) {
        self.batch.delete_range(ColumnFamily::Metadata, from, to);
    }

    pub fn put_inline(&mut self, blob: BlobId, payload: &[u8]) {
        self.batch.put(ColumnFamily::InlinePayload, blob.as_bytes(), payload);
    }

    pub fn delete_inline(&mut self, blob: BlobId) {
        self.batch.delete(ColumnFamily::InlinePayload, blob.as_bytes());
    }

    /// Deletes the payloads of all blobs `from ≤ blob < to`, by the bytes of their ids.
    pub fn delete_inline_range(&mut self, from: &[u8], to: &[u8]) {
        self.batch.delete_range(ColumnFamily::InlinePayload, from, to);
    }

    pub fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    pub(super) fn into_inner(self) -> WriteBatch {
        self.batch
    }
}
