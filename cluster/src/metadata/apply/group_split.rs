//! Group split: the owners from a boundary on go to a new group, at one entry of this group's log (docs/group-split.md).
//! Owns: what both groups keep about themselves afterwards. No record of an owner changes.
//! Invariant: the new group remembers every request that this one had decided, and its clock goes on where this one's stands.

use std::ops::ControlFlow;

use bytes::Bytes;
use onggi_storage_engine::format::Record;

use super::Write;
use crate::error::Result;
use crate::id::{GroupId, OwnerKey};
use crate::metadata::command::Split;
use crate::metadata::key::{self, GroupKey, GroupSpace, Key};
use crate::metadata::outcome::Refusal;
use crate::metadata::record::{DecisionsRecord, RangeRecord};
use crate::metadata::view::MetadataView;

/// What to write, and the range that stays here.
pub(super) struct Divided {
    pub writes: Vec<Write>,
    pub range: RangeRecord,
}

/// `range` is this group's own; `None` if it was never split.
pub(super) fn divide(
    view: &dyn MetadataView,
    space: GroupSpace,
    range: Option<RangeRecord>,
    decisions: &DecisionsRecord,
    split: &Split,
) -> Result<std::result::Result<Divided, Refusal>> {
    let Split { child, range: expected, boundary } = split;
    let stands = range.is_none_or(|range| range == *expected);
    if !stands || space.0 == GroupId::SYSTEM || *child <= space.0 {
        return Ok(Err(Refusal::StaleSplit));
    }
    // `boundary.0 - 1` is the last owner that stays, so there must be one.
    if *boundary <= expected.first || *boundary > expected.last {
        return Ok(Err(Refusal::InvalidBoundary));
    }
    let stays = RangeRecord { first: expected.first, last: OwnerKey(boundary.0 - 1) };
    let goes = RangeRecord { first: *boundary, last: expected.last };
    let new = GroupSpace(*child);
    let mut writes = vec![
        put(space.range(), stays.to_bytes()),
        put(new.range(), goes.to_bytes()),
        put(new.decisions(), decisions.to_bytes()),
    ];
    writes.extend(requests_for(view, space, new)?);
    writes.push(Write::FoundGroup { group: *child });
    Ok(Ok(Divided { writes, range: stays }))
}

/// A copy of this group's memory of requests, slot by slot.
fn requests_for(view: &dyn MetadataView, from: GroupSpace, to: GroupSpace) -> Result<Vec<Write>> {
    let mut rows = Vec::new();
    view.scan(from.requests().bounds(), &mut |key, value| {
        rows.push((key::parse(key), Bytes::copy_from_slice(value)));
        ControlFlow::Continue(())
    })?;
    let copy = |(key, value): (Result<Key>, Bytes)| match key? {
        Key::Group(_, GroupKey::Request { slot }) => Ok(put(to.request(slot), value)),
        other => Err(key::out_of_place(&other)),
    };
    rows.into_iter().map(copy).collect()
}

fn put(key: Vec<u8>, value: Bytes) -> Write {
    Write::Put { key, value }
}
