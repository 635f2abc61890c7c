//! Scans: the entries of a key range, in key order or against it.

use rocksdb::{DB, DBRawIteratorWithThreadMode, ReadOptions};

use super::fault::fault;
use super::memory;
use crate::error::Result;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Forward,
    Reverse,
}

/// Keys from `from` up to, not including, `to`; without `to` up to the end of the column family.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRange {
    pub from: Vec<u8>,
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    pub fn new(from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Self {
        Self { from: from.into(), to: Some(to.into()) }
    }

    pub fn all() -> Self {
        Self { from: Vec::new(), to: None }
    }

    pub fn starting_at(from: impl Into<Vec<u8>>) -> Self {
        Self { from: from.into(), to: None }
    }

    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let from = prefix.into();
        // The next greater key that does not have the prefix: drop trailing FF bytes, raise the last other one.
        let to = from.iter().rposition(|byte| *byte != 0xff).map(|last| {
            let mut to = from[..=last].to_vec();
            to[last] += 1;
            to
        });
        Self { from, to }
    }

    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && self.to.as_deref().is_none_or(|to| key < to)
    }

    fn is_empty(&self) -> bool {
        self.to.as_deref().is_some_and(|to| to <= self.from.as_slice())
    }

    pub(super) fn bound(&self, mut options: ReadOptions) -> ReadOptions {
        options.set_iterate_lower_bound(self.from.as_slice());
        // Bounds in the wrong order are not defined for RocksDB; an empty range ends where it starts.
        match &self.to {
            Some(_) if self.is_empty() => options.set_iterate_upper_bound(self.from.as_slice()),
            Some(to) => options.set_iterate_upper_bound(to.as_slice()),
            None => {}
        }
        options
    }
}

pub struct Scan<'a> {
    entries: Entries<'a>,
    direction: Direction,
    started: bool,
}

enum Entries<'a> {
    Rocks(DBRawIteratorWithThreadMode<'a, DB>),
    Memory(memory::Entries),
}

impl<'a> Scan<'a> {
    pub(super) fn new(iterator: DBRawIteratorWithThreadMode<'a, DB>, direction: Direction) -> Self {
        Self { entries: Entries::Rocks(iterator), direction, started: false }
    }

    pub(super) fn of_memory(entries: memory::Entries, direction: Direction) -> Self {
        Self { entries: Entries::Memory(entries), direction, started: false }
    }

    /// The next key and value, or `None` at the end of the range.
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let iterator = match &mut self.entries {
            Entries::Rocks(iterator) => iterator,
            Entries::Memory(entries) => {
                match self.direction {
                    Direction::Forward => entries.forward(),
                    Direction::Reverse => entries.backward(),
                }
                return Ok(entries.current());
            }
        };
        match (self.started, self.direction) {
            (false, Direction::Forward) => iterator.seek_to_first(),
            (false, Direction::Reverse) => iterator.seek_to_last(),
            // After the end an iterator must not be moved.
            (true, _) if !iterator.valid() => {}
            (true, Direction::Forward) => iterator.next(),
            (true, Direction::Reverse) => iterator.prev(),
        }
        self.started = true;
        if iterator.valid() {
            return Ok(iterator.item());
        }
        iterator.status().map_err(|error| fault("scan rocksdb", error))?;
        Ok(None)
    }
}
