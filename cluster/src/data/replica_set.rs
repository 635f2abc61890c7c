//! Replica set: which nodes hold the bytes of an owner.
//! Owns: the look-up owner → group → nodes, in the form in which the data path is told of changes (a `watch`).
//! Does not own: who decides it (`placement`), or agreement on it (the system group).

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::record::GroupRecord;
use crate::placement::PartitionMap;

/// The nodes of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSet {
    pub group: GroupId,
    /// A majority of these makes bytes durable.
    pub voters: Vec<NodeId>,
    /// Who will vote after the move that is under way; the voters, if none is. The newcomers get new bytes too, but do not count yet.
    pub target: Vec<NodeId>,
}

impl From<&GroupRecord> for ReplicaSet {
    fn from(record: &GroupRecord) -> Self {
        Self { group: record.group, voters: record.voters.clone(), target: record.target.clone() }
    }
}

impl ReplicaSet {
    /// Those that are being brought in.
    pub fn learners(&self) -> impl Iterator<Item = NodeId> {
        self.target.iter().copied().filter(|node| !self.voters.contains(node))
    }

    pub fn members(&self) -> impl Iterator<Item = NodeId> {
        self.voters.iter().copied().chain(self.learners())
    }

    pub fn contains(&self, node: NodeId) -> bool {
        self.members().any(|member| member == node)
    }

    /// Nobody else has, or is getting, these bytes.
    pub fn is_only(&self, node: NodeId) -> bool {
        self.members().eq([node])
    }
}

/// All groups, as this node knows them. May be older than the truth: what must not rely on that asks the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaMap {
    partitions: PartitionMap,
    sets: BTreeMap<GroupId, Arc<ReplicaSet>>,
    /// Every node of the cluster, replicas of an owner or not.
    nodes: Vec<NodeId>,
}

pub type ReplicaMapWatch = watch::Receiver<Arc<ReplicaMap>>;

impl ReplicaMap {
    pub fn new(partitions: PartitionMap, sets: impl IntoIterator<Item = ReplicaSet>, nodes: Vec<NodeId>) -> Self {
        let sets = sets.into_iter().map(|set| (set.group, Arc::new(set))).collect();
        Self { partitions, sets, nodes }
    }

    /// Every group is on one node.
    pub fn of_one_node(partitions: PartitionMap, node: NodeId) -> Self {
        let groups: Vec<GroupId> = partitions.partitions().iter().map(|partition| partition.group).collect();
        let sets = groups.into_iter().map(|group| ReplicaSet { group, voters: vec![node], target: vec![node] });
        Self::new(partitions, sets.collect::<Vec<_>>(), vec![node])
    }

    pub fn group_of(&self, owner: OwnerKey) -> GroupId {
        self.partitions.group_of(owner)
    }

    pub fn set_of_owner(&self, owner: OwnerKey) -> Result<Arc<ReplicaSet>> {
        self.set_of_group(self.group_of(owner))
    }

    pub fn set_of_group(&self, group: GroupId) -> Result<Arc<ReplicaSet>> {
        let unknown = || Error::new(ErrorKind::Unavailable, format!("the replicas of group {} are not known", group.0));
        self.sets.get(&group).cloned().ok_or_else(unknown)
    }

    /// Owners of a group: first and last of each range.
    pub fn owners_of(&self, group: GroupId) -> Vec<(OwnerKey, OwnerKey)> {
        self.partitions.ranges_of(group).collect()
    }

    pub fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.sets.keys().copied()
    }

    /// The groups that `node` is a replica of.
    pub fn groups_on(&self, node: NodeId) -> Vec<GroupId> {
        self.sets.values().filter(|set| set.contains(node)).map(|set| set.group).collect()
    }

    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }
}
