//! Tail: the last entries of one log in memory. Entries before it are in the database; those in it may not be yet.
//! Invariant: an entry leaves only when the request that brought it has been written, or when it is deleted.

use std::collections::VecDeque;

use bytes::Bytes;

#[derive(Default)]
pub(super) struct Tail {
    /// Index of the first entry, and of the next one to come if there is none.
    start: u64,
    entries: VecDeque<Entry>,
    bytes: usize,
}

struct Entry {
    /// Of the request that brought it.
    sequence: u64,
    bytes: Bytes,
}

/// What an entry costs in memory beside its bytes.
const ENTRY_OVERHEAD_BYTES: usize = 64;

impl Tail {
    pub fn starting_at(start: u64) -> Self {
        Self { start, ..Self::default() }
    }

    pub fn start(&self) -> u64 {
        self.start
    }

    pub fn end(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    pub fn push(&mut self, sequence: u64, bytes: Bytes) {
        self.bytes += bytes.len() + ENTRY_OVERHEAD_BYTES;
        self.entries.push_back(Entry { sequence, bytes });
    }

    pub fn get(&self, index: u64) -> Option<&Bytes> {
        let offset = usize::try_from(index.checked_sub(self.start)?).ok()?;
        self.entries.get(offset).map(|entry| &entry.bytes)
    }

    /// Deletes entries from `index` on; the next one will stand there.
    pub fn truncate_from(&mut self, index: u64) {
        while self.end() > index {
            let Some(entry) = self.entries.pop_back() else { break };
            self.bytes -= entry.bytes.len() + ENTRY_OVERHEAD_BYTES;
        }
        self.start = self.start.min(index);
    }

    /// Deletes entries before `index`.
    pub fn purge_before(&mut self, index: u64) {
        while self.start < index && self.pop_front() {}
        self.start = self.start.max(index);
    }

    /// Lets entries go, oldest first, until the tail is small enough, but none that came after request `written`.
    pub fn shrink(&mut self, bytes_max: usize, written: u64) {
        while self.bytes > bytes_max && self.entries.front().is_some_and(|entry| entry.sequence <= written) {
            self.pop_front();
        }
    }

    fn pop_front(&mut self) -> bool {
        let Some(entry) = self.entries.pop_front() else { return false };
        self.bytes -= entry.bytes.len() + ENTRY_OVERHEAD_BYTES;
        self.start += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_written_entries_leave() {
        let mut tail = Tail::starting_at(5);
        for sequence in 1..=4 {
            tail.push(sequence, Bytes::from_static(b"entry"));
        }
        tail.shrink(0, 2);
        assert_eq!((tail.start(), tail.end()), (7, 9));
        assert!(tail.get(6).is_none() && tail.get(7).is_some());
    }

    #[test]
    fn a_rewritten_index_waits_for_its_own_request() {
        let mut tail = Tail::starting_at(1);
        tail.push(1, Bytes::from_static(b"old"));
        tail.truncate_from(1);
        tail.push(3, Bytes::from_static(b"new"));
        tail.shrink(0, 1);
        assert_eq!(tail.get(1).map(|bytes| &bytes[..]), Some(&b"new"[..]));
        tail.shrink(0, 3);
        assert_eq!((tail.start(), tail.bytes), (2, 0));
    }

    #[test]
    fn purging_past_the_end_moves_the_start() {
        let mut tail = Tail::starting_at(1);
        tail.push(1, Bytes::from_static(b"entry"));
        tail.purge_before(10);
        assert_eq!((tail.start(), tail.end(), tail.bytes), (10, 10, 0));
    }
}
