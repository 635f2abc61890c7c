//! Targets: where every group should be, from what is on record and who is there.
//! Owns: how many replicas which group has. On a thread of its own: a change of a large cluster takes seconds to plan.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::placement::planner::{GroupView, NodeState, NodeView, plan};

/// Replicas of an owner's group: two may not be lost at once.
const REPLICATION: usize = 3;
/// Voters of the system group, if there are so many nodes: it is small, and everything waits for it.
const SYSTEM_VOTERS_MAX: usize = 5;

pub async fn targets(nodes: Vec<NodeView>, groups: Vec<GroupView>) -> Result<BTreeMap<GroupId, Vec<NodeId>>> {
    let plan_all = move || {
        let (system, owners): (Vec<_>, Vec<_>) = groups.into_iter().partition(|view| view.group == GroupId::SYSTEM);
        let mut targets = plan(&nodes, &system, system_voters(&nodes)).targets;
        targets.extend(plan(&nodes, &owners, REPLICATION).targets);
        targets
    };
    onggi_storage_engine::env::spawn_blocking(plan_all)
        .await
        .map_err(|panic| Error::caused_by(ErrorKind::Internal, "plan where groups shall be", panic))
}

/// With fewer nodes than that as many as any group has, or none of five could ever leave.
fn system_voters(nodes: &[NodeView]) -> usize {
    let stays = |node: &&NodeView| node.state == NodeState::Active && node.up && node.weight > 0;
    if nodes.iter().filter(stays).count() < SYSTEM_VOTERS_MAX { REPLICATION } else { SYSTEM_VOTERS_MAX }
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
            state: NodeState::Active,
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
        let draining = system_target(&nodes(5, |node| node.state = NodeState::Draining), &[1, 2, 3, 4, 5]);
        assert!(draining.len() == 3 && !draining.contains(&2), "{draining:?}");
        let gone = system_target(&nodes(5, |node| node.up = false), &[1, 2, 3, 4, 5]);
        assert!(gone.len() == 3 && !gone.contains(&2), "{gone:?}");
        // Of three none can be spared.
        let draining = system_target(&nodes(3, |node| node.state = NodeState::Draining), &[1, 2, 3]);
        assert_eq!(draining, [1, 2, 3]);
    }
}
