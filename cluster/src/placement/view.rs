//! Placement view: what this node knows of where everything is.
//! Owns: the copy in memory of the partition map, of where groups are and of the nodes; telling others when it changes.
//! Does not own: the truth, which is in the system group. A copy may be a moment old: a node that no longer has a group says so, and the
//! caller looks again.

use std::collections::BTreeMap;
use std::sync::Arc;

use onggi_storage_engine::format::Record;
use tokio::sync::watch;

use super::PartitionMap;
use crate::error::Result;
use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::key::SystemSpace;
use crate::metadata::query;
use crate::metadata::record::{GroupRecord, NodeRecord, SplitRecord};
use crate::metadata::view::MetadataView;
use crate::raft::{GroupKeys, OwnersRange};

#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    pub map: PartitionMap,
    pub groups: BTreeMap<GroupId, GroupRecord>,
    pub nodes: BTreeMap<NodeId, NodeRecord>,
    /// By the group that came of it, or will.
    pub splits: BTreeMap<GroupId, SplitRecord>,
}

impl Placement {
    /// Before the first word from the cluster: no group is anywhere.
    pub fn unknown() -> Self {
        Self::empty(PartitionMap::even(1))
    }

    /// A cluster whose every group is on one node.
    pub fn alone(map: PartitionMap, node: NodeId) -> Self {
        let mut placement = Self::empty(map);
        placement.fill(node);
        placement
    }

    fn empty(map: PartitionMap) -> Self {
        Self { map, groups: BTreeMap::new(), nodes: BTreeMap::new(), splits: BTreeMap::new() }
    }

    /// `None`: the cluster has no partition map yet.
    pub fn read(view: &dyn MetadataView) -> Result<Option<Self>> {
        let Some(map) = view.get(&SystemSpace.partition_map())? else { return Ok(None) };
        let map = PartitionMap::from_bytes(&map)?;
        let groups = query::groups(view)?.into_iter().map(|record| (record.group, record)).collect();
        let nodes = query::nodes(view)?.into_iter().map(|record| (record.node, record)).collect();
        let splits = query::splits(view)?.into_iter().map(|record| (record.child, record)).collect();
        let mut placement = Self { map, groups, nodes, splits };
        placement.fill(NodeId::FOUNDER);
        Ok(Some(placement))
    }

    /// A group that is not on record yet is where the cluster began.
    fn fill(&mut self, node: NodeId) {
        let groups = self.map.partitions().iter().map(|partition| partition.group).chain([GroupId::SYSTEM]);
        for group in groups {
            let alone = || GroupRecord { group, voters: vec![node], target: vec![node], step: 0 };
            self.groups.entry(group).or_insert_with(alone);
        }
    }

    /// False until the founder has put all groups on record: it may still have to make some of them.
    pub fn is_on_record(&self) -> bool {
        !self.groups.is_empty() && self.groups.values().all(|record| record.step > 0)
    }

    pub fn group_of(&self, owner: OwnerKey) -> GroupId {
        self.map.group_of(owner)
    }

    /// Those that are placed, and the one that comes of a split.
    pub fn known_groups(&self) -> impl Iterator<Item = GroupId> {
        let coming = self.split_under_way().map(|split| split.child);
        self.groups.keys().copied().chain(coming.filter(|child| !self.groups.contains_key(child)))
    }

    pub fn split_under_way(&self) -> Option<&SplitRecord> {
        self.splits.values().find(|split| split.is_under_way())
    }

    /// What must be known of a group to open it.
    pub fn keys_of(&self, group: GroupId) -> GroupKeys {
        let born = self.splits.get(&group).map(SplitRecord::child_range);
        // Children are numbered in the order of their splits.
        let first_split = self.splits.values().find(|split| split.parent == group).map(|split| split.range);
        let mapped = self.map.range_of(group).or(born);
        let floors = self.splits.values().filter(|split| split.parent == group).filter_map(|split| split.floor);
        let floor = floors.max().unwrap_or(0);
        GroupKeys::new(group, OwnersRange { founded: born.or(first_split).or(mapped), mapped, floor })
    }

    /// The nodes that decide in a group. Empty: not on record.
    pub fn voters(&self, group: GroupId) -> &[NodeId] {
        self.groups.get(&group).map_or(&[], |record| &record.voters)
    }

    /// Voters, and those that will be.
    pub fn replicas(&self, group: GroupId) -> Vec<NodeId> {
        let Some(record) = self.groups.get(&group) else { return Vec::new() };
        let mut replicas: Vec<NodeId> = record.voters.iter().chain(&record.target).copied().collect();
        replicas.sort();
        replicas.dedup();
        replicas
    }
}

/// Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct PlacementView {
    current: watch::Receiver<Arc<Placement>>,
}

/// The end that follows the system group.
pub struct PlacementPublisher {
    sender: watch::Sender<Arc<Placement>>,
}

impl PlacementPublisher {
    pub fn new(first: Placement) -> (Self, PlacementView) {
        let (sender, current) = watch::channel(Arc::new(first));
        (Self { sender }, PlacementView { current })
    }

    /// Wakes those who wait for a change only if there is one.
    pub fn publish(&self, placement: Placement) {
        self.sender.send_if_modified(|current| {
            let changed = **current != placement;
            if changed {
                *current = Arc::new(placement);
            }
            changed
        });
    }
}

impl PlacementView {
    pub fn now(&self) -> Arc<Placement> {
        self.current.borrow().clone()
    }

    pub fn group_of(&self, owner: OwnerKey) -> GroupId {
        self.current.borrow().group_of(owner)
    }

    /// Waits for a change; `false` when none will come.
    pub async fn changed(&mut self) -> bool {
        self.current.changed().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::record::RangeRecord;

    fn range(first: u64, last: u64) -> RangeRecord {
        RangeRecord { first: OwnerKey(first), last: OwnerKey(last) }
    }

    #[test]
    fn a_group_is_opened_with_the_range_it_began_with_and_the_one_it_has() {
        let (parent, child, grandchild) = (GroupId(1), GroupId(2), GroupId(3));
        let split = |child, parent, range: RangeRecord, boundary, floor| {
            let record = SplitRecord { child, parent, range, boundary: OwnerKey(boundary), begun_ms: 1, floor };
            (record.child, record)
        };
        let all = range(0, u64::MAX);
        let map = PartitionMap::even(1).split(parent, OwnerKey(100), child).unwrap();
        let map = map.split(parent, OwnerKey(50), grandchild).unwrap();
        let mut placement = Placement::alone(map, NodeId(1));
        let later = split(GroupId(4), child, range(100, u64::MAX), 200, None);
        let splits =
            [split(child, parent, all, 100, Some(7)), split(grandchild, parent, range(0, 99), 50, Some(9)), later];
        placement.splits = splits.into_iter().collect();
        let keys = |founded, mapped, floor| OwnersRange { founded: Some(founded), mapped: Some(mapped), floor };
        for (group, expected) in [
            (parent, keys(all, range(0, 49), 9)),
            (child, keys(range(100, u64::MAX), range(100, u64::MAX), 0)),
            (grandchild, keys(range(50, 99), range(50, 99), 0)),
            // Not on the map yet.
            (GroupId(4), keys(range(200, u64::MAX), range(200, u64::MAX), 0)),
        ] {
            assert_eq!(placement.keys_of(group), GroupKeys::new(group, expected));
        }
    }
}
