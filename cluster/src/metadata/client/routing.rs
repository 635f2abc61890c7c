//! Routing: where the groups are, and how to reach those that are not here.
//! Owns: whom to ask first, and whether a majority of a group can be reached at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::command::Change;
use crate::peer::Peers;
use crate::placement::PlacementView;
use crate::raft::{Group, GroupSet};

/// Cheap to clone; all clones share what they learn about leaders.
#[derive(Clone)]
pub(crate) struct Routing {
    pub node: NodeId,
    pub groups: Arc<GroupSet>,
    pub placement: PlacementView,
    pub peers: Peers,
    /// Leaders of groups that are not here, as others last told. One entry a group.
    heard: Arc<Mutex<HashMap<GroupId, NodeId>>>,
}

impl Routing {
    pub fn new(node: NodeId, groups: Arc<GroupSet>, placement: PlacementView, peers: Peers) -> Self {
        Self { node, groups, placement, peers, heard: Arc::default() }
    }

    /// Who decides about a change, as far as this node knows.
    pub fn group_of(&self, change: &Change) -> GroupId {
        match change {
            Change::System(_) => GroupId::SYSTEM,
            Change::Owner { owner, .. } => self.placement.group_of(*owner),
            Change::Group { group, .. } => *group,
        }
    }

    /// The group, if this node takes part in it. One that others must go on with, because its drive failed, is not here any more.
    pub fn here(&self, group: GroupId) -> Result<Arc<Group>> {
        let open = self.groups.get(group)?;
        let failed =
            || Error::new(ErrorKind::Unavailable, format!("the drive of group {} on this node failed", group.0));
        if open.takes_part() { Ok(open) } else { Err(failed()) }
    }

    /// Who leads the group, as far as is known; otherwise one of its voters, another one with each attempt.
    pub fn leader(&self, group: GroupId, attempt: u32) -> Option<NodeId> {
        let here = self.here(group);
        let known = match &here {
            Ok(here) => here.leader_hint(),
            Err(_) => self.lock().get(&group).copied(),
        };
        let takes_part = |voter: NodeId| voter != self.node || here.is_ok();
        known.or_else(|| {
            let placement = self.placement.now();
            let voters = placement.voters(group);
            // Those that seem to be up come first.
            let (up, down): (Vec<NodeId>, Vec<NodeId>) =
                voters.iter().filter(|voter| takes_part(**voter)).partition(|voter| self.is_up(**voter));
            let order = [up, down].concat();
            (!order.is_empty()).then(|| order[attempt as usize % order.len()])
        })
    }

    /// What an answer told about the leader; `None`: it is not where it was thought to be.
    pub fn heard_of_leader(&self, group: GroupId, leader: Option<NodeId>) {
        let mut heard = self.lock();
        match leader {
            Some(leader) => heard.insert(group, leader),
            None => heard.remove(&group),
        };
    }

    /// False: nothing can be decided in the group as long as that lasts.
    pub fn reaches_majority(&self, group: GroupId) -> bool {
        let placement = self.placement.now();
        let voters = placement.voters(group);
        let reached = voters.iter().filter(|voter| self.is_up(**voter)).count();
        voters.is_empty() || 2 * reached > voters.len()
    }

    /// This node decides alone, so nothing depends on the network.
    pub fn is_sole_voter(&self, group: GroupId) -> bool {
        self.placement.now().voters(group) == [self.node]
    }

    fn is_up(&self, node: NodeId) -> bool {
        node == self.node || self.peers.is_up(node)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GroupId, NodeId>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
