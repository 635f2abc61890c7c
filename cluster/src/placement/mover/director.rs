//! Director: decides where groups shall be, on the node that leads the system group.
//! Owns: when a node counts as gone; putting the planner's targets on record, a few at a time.
//! Does not own: what is a good place (`planner`), getting there (`carrier`).
//! Invariant: two directors at once do no harm: a target counts only if the record that it was made from still stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::client::MetadataClient;
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{GroupRecord, NodeRecord, NodeState};
use crate::peer::Peers;
use crate::placement::planner::{self, GroupView, NodeView, plan};
use crate::placement::{Placement, PlacementView};
use crate::raft::GroupSet;

const INTERVAL: Duration = Duration::from_secs(1);
/// A node that restarts, or a machine that boots, is back before; its replicas are made again elsewhere only after this.
const GONE_AFTER: Duration = Duration::from_secs(10 * 60);
/// Replicas of an owner's group: two may not be lost at once.
const REPLICATION: usize = 3;
/// Voters of the system group, if there are so many nodes: it is small, and everything waits for it.
const SYSTEM_VOTERS_MAX: usize = 5;
/// Groups that are on their way at once. Each brings its bytes along.
const MOVES_MAX: usize = 4;

pub struct Director {
    node: NodeId,
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
    peers: Peers,
    /// Since when each node that is down has been down.
    down: BTreeMap<NodeId, Instant>,
}

impl Director {
    pub fn new(
        node: NodeId,
        groups: Arc<GroupSet>,
        placement: PlacementView,
        metadata: MetadataClient,
        peers: Peers,
    ) -> Self {
        Self { node, groups, placement, metadata, peers, down: BTreeMap::new() }
    }

    /// Until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            if self.groups.system().is_leader() {
                let placement = self.placement.now();
                if let Err(error) = self.direct(&placement).await {
                    tracing::warn!(%error, "groups are not moved for now; trying again");
                }
            } else {
                // Whoever leads next looks for itself.
                self.down.clear();
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn direct(&mut self, placement: &Placement) -> Result<()> {
        if !placement.is_on_record() || placement.nodes.is_empty() {
            return Ok(());
        }
        let nodes: Vec<NodeView> = placement.nodes.values().map(|record| self.look(record)).collect();
        let (system, owners): (Vec<_>, Vec<_>) = placement.groups.values().map(group_view).partition(is_system);
        let mut targets = plan(&nodes, &system, system_voters(&nodes)).targets;
        targets.extend(plan(&nodes, &owners, REPLICATION).targets);

        let on_the_way = placement.groups.values().filter(|record| record.voters != record.target).count();
        let mut room = MOVES_MAX.saturating_sub(on_the_way);
        for (group, target) in targets {
            let Some(record) = placement.groups.get(&group).filter(|record| record.target != target) else { continue };
            // A group that is on its way already takes no more room when it is sent elsewhere.
            let starts = record.voters == record.target;
            if starts && room == 0 {
                continue;
            }
            room -= usize::from(starts);
            self.set_target(record, target).await?;
        }
        Ok(())
    }

    async fn set_target(&self, record: &GroupRecord, target: Vec<NodeId>) -> Result<()> {
        tracing::info!(group = record.group.0, from = ?record.voters, to = ?target, "a group shall move");
        let expected_step = record.step;
        let record = GroupRecord { target, ..record.clone() };
        match self.metadata.commit(Change::System(SystemChange::SetGroup { record, expected_step })).await? {
            Outcome::Done | Outcome::Refused(Refusal::StaleGroup) => Ok(()),
            other => Err(Error::new(ErrorKind::Internal, format!("set the target of a group: {other:?}"))),
        }
    }

    fn look(&mut self, record: &NodeRecord) -> NodeView {
        let up = if record.node == self.node || self.peers.is_up(record.node) {
            self.down.remove(&record.node);
            true
        } else {
            self.down.entry(record.node).or_insert_with(Instant::now).elapsed() < GONE_AFTER
        };
        let state = match record.state {
            NodeState::Active => planner::NodeState::Active,
            NodeState::Draining => planner::NodeState::Draining,
            NodeState::Removed => planner::NodeState::Removed,
        };
        NodeView { node: record.node, host: record.host, zone: record.zone.clone(), weight: record.weight, state, up }
    }
}

fn group_view(record: &GroupRecord) -> GroupView {
    let GroupRecord { group, voters, target, .. } = record.clone();
    GroupView { group, voters, target, leader: None, bytes: 0 }
}

/// With fewer nodes than that as many as any group has, or none of five could ever leave.
fn system_voters(nodes: &[NodeView]) -> usize {
    let stays = |node: &&NodeView| node.state == planner::NodeState::Active && node.up && node.weight > 0;
    if nodes.iter().filter(stays).count() < SYSTEM_VOTERS_MAX { REPLICATION } else { SYSTEM_VOTERS_MAX }
}

fn is_system(view: &GroupView) -> bool {
    view.group == GroupId::SYSTEM
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::HostId;

    fn nodes(count: u64, change: impl Fn(&mut NodeView)) -> Vec<NodeView> {
        let view = |node| NodeView {
            node: NodeId(node),
            host: HostId(node),
            zone: String::new(),
            weight: 100,
            state: planner::NodeState::Active,
            up: true,
        };
        let mut nodes: Vec<NodeView> = (1..=count).map(view).collect();
        change(&mut nodes[1]);
        nodes
    }

    fn system_target(nodes: &[NodeView], voters: &[u64]) -> Vec<u64> {
        let voters: Vec<NodeId> = voters.iter().copied().map(NodeId).collect();
        let system = GroupView { group: GroupId::SYSTEM, target: voters.clone(), voters, leader: None, bytes: 0 };
        let target = plan(nodes, &[system], system_voters(nodes)).targets.remove(&GroupId::SYSTEM).unwrap_or_default();
        target.into_iter().map(|node| node.0).collect()
    }

    #[test]
    fn the_system_group_has_five_voters_where_there_are_five_nodes_and_lets_one_of_them_go() {
        assert_eq!(system_target(&nodes(5, |_| ()), &[1, 2, 3]), [1, 2, 3, 4, 5]);
        let draining = system_target(&nodes(5, |node| node.state = planner::NodeState::Draining), &[1, 2, 3, 4, 5]);
        assert!(draining.len() == 3 && !draining.contains(&2), "{draining:?}");
        let gone = system_target(&nodes(5, |node| node.up = false), &[1, 2, 3, 4, 5]);
        assert!(gone.len() == 3 && !gone.contains(&2), "{gone:?}");
        // Of three none can be spared.
        let draining = system_target(&nodes(3, |node| node.state = planner::NodeState::Draining), &[1, 2, 3]);
        assert_eq!(draining, [1, 2, 3]);
    }
}
