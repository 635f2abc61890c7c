//! Load: how much a group holds, and where it would be split best. Blocking, pure over one state.
//! Owns: the walk from owner to owner, which looks at one record of each.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::id::OwnerKey;
use crate::metadata::key::OwnerSpace;
use crate::metadata::query;
use crate::metadata::record::{Counters, RangeRecord};
use crate::metadata::view::{KeyRange, MetadataView};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupLoad {
    pub owners: u64,
    pub totals: Counters,
    /// `None`: one owner has everything, or nobody has anything.
    pub middle: Option<Middle>,
}

/// Between which two owners the group would be split best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Middle {
    /// The first owner above.
    pub boundary: OwnerKey,
    /// Entries of the owners below.
    pub below: u64,
}

impl GroupLoad {
    /// What a snapshot, a move and a listing have to walk: object versions, delete markers and uploads.
    pub fn entries(&self) -> u64 {
        entries(&self.totals)
    }

    /// Entries of the smaller half.
    pub fn smaller_half(&self) -> u64 {
        self.middle.map_or(0, |middle| middle.below.min(self.entries() - middle.below))
    }

    pub fn of(view: &dyn MetadataView, range: RangeRecord) -> Result<Self> {
        let mut load = Self::default();
        for_each_owner(view, range, |_, of_owner| {
            let Counters { objects, versions, delete_markers, uploads, bytes } = of_owner;
            load.owners += 1;
            load.totals.objects += objects;
            load.totals.versions += versions;
            load.totals.delete_markers += delete_markers;
            load.totals.uploads += uploads;
            load.totals.bytes += bytes;
        })?;
        // Once more, instead of remembering every owner.
        let (mut below, mut best_difference, all) = (0, None, load.entries());
        let mut middle = None;
        for_each_owner(view, range, |owner, of_owner| {
            let difference = all.abs_diff(2 * below);
            if middle_is_inside(below, all) && best_difference.is_none_or(|best| difference < best) {
                (middle, best_difference) = (Some(Middle { boundary: owner, below }), Some(difference));
            }
            below += entries(&of_owner);
        })?;
        load.middle = middle;
        Ok(load)
    }
}

/// Something stays, and something goes.
fn middle_is_inside(below: u64, all: u64) -> bool {
    below > 0 && below < all
}

fn entries(counters: &Counters) -> u64 {
    counters.versions + counters.delete_markers + counters.uploads
}

fn for_each_owner(
    view: &dyn MetadataView,
    range: RangeRecord,
    mut visit: impl FnMut(OwnerKey, Counters),
) -> Result<()> {
    let KeyRange { mut from, to } = OwnerSpace::of_range(range.first, range.last);
    loop {
        let mut next = None;
        view.scan(&from..&to, &mut |key, _| {
            next = OwnerSpace::owner_of(key);
            ControlFlow::Break(())
        })?;
        let Some(owner) = next else { return Ok(()) };
        visit(owner, query::owner_totals(view, owner)?);
        from = OwnerSpace(owner).all().to;
    }
}

#[cfg(test)]
mod tests {
    use onggi_storage_engine::format::Record;

    use super::*;
    use crate::metadata::record::OwnerRecord;
    use crate::metadata::view::MemoryView;

    fn load(versions: &[u64]) -> GroupLoad {
        let mut view = MemoryView::default();
        for (owner, versions) in (10..).zip(versions) {
            let totals =
                Counters { objects: *versions, versions: *versions, bytes: 2 * versions, ..Counters::default() };
            let record = OwnerRecord { last_bucket: 1, totals };
            view.put(OwnerSpace(OwnerKey(owner)).owner(), record.to_bytes());
            view.put(OwnerSpace(OwnerKey(owner)).bucket_name("b"), bytes::Bytes::new());
        }
        GroupLoad::of(&view, RangeRecord { first: OwnerKey(10), last: OwnerKey(19) }).unwrap()
    }

    #[test]
    fn the_middle_halves_best_between_two_owners() {
        for (versions, expected) in [
            (&[5, 5][..], Some((11, 5))),
            (&[1, 1, 1, 9], Some((13, 3))),
            (&[9, 1, 1, 1], Some((11, 9))),
            (&[0, 3, 0, 3], Some((12, 3))),
            (&[7], None),
            (&[0, 7, 0], None),
            (&[0, 0], None),
            (&[], None),
        ] {
            let load = load(versions);
            let middle = load.middle.map(|middle| (middle.boundary.0, middle.below));
            assert_eq!(middle, expected, "{versions:?}");
            let all: u64 = versions.iter().sum();
            assert_eq!((load.owners, load.entries(), load.totals.bytes), (versions.len() as u64, all, 2 * all));
        }
        assert_eq!(load(&[9, 1, 1, 1]).smaller_half(), 3);
        assert_eq!(load(&[0, 7]).smaller_half(), 0);
    }
}
