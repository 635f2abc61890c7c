//! Group keys: which part of the drive's metadata is the state of one group.
//! Owns: the ranges that a snapshot carries and an install replaces.

use onggi_storage_engine::id::BlobId;

use crate::id::GroupId;
use crate::metadata::key::{GroupSpace, OwnerSpace, SystemSpace};
use crate::metadata::view::KeyRange;
use crate::placement::PartitionMap;

#[derive(Clone, Debug)]
pub struct GroupKeys {
    group: GroupId,
    /// Records, the group's own ones first.
    pub records: Vec<KeyRange>,
    /// Inline payloads, by blob id.
    pub payloads: Vec<KeyRange>,
}

impl GroupKeys {
    pub fn system() -> Self {
        let records = vec![GroupSpace(GroupId::SYSTEM).all(), SystemSpace.all()];
        Self { group: GroupId::SYSTEM, records, payloads: Vec::new() }
    }

    pub fn of_owners(group: GroupId, map: &PartitionMap) -> Self {
        let mut records = vec![GroupSpace(group).all()];
        let mut payloads = Vec::new();
        for (first, last) in map.ranges_of(group) {
            let owners = KeyRange { from: OwnerSpace(first).all().from, to: OwnerSpace(last).all().to };
            records.push(owners);
            let blobs_from = first.to_bytes().to_vec();
            // Behind the last owner: one byte more than any blob id.
            let blobs_to =
                last.0.checked_add(1).map_or(vec![0xFF; BlobId::BYTES + 1], |after| after.to_be_bytes().to_vec());
            payloads.push(KeyRange { from: blobs_from, to: blobs_to });
        }
        Self { group, records, payloads }
    }

    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Where the applied position stands.
    pub fn applied(&self) -> Vec<u8> {
        GroupSpace(self.group).applied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{OwnerKey, UserId};

    fn holders(groups: &[GroupKeys], ranges: impl Fn(&GroupKeys) -> &[KeyRange], key: &[u8]) -> Vec<GroupId> {
        let holds = |keys: &&GroupKeys| ranges(keys).iter().any(|range| range.bounds().contains(&key));
        groups.iter().filter(holds).map(|keys| keys.group).collect()
    }

    #[test]
    fn the_groups_share_the_key_space_without_gap_or_overlap() {
        let map = PartitionMap::even(16);
        let mut groups: Vec<GroupKeys> =
            map.partitions().iter().map(|partition| GroupKeys::of_owners(partition.group, &map)).collect();
        groups.push(GroupKeys::system());
        let owners = (1..500).map(|user| UserId(user).owner_key()).chain([OwnerKey(0), OwnerKey(u64::MAX)]);
        for owner in owners {
            let expected = vec![map.group_of(owner)];
            assert_eq!(holders(&groups, |keys| &keys.records, &OwnerSpace(owner).owner()), expected, "{owner:?}");
            let blob = BlobId::new(owner, u64::MAX, u64::MAX);
            assert_eq!(holders(&groups, |keys| &keys.payloads, blob.as_bytes()), expected, "{owner:?}");
        }
        assert_eq!(holders(&groups, |keys| &keys.records, &SystemSpace.bucket_name("a")), vec![GroupId::SYSTEM]);
    }
}
