//! Store view: one consistent state of a drive's metadata, as `apply` and the queries see it.

use std::ops::Range;

use bytes::Bytes;
use onggi_storage_engine::metadata_store::MetadataSnapshot;
use onggi_storage_engine::rocks::{Direction, KeyRange};

use super::{MetadataView, Visit};
use crate::error::{Error, ErrorKind, Result};
use crate::id::OwnerKey;
use crate::metadata::key::OwnerSpace;
use crate::metadata::record::RangeRecord;

pub struct StoreView {
    snapshot: MetadataSnapshot,
    /// `None`: all that there are.
    owners: Option<RangeRecord>,
}

impl StoreView {
    pub fn new(snapshot: MetadataSnapshot) -> Self {
        Self { snapshot, owners: None }
    }

    /// The state of a group that decides about `owners`. Records of others are on the same drive, as old as they may be: asking for them
    /// is an error.
    pub fn of_owners(snapshot: MetadataSnapshot, owners: Option<RangeRecord>) -> Self {
        Self { snapshot, owners }
    }

    pub fn covers(&self, owner: OwnerKey) -> bool {
        self.owners.is_none_or(|owners| owners.contains(owner))
    }

    fn check_key(&self, key: &[u8]) -> Result<()> {
        let owner = OwnerSpace::owner_of(key);
        if owner.is_none_or(|owner| self.covers(owner)) { Ok(()) } else { Err(elsewhere()) }
    }

    fn check_range(&self, range: &Range<&[u8]>) -> Result<()> {
        let Some(owners) = self.owners else { return Ok(()) };
        let (all, own) = (OwnerSpace::everyone(), OwnerSpace::of_range(owners.first, owners.last));
        let is_of_owners = range.start < all.bounds().end && range.end > all.bounds().start;
        let is_inside = own.bounds().start <= range.start && range.end <= own.bounds().end;
        if is_of_owners && !is_inside { Err(elsewhere()) } else { Ok(()) }
    }

    pub(super) fn only_in_memory(&mut self, only: bool) {
        self.snapshot.only_in_memory(only);
    }

    fn walk(&self, range: Range<&[u8]>, direction: Direction, visit: Visit<'_>) -> Result<()> {
        self.check_range(&range)?;
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
        self.check_key(key)?;
        Ok(self.snapshot.get(key)?)
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.walk(range, Direction::Forward, visit)
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.walk(range, Direction::Reverse, visit)
    }
}

fn elsewhere() -> Error {
    Error::new(ErrorKind::Unavailable, "another group decides about this owner by now")
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::id::GroupId;
    use crate::metadata::key::{GroupSpace, SystemSpace};
    use crate::testing::TestEngine;

    #[tokio::test]
    async fn records_of_owners_who_are_elsewhere_are_not_shown() {
        let directory = TestEngine::new();
        let engine = directory.open().await;
        let store = engine.metadata_store();
        let mut batch = store.batch();
        (0..10).for_each(|owner| batch.put(&OwnerSpace(OwnerKey(owner)).owner(), b"x"));
        store.apply(batch).unwrap();
        let (first, last) = (OwnerKey(3), OwnerKey(6));
        let view = StoreView::of_owners(store.snapshot(), Some(RangeRecord { first, last }));
        let scan = |range: crate::metadata::view::KeyRange| {
            let mut keys = 0;
            let mut count = |_: &[u8], _: &[u8]| {
                keys += 1;
                ControlFlow::Continue(())
            };
            let walked = view.scan(range.bounds(), &mut count).and(view.scan_reverse(range.bounds(), &mut count));
            walked.map(|()| keys / 2)
        };
        for owner in 0..10 {
            let (owner, is_here) = (OwnerKey(owner), (3..=6).contains(&owner));
            assert_eq!(view.covers(owner), is_here);
            assert_eq!(view.get(&OwnerSpace(owner).owner()).is_ok(), is_here, "{owner:?}");
            assert_eq!(scan(OwnerSpace(owner).all()).is_ok(), is_here, "{owner:?}");
        }
        assert_eq!(scan(OwnerSpace::of_range(first, last)).unwrap(), 4);
        assert!(scan(OwnerSpace::of_range(OwnerKey(2), last)).is_err() && scan(OwnerSpace::everyone()).is_err());
        // What is no owner's is the node's own.
        assert!(view.get(&SystemSpace.cluster()).is_ok() && scan(GroupSpace(GroupId(3)).all()).is_ok());
        assert_eq!(StoreView::new(store.snapshot()).get(&OwnerSpace(OwnerKey(9)).owner()).unwrap(), Some("x".into()));
        drop(view);
        engine.close().await.unwrap();
    }
}
