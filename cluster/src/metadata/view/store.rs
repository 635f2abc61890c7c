//! Store view: one consistent state of a drive's metadata, as `apply` and the queries see it.

use std::ops::Range;

use bytes::Bytes;
use onggi_storage_engine::metadata_store::MetadataSnapshot;
use onggi_storage_engine::rocks::{Direction, KeyRange};

use super::{MetadataView, Visit};
use crate::error::Result;

pub struct StoreView {
    snapshot: MetadataSnapshot,
}

impl StoreView {
    pub fn new(snapshot: MetadataSnapshot) -> Self {
        Self { snapshot }
    }

    pub(super) fn only_in_memory(&mut self, only: bool) {
        self.snapshot.only_in_memory(only);
    }

    fn walk(&self, range: Range<&[u8]>, direction: Direction, visit: Visit<'_>) -> Result<()> {
        let range = KeyRange::new(range.start, range.end);
        let mut scan = self.snapshot.scan(&range, direction);
        while let Some((key, value)) = scan.next_entry()? {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl MetadataView for StoreView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(self.snapshot.get(key)?)
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.walk(range, Direction::Forward, visit)
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.walk(range, Direction::Reverse, visit)
    }
}
