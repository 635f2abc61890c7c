//! Group log: one log as its callers see it, changed before the drive is.
//! Invariant: entries are `first..next` without a hole; `tail` ends at `next` and starts at or after `first`.

use std::ops::Range;

use bytes::Bytes;

use super::tail::Tail;
use crate::error::{Error, ErrorKind, Result};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogState {
    /// The indexes of the first and last entry there are.
    pub first: Option<u64>,
    pub last: Option<u64>,
    pub purged: Option<Bytes>,
    pub vote: Option<Bytes>,
    pub committed: Option<Bytes>,
    /// What the log was forgotten with.
    pub promised: Option<Bytes>,
}

#[derive(Default)]
pub(super) struct GroupLog {
    pub first: u64,
    pub tail: Tail,
    pub purged: Option<Bytes>,
    pub vote: Option<Bytes>,
    pub committed: Option<Bytes>,
    pub promised: Option<Bytes>,
    /// The last request that was made, and the last that is in the database.
    sequence: u64,
    written: u64,
    /// Raised when entries disappear, so that a reader of the database notices.
    pub deletions: u64,
}

impl GroupLog {
    pub fn recovered(entries: Range<u64>) -> Self {
        Self { first: entries.start, tail: Tail::starting_at(entries.end), ..Self::default() }
    }

    pub fn state(&self) -> LogState {
        let present = self.first < self.next();
        LogState {
            first: present.then_some(self.first),
            last: present.then(|| self.next() - 1),
            purged: self.purged.clone(),
            vote: self.vote.clone(),
            committed: self.committed.clone(),
            promised: self.promised.clone(),
        }
    }

    /// The index that the next entry will have.
    pub fn next(&self) -> u64 {
        self.tail.end()
    }

    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub fn append(&mut self, entries: &[(u64, Bytes)], sequence: u64) -> Result<()> {
        let Some((start, _)) = entries.first() else { return Ok(()) };
        // A log that never had an entry may begin anywhere.
        let untouched = self.first == self.next() && self.purged.is_none();
        let expected = if untouched { *start } else { self.next() };
        let mut indexes = entries.iter().map(|(index, _)| *index).zip(expected..);
        if let Some((index, expected)) = indexes.find(|(index, expected)| index != expected) {
            let context = format!("append to log: entry {index} where {expected} comes next");
            return Err(Error::new(ErrorKind::Internal, context));
        }
        if untouched {
            self.first = *start;
            self.tail = Tail::starting_at(*start);
        }
        for (_, entry) in entries {
            self.tail.push(sequence, entry.clone());
        }
        Ok(())
    }

    /// Gives the indexes that are gone, if any.
    pub fn truncate_after(&mut self, last: Option<u64>) -> Option<Range<u64>> {
        let from = last.map_or(0, |last| last.saturating_add(1)).max(self.first);
        let gone = from..self.next();
        if gone.is_empty() {
            return None;
        }
        self.tail.truncate_from(from);
        self.deletions += 1;
        Some(gone)
    }

    /// Gives the indexes that are gone, of which there may be more than there were entries; none if that was purged
    /// before. A log that begins at 2 and is purged through 1 loses nothing, but from now on it has a marker.
    pub fn purge_through(&mut self, through: u64, marker: Bytes) -> Option<Range<u64>> {
        let gone = self.first..through.saturating_add(1);
        let marks_the_start = gone.end == self.first && self.purged.is_none();
        if gone.is_empty() && !marks_the_start {
            return None;
        }
        self.first = gone.end;
        self.tail.purge_before(gone.end);
        self.purged = Some(marker);
        self.deletions += 1;
        Some(gone)
    }

    /// Gives the indexes that are gone, perhaps none.
    pub fn forget(&mut self, promised: Option<Bytes>) -> Range<u64> {
        let gone = self.first..self.next();
        self.first = 0;
        self.tail = Tail::default();
        self.purged = None;
        self.committed = None;
        self.promised = promised;
        self.deletions += 1;
        gone
    }

    /// Request `sequence` and all before are in the database.
    pub fn written(&mut self, sequence: u64, tail_bytes_max: usize) {
        self.written = self.written.max(sequence);
        self.tail.shrink(tail_bytes_max, self.written);
    }
}
