//! Group keys: which part of the drive's metadata is the state of one group.
//! Owns: the ranges that a snapshot carries, an install replaces and a retirement deletes.
//! Invariant: they are those of the state itself, at its applied position, not those of today's map: a replica that lags has the range of
//! then. A group that was split, or came of a split, has a `RangeRecord`; any other state has the range that the group was founded with.

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::id::BlobId;
use onggi_storage_engine::metadata_store::{MetadataBatch, MetadataSnapshot};

use crate::id::GroupId;
use crate::metadata::key::{GroupSpace, OwnerSpace, SystemSpace};
use crate::metadata::record::RangeRecord;
use crate::metadata::view::KeyRange;
use crate::placement::PartitionMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKeys {
    group: GroupId,
    owners: OwnersRange,
}

/// What is known of a group's owners where it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnersRange {
    /// What it was founded with: the range of a state that says nothing else.
    pub founded: Option<RangeRecord>,
    /// What it has by the map: all that a group without a state can come to have, if it begins behind `floor`.
    pub mapped: Option<RangeRecord>,
    /// A replica without a state takes nothing from before this position of the log (docs/group-split.md).
    pub floor: u64,
}

/// The ranges of a state.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StateKeys {
    /// Records, the group's own ones first.
    pub records: Vec<KeyRange>,
    /// Inline payloads, by blob id.
    pub payloads: Vec<KeyRange>,
}

impl StateKeys {
    pub fn delete(&self, batch: &mut MetadataBatch) {
        for range in &self.records {
            batch.delete_range(&range.from, &range.to);
        }
        for range in &self.payloads {
            batch.delete_inline_range(&range.from, &range.to);
        }
    }
}

impl GroupKeys {
    pub fn system() -> Self {
        Self { group: GroupId::SYSTEM, owners: OwnersRange::default() }
    }

    /// Of a group that was never split.
    pub fn of_owners(group: GroupId, map: &PartitionMap) -> Self {
        let range = map.range_of(group);
        Self::new(group, OwnersRange { founded: range, mapped: range, floor: 0 })
    }

    pub fn new(group: GroupId, owners: OwnersRange) -> Self {
        Self { group, owners }
    }

    pub fn group(&self) -> GroupId {
        self.group
    }

    pub fn founded(&self) -> Option<RangeRecord> {
        self.owners.founded
    }

    pub fn mapped(&self) -> Option<RangeRecord> {
        self.owners.mapped
    }

    pub fn floor(&self) -> u64 {
        self.owners.floor
    }

    /// Where the applied position stands.
    pub fn applied(&self) -> Vec<u8> {
        GroupSpace(self.group).applied()
    }

    /// The owners that the state in `view` is about; `None` if there is none.
    pub fn held(&self, view: &MetadataSnapshot) -> Result<Option<RangeRecord>> {
        match view.get(&GroupSpace(self.group).range())? {
            Some(range) => Ok(Some(RangeRecord::from_bytes(&range)?)),
            None if view.get(&self.applied())?.is_some() => Ok(self.owners.founded),
            None => Ok(None),
        }
    }

    /// Of the state in `view`.
    pub fn of_state(&self, view: &MetadataSnapshot) -> Result<StateKeys> {
        Ok(self.of_range(self.held(view)?))
    }

    /// Of a state whose own records have this range.
    pub fn of_recorded(&self, range: Option<RangeRecord>) -> StateKeys {
        self.of_range(range.or(self.owners.founded))
    }

    fn of_range(&self, range: Option<RangeRecord>) -> StateKeys {
        let mut keys = StateKeys { records: vec![GroupSpace(self.group).all()], payloads: Vec::new() };
        if self.group == GroupId::SYSTEM {
            keys.records.push(SystemSpace.all());
        }
        if let Some(RangeRecord { first, last }) = range {
            keys.records.push(OwnerSpace::of_range(first, last));
            let blobs_from = first.to_bytes().to_vec();
            // Behind the last owner: one byte more than any blob id.
            let blobs_to =
                last.0.checked_add(1).map_or(vec![0xFF; BlobId::BYTES + 1], |after| after.to_be_bytes().to_vec());
            keys.payloads.push(KeyRange { from: blobs_from, to: blobs_to });
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{OwnerKey, UserId};

    #[test]
    fn the_groups_share_the_key_space_without_gap_or_overlap() {
        let map = PartitionMap::even(16).split(GroupId(3), OwnerKey((2 << 60) + 5), GroupId(17)).unwrap();
        let numbers = map.partitions().iter().map(|partition| partition.group);
        let keys_of = |group| (group, GroupKeys::of_owners(group, &map).of_recorded(None));
        let mut groups: Vec<(GroupId, StateKeys)> = numbers.map(keys_of).collect();
        groups.push((GroupId::SYSTEM, GroupKeys::system().of_recorded(None)));
        let holders = |ranges: fn(&StateKeys) -> &[KeyRange], key: &[u8]| -> Vec<GroupId> {
            let holds =
                |(_, keys): &&(GroupId, StateKeys)| ranges(keys).iter().any(|range| range.bounds().contains(&key));
            groups.iter().filter(holds).map(|(group, _)| *group).collect()
        };
        let owners = (1..500).map(|user| UserId(user).owner_key());
        for owner in owners.chain([0, u64::MAX, (2 << 60) + 4, (2 << 60) + 5].map(OwnerKey)) {
            let expected = vec![map.group_of(owner)];
            assert_eq!(holders(|keys| &keys.records, &OwnerSpace(owner).owner()), expected, "{owner:?}");
            let blob = BlobId::new(owner, u64::MAX, u64::MAX);
            assert_eq!(holders(|keys| &keys.payloads, blob.as_bytes()), expected, "{owner:?}");
        }
        assert_eq!(holders(|keys| &keys.records, &SystemSpace.bucket_name("a")), vec![GroupId::SYSTEM]);
    }
}
