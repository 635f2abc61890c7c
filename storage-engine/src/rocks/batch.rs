//! A write batch: changes that happen together or not at all, in the order they were added.
//! Invariant: a batch holds logged families or unlogged ones, never both: else a crash would keep half of it.

use super::{ColumnFamily, Durability, Rocks};

pub struct WriteBatch {
    rocks: Rocks,
    batch: rocksdb::WriteBatch,
    logged: bool,
    unlogged: bool,
}

impl WriteBatch {
    pub(super) fn new(rocks: Rocks) -> Self {
        Self { rocks, batch: rocksdb::WriteBatch::default(), logged: false, unlogged: false }
    }

    pub fn put(&mut self, cf: ColumnFamily, key: &[u8], value: &[u8]) {
        self.mark(cf);
        self.batch.put_cf(self.rocks.handle(cf), key, value);
    }

    pub fn delete(&mut self, cf: ColumnFamily, key: &[u8]) {
        self.mark(cf);
        self.batch.delete_cf(self.rocks.handle(cf), key);
    }

    /// Deletes `from` up to, not including, `to`.
    pub fn delete_range(&mut self, cf: ColumnFamily, from: &[u8], to: &[u8]) {
        self.mark(cf);
        self.batch.delete_range_cf(self.rocks.handle(cf), from, to);
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.batch.size_in_bytes()
    }

    pub(super) fn checked(self, durability: Durability) -> rocksdb::WriteBatch {
        let wants_log = durability != Durability::Unlogged;
        assert!(
            if wants_log { !self.unlogged } else { !self.logged },
            "{durability:?} write to a family of the other kind"
        );
        self.batch
    }

    fn mark(&mut self, cf: ColumnFamily) {
        self.logged |= cf.is_logged();
        self.unlogged |= !cf.is_logged();
    }
}
