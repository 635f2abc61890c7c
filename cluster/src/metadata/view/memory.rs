//! Memory view: records in a `BTreeMap`, for tests and small tools.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use bytes::Bytes;

use super::{MetadataView, Visit};
use crate::error::Result;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryView {
    records: BTreeMap<Vec<u8>, Bytes>,
}

impl MemoryView {
    pub fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.records.insert(key, value);
    }

    pub fn delete(&mut self, key: &[u8]) {
        self.records.remove(key);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Bytes)> {
        self.records.iter().map(|(key, value)| (key.as_slice(), value))
    }

    fn range(&self, range: Range<&[u8]>) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Bytes)> {
        // BTreeMap panics on a range that ends before it begins.
        let to = range.end.max(range.start);
        self.records.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(to)))
    }
}

impl MetadataView for MemoryView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(self.records.get(key).cloned())
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        let _ = self.range(range).try_for_each(|(key, value)| visit(key, value));
        Ok(())
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        let _ = self.range(range).rev().try_for_each(|(key, value)| visit(key, value));
        Ok(())
    }
}
