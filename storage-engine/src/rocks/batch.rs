//! A write batch: changes that happen together or not at all, in the order they were added.
//! Invariant: a batch holds logged families or unlogged ones, never both: else a crash would keep half of it.

use bytes::Bytes;

use super::memory::Change;
use super::{ColumnFamily, Database, Durability, Rocks, handle};

pub struct WriteBatch {
    rocks: Rocks,
    changes: Changes,
    logged: bool,
    unlogged: bool,
}

/// In the form that the database takes.
pub(super) enum Changes {
    Rocks(rocksdb::WriteBatch),
    Memory(Vec<Change>),
}

impl WriteBatch {
    pub(super) fn new(rocks: Rocks) -> Self {
        let changes = match &rocks.inner.database {
            Database::Rocks(_) => Changes::Rocks(rocksdb::WriteBatch::default()),
            Database::Memory(_) => Changes::Memory(Vec::new()),
        };
        Self { rocks, changes, logged: false, unlogged: false }
    }

    pub fn put(&mut self, cf: ColumnFamily, key: &[u8], value: &[u8]) {
        self.mark(cf);
        match (&self.rocks.inner.database, &mut self.changes) {
            (Database::Rocks(db), Changes::Rocks(batch)) => batch.put_cf(handle(db, cf), key, value),
            (_, changes) => changes.add(Change::put(cf, key, value)),
        }
    }

    pub fn delete(&mut self, cf: ColumnFamily, key: &[u8]) {
        self.mark(cf);
        match (&self.rocks.inner.database, &mut self.changes) {
            (Database::Rocks(db), Changes::Rocks(batch)) => batch.delete_cf(handle(db, cf), key),
            (_, changes) => changes.add(Change::Delete { cf, key: Bytes::copy_from_slice(key) }),
        }
    }

    /// Deletes `from` up to, not including, `to`.
    pub fn delete_range(&mut self, cf: ColumnFamily, from: &[u8], to: &[u8]) {
        self.mark(cf);
        match (&self.rocks.inner.database, &mut self.changes) {
            (Database::Rocks(db), Changes::Rocks(batch)) => batch.delete_range_cf(handle(db, cf), from, to),
            (_, changes) => changes.add(Change::delete_range(cf, from, to)),
        }
    }

    pub fn is_empty(&self) -> bool {
        match &self.changes {
            Changes::Rocks(batch) => batch.is_empty(),
            Changes::Memory(changes) => changes.is_empty(),
        }
    }

    pub fn bytes(&self) -> usize {
        match &self.changes {
            Changes::Rocks(batch) => batch.size_in_bytes(),
            Changes::Memory(changes) => changes.iter().map(Change::bytes).sum(),
        }
    }

    pub(super) fn checked(self, durability: Durability) -> Changes {
        let wants_log = durability != Durability::Unlogged;
        assert!(
            if wants_log { !self.unlogged } else { !self.logged },
            "{durability:?} write to a family of the other kind"
        );
        self.changes
    }

    fn mark(&mut self, cf: ColumnFamily) {
        self.logged |= cf.is_logged();
        self.unlogged |= !cf.is_logged();
    }
}

impl Changes {
    fn add(&mut self, change: Change) {
        match self {
            Self::Memory(changes) => changes.push(change),
            Self::Rocks(_) => unreachable!("a batch of another database"),
        }
    }
}
