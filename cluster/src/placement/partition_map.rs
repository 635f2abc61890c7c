//! Partition map: the owners' key space cut into contiguous ranges, each owned by one group.
//! Owns: the even first split, and the look-up of an owner's group.
//! Does not own: which nodes hold a group. Only here may code assume that one owner is in one group.
//! Invariant: the partitions cover all of the key space without gap or overlap, in ascending order.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::{GroupId, OwnerKey};
use crate::metadata::record::RangeRecord;

/// Owners from `start` up to the next partition's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    pub start: OwnerKey,
    pub group: GroupId,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionMap {
    /// Raised by every change; a request that was routed by an older map is refused and routed again.
    epoch: u64,
    partitions: Vec<Partition>,
}

impl PartitionMap {
    /// `groups` equal ranges, owned by the groups 1, 2, … in order.
    pub fn even(groups: u32) -> Self {
        let groups = u128::from(groups.max(1));
        let start_of = |number: u128| OwnerKey(((number << 64) / groups) as u64);
        let partitions = (0..groups)
            .map(|number| Partition { start: start_of(number), group: GroupId(number as u32 + 1) })
            .collect();
        Self { epoch: 1, partitions }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    pub fn group_of(&self, owner: OwnerKey) -> GroupId {
        let after = self.partitions.partition_point(|partition| partition.start <= owner);
        // The first partition starts at 0, so at least one starts at or before every owner.
        self.partitions[after - 1].group
    }

    /// The owners of a group: first and last, both included. More than one range once partitions are merged or moved.
    pub fn ranges_of(&self, group: GroupId) -> impl Iterator<Item = (OwnerKey, OwnerKey)> {
        self.partitions.iter().enumerate().filter(move |(_, partition)| partition.group == group).map(
            |(number, partition)| {
                let next = self.partitions.get(number + 1);
                (partition.start, OwnerKey(next.map_or(u64::MAX, |next| next.start.0 - 1)))
            },
        )
    }

    /// All owners of a group, which are one range. `None`: it is not in this map.
    pub fn range_of(&self, group: GroupId) -> Option<RangeRecord> {
        self.ranges_of(group).next().map(|(first, last)| RangeRecord { first, last })
    }

    /// The next map, in which the owners from `boundary` on, up to where their partition ends, are `child`'s. `None` if the boundary is not
    /// inside of a partition of `parent`.
    pub fn split(&self, parent: GroupId, boundary: OwnerKey, child: GroupId) -> Option<Self> {
        let after = self.partitions.partition_point(|partition| partition.start < boundary);
        let split = self.partitions.get(after.checked_sub(1)?)?;
        let stands_there = self.partitions.get(after).is_some_and(|next| next.start == boundary);
        if split.group != parent || stands_there {
            return None;
        }
        let mut partitions = self.partitions.clone();
        partitions.insert(after, Partition { start: boundary, group: child });
        Some(Self { epoch: self.epoch + 1, partitions })
    }

    fn check(self) -> Result<Self> {
        let starts_at_zero = self.partitions.first().is_some_and(|first| first.start == OwnerKey(0));
        let ascending = self.partitions.windows(2).all(|pair| pair[0].start < pair[1].start);
        let owners_only = self.partitions.iter().all(|partition| partition.group != GroupId::SYSTEM);
        if starts_at_zero && ascending && owners_only {
            return Ok(self);
        }
        Err(Error::corrupt("read partition map: its partitions do not cover the key space"))
    }
}

impl Record for PartitionMap {
    const NAME: &'static str = "partition map";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.varint(self.epoch).list(&self.partitions, |encoder, partition| {
            encoder.u64(partition.start.0).u32(partition.group.0);
        });
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let epoch = decoder.varint()?;
        let partitions = decoder
            .list(|decoder| Ok(Partition { start: OwnerKey(decoder.u64()?), group: GroupId(decoder.u32()?) }))?;
        Self { epoch, partitions }.check()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn even_split_is_even() {
        let map = PartitionMap::even(16);
        assert_eq!(map.partitions().len(), 16);
        for (number, partition) in map.partitions().iter().enumerate() {
            assert_eq!(partition.start.0, (number as u64) << 60);
        }
        assert_eq!(map.group_of(OwnerKey(0)), GroupId(1));
        assert_eq!(map.group_of(OwnerKey(u64::MAX)), GroupId(16));
    }

    #[test]
    fn a_split_takes_the_upper_part_of_one_partition() {
        let map = PartitionMap::even(2);
        let half = 1 << 63;
        assert_eq!(map.split(GroupId(1), OwnerKey(0), GroupId(3)), None, "nothing would be left");
        assert_eq!(map.split(GroupId(1), OwnerKey(half), GroupId(3)), None, "a boundary already");
        assert_eq!(map.split(GroupId(2), OwnerKey(7), GroupId(3)), None, "of another group");
        let split = map.split(GroupId(1), OwnerKey(7), GroupId(3)).unwrap();
        assert_eq!(split.epoch(), 2);
        let groups = [0, 6, 7, half - 1, half].map(|owner| split.group_of(OwnerKey(owner)).0);
        assert_eq!(groups, [1, 1, 3, 3, 2]);
        assert_eq!(split.range_of(GroupId(3)), Some(RangeRecord { first: OwnerKey(7), last: OwnerKey(half - 1) }));
        assert_eq!(split.range_of(GroupId(9)), None);
        let again = split.split(GroupId(3), OwnerKey(8), GroupId(4)).unwrap();
        assert_eq!(again.ranges_of(GroupId(3)).collect::<Vec<_>>(), [(OwnerKey(7), OwnerKey(7))]);
    }

    #[test]
    fn a_map_with_a_gap_is_corrupt() {
        let map = PartitionMap { epoch: 1, partitions: vec![Partition { start: OwnerKey(1), group: GroupId(1) }] };
        assert!(PartitionMap::from_bytes(&map.to_bytes()).is_err());
        let empty = PartitionMap { epoch: 1, partitions: Vec::new() };
        assert!(PartitionMap::from_bytes(&empty.to_bytes()).is_err());
    }

    proptest! {
        /// Every owner is in exactly one range, and that range's group is the one the look-up gives.
        #[test]
        fn ranges_and_look_up_agree(groups in 1u32..200, owner: u64) {
            let map = PartitionMap::even(groups);
            prop_assert_eq!(&PartitionMap::from_bytes(&map.to_bytes()).unwrap(), &map);
            let owner = OwnerKey(owner);
            let holders: Vec<GroupId> = map
                .partitions()
                .iter()
                .map(|partition| partition.group)
                .filter(|group| map.ranges_of(*group).any(|(first, last)| first <= owner && owner <= last))
                .collect();
            prop_assert_eq!(holders, vec![map.group_of(owner)]);
        }
    }
}
