//! A snapshot that owns its database handle, so that it can be moved to another thread and outlive its maker.
#![allow(unsafe_code)] // One lifetime is extended, below, with its reason. The only unsafe code of the engine.

use bytes::Bytes;
use rocksdb::{DB, ReadOptions, ReadTier, SnapshotWithThreadMode};

use super::memory::Families;
use super::{ColumnFamily, Database, Direction, KeyRange, Rocks, Scan, get_from, scan_in};
use crate::error::Result;

/// Holds back the compaction of what it sees: hold it for seconds, not hours.
pub struct Snapshot {
    // Dropped first: it releases itself at the database, which `rocks` keeps open.
    moment: Moment,
    rocks: Rocks,
    in_memory: bool,
}

enum Moment {
    Rocks(SnapshotWithThreadMode<'static, DB>),
    Memory(Families),
}

impl Snapshot {
    pub(super) fn new(rocks: Rocks) -> Self {
        let moment = match &rocks.inner.database {
            Database::Memory(memory) => Moment::Memory(memory.families()),
            Database::Rocks(db) => {
                let snapshot: SnapshotWithThreadMode<'_, DB> = db.snapshot();
                // SAFETY: the snapshot refers to the `DB` inside the `Arc` that `rocks` holds. It does not move, and it lives
                // until `rocks` is dropped, which is after `moment` (fields are dropped in the order of declaration). The
                // extended lifetime does not leave this struct: `get` copies, and `scan` borrows from `self`.
                let snapshot: SnapshotWithThreadMode<'static, DB> = unsafe { std::mem::transmute(snapshot) };
                Moment::Rocks(snapshot)
            }
        };
        Self { moment, rocks, in_memory: false }
    }

    /// Whether reads are answered from memory or not at all (`WouldBlock`).
    pub fn only_in_memory(&mut self, only: bool) {
        self.in_memory = only;
    }

    pub fn get(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        match (&self.moment, &self.rocks.inner.database) {
            (Moment::Memory(families), _) => Ok(families.get(cf, key)),
            (Moment::Rocks(snapshot), Database::Rocks(db)) => get_from(db, cf, key, &self.options(snapshot)),
            (Moment::Rocks(_), Database::Memory(_)) => unreachable!("a snapshot of another database"),
        }
    }

    pub fn scan(&self, cf: ColumnFamily, range: &KeyRange, direction: Direction) -> Scan<'_> {
        match (&self.moment, &self.rocks.inner.database) {
            (Moment::Memory(families), _) => Scan::of_memory(families.entries(cf, range), direction),
            (Moment::Rocks(snapshot), Database::Rocks(db)) => scan_in(db, cf, range, direction, self.options(snapshot)),
            (Moment::Rocks(_), Database::Memory(_)) => unreachable!("a snapshot of another database"),
        }
    }

    fn options(&self, snapshot: &SnapshotWithThreadMode<'static, DB>) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_snapshot(snapshot);
        if self.in_memory {
            options.set_read_tier(ReadTier::BlockCache);
        }
        options
    }
}
