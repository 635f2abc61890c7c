//! Split steps in the system group: a split is begun, and when the parent's log has it, the map follows (docs/group-split.md).

use super::{Decision, Draft};
use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{GroupRecord, SplitRecord};
use crate::placement::PartitionMap;

pub(super) fn begin(draft: &mut Draft<'_>, parent: GroupId, boundary: OwnerKey, epoch: u64) -> Decision<Outcome> {
    let splits = query::splits(draft.view())?;
    if let Some(standing) = splits.iter().find(|split| split.is_under_way()) {
        let is_the_same = standing.parent == parent && standing.boundary == boundary;
        let child = standing.child;
        return match is_the_same {
            true => Ok(Outcome::SplitBegun { child }),
            false => Err(Refusal::SplitUnderWay { child }.into()),
        };
    }
    let map: PartitionMap = draft.get(&SystemSpace.partition_map())?.ok_or(Refusal::StalePartitionMap)?;
    if map.epoch() != epoch {
        return Err(Refusal::StalePartitionMap.into());
    }
    let range = map.range_of(parent).ok_or(Refusal::NoSuchGroup)?;
    let child = unused_group(&map, &splits);
    if map.split(parent, boundary, child).is_none() {
        return Err(Refusal::InvalidBoundary.into());
    }
    let record = SplitRecord { child, parent, range, boundary, begun_ms: draft.time_ms, floor: None };
    draft.put(SystemSpace.split(child), &record);
    Ok(Outcome::SplitBegun { child })
}

pub(super) fn finish(draft: &mut Draft<'_>, child: GroupId, voters: &[NodeId], floor: u64) -> Decision<Outcome> {
    let record: SplitRecord = draft.get(&SystemSpace.split(child))?.ok_or(Refusal::StaleSplit)?;
    if !record.is_under_way() {
        return Ok(Outcome::Done);
    }
    if voters.is_empty() || !voters.is_sorted_by(|one, next| one < next) {
        return Err(Refusal::InvalidGroup.into());
    }
    let map: PartitionMap = draft.get(&SystemSpace.partition_map())?.ok_or(Refusal::StalePartitionMap)?;
    let map = map.split(record.parent, record.boundary, child).ok_or(Refusal::StalePartitionMap)?;
    let placed = GroupRecord { group: child, voters: voters.to_vec(), target: voters.to_vec(), step: 1 };
    draft.put(SystemSpace.partition_map(), &map);
    draft.put(SystemSpace.group_nodes(child), &placed);
    draft.put(SystemSpace.split(child), &SplitRecord { floor: Some(floor), ..record });
    Ok(Outcome::Done)
}

/// Groups stay on the map for ever, and splits on record, so the number after the last one was never used.
fn unused_group(map: &PartitionMap, splits: &[SplitRecord]) -> GroupId {
    let in_map = map.partitions().iter().map(|partition| partition.group);
    let last = in_map.chain(splits.iter().map(|split| split.child)).max();
    GroupId(last.unwrap_or(GroupId::SYSTEM).0 + 1)
}
