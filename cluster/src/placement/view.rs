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
use crate::metadata::record::{GroupRecord, NodeRecord};
use crate::metadata::view::MetadataView;

#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    pub map: PartitionMap,
    pub groups: BTreeMap<GroupId, GroupRecord>,
    pub nodes: BTreeMap<NodeId, NodeRecord>,
}

impl Placement {
    /// Before the first word from the cluster: no group is anywhere.
    pub fn unknown() -> Self {
        Self { map: PartitionMap::even(1), groups: BTreeMap::new(), nodes: BTreeMap::new() }
    }

    /// A cluster whose every group is on one node.
    pub fn alone(map: PartitionMap, node: NodeId) -> Self {
        let mut placement = Self { map, groups: BTreeMap::new(), nodes: BTreeMap::new() };
        placement.fill(node);
        placement
    }

    /// `None`: the cluster has no partition map yet.
    pub fn read(view: &dyn MetadataView) -> Result<Option<Self>> {
        let Some(map) = view.get(&SystemSpace.partition_map())? else { return Ok(None) };
        let map = PartitionMap::from_bytes(&map)?;
        let groups = query::groups(view)?.into_iter().map(|record| (record.group, record)).collect();
        let nodes = query::nodes(view)?.into_iter().map(|record| (record.node, record)).collect();
        let mut placement = Self { map, groups, nodes };
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
