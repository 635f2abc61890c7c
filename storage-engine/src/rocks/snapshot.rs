//! A snapshot that owns its database handle, so that it can be moved to another thread and outlive its maker.
#![allow(unsafe_code)] // One lifetime is extended, below, with its reason. The only unsafe code of the engine.

use bytes::Bytes;
use rocksdb::{DB, ReadOptions, ReadTier, SnapshotWithThreadMode};

use super::{ColumnFamily, Direction, KeyRange, Rocks, Scan};
use crate::error::Result;

/// Holds back the compaction of what it sees: hold it for seconds, not hours.
pub struct Snapshot {
    // Dropped first: it releases itself at the database, which `rocks` keeps open.
    snapshot: SnapshotWithThreadMode<'static, DB>,
    rocks: Rocks,
    in_memory: bool,
}

impl Snapshot {
    pub(super) fn new(rocks: Rocks) -> Self {
        let snapshot: SnapshotWithThreadMode<'_, DB> = rocks.inner.db.snapshot();
        // SAFETY: the snapshot refers to the `DB` inside the `Arc` that `rocks` holds. It does not move, and it lives
        // until `rocks` is dropped, which is after `snapshot` (fields are dropped in the order of declaration). The
        // extended lifetime does not leave this struct: `get` copies, and `scan` borrows from `self`.
        let snapshot: SnapshotWithThreadMode<'static, DB> = unsafe { std::mem::transmute(snapshot) };
        Self { snapshot, rocks, in_memory: false }
    }

    /// Whether reads are answered from memory or not at all (`WouldBlock`).
    pub fn only_in_memory(&mut self, only: bool) {
        self.in_memory = only;
    }

    pub fn get(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        self.rocks.get_with(cf, key, &self.options())
    }

    pub fn scan(&self, cf: ColumnFamily, range: &KeyRange, direction: Direction) -> Scan<'_> {
        self.rocks.scan_with(cf, range, direction, self.options())
    }

    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        if self.in_memory {
            options.set_read_tier(ReadTier::BlockCache);
        }
        options
    }
}
