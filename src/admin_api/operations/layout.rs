//! Layout: from the records of nodes and groups to what an operator reads.

use onggi_cluster::id::NodeId;
use onggi_cluster::metadata::record::{GroupRecord, NodeRecord, NodeState};

use crate::admin_api::message::{ClusterGroup, ClusterStatus, Moves, Node};
use crate::services::cluster_service::Layout;

pub fn nodes(layout: &Layout, is_up: impl Fn(NodeId) -> bool) -> Vec<Node> {
    layout.nodes.iter().map(|record| node(record, &layout.groups, is_up(record.node))).collect()
}

pub fn status(layout: &Layout, is_up: impl Fn(NodeId) -> bool) -> ClusterStatus {
    let groups: Vec<_> = layout.groups.iter().map(|record| group(record, &is_up)).collect();
    let groups_left = groups.iter().filter(|group| group.moving).count() as u64;
    let nothing_moves = groups_left == 0;
    let moves = Moves { groups_left, bytes_left: nothing_moves.then_some(0), seconds_left: nothing_moves.then_some(0) };
    ClusterStatus { name: layout.name.clone(), nodes: nodes(layout, is_up), groups, moves }
}

fn node(record: &NodeRecord, groups: &[GroupRecord], is_up: bool) -> Node {
    let count = |has: bool, shall_have: bool| {
        let of_this = |group: &&GroupRecord| {
            (group.voters.contains(&record.node), group.target.contains(&record.node)) == (has, shall_have)
        };
        groups.iter().filter(of_this).count() as u64
    };
    let state = match record.state {
        NodeState::Active => "active",
        NodeState::Draining => "draining",
        NodeState::Removed => "removed",
    };
    Node {
        id: record.node.0,
        host: record.host.0,
        state: state.to_string(),
        up: is_up && record.state != NodeState::Removed,
        zone: record.zone.clone(),
        weight: record.weight,
        release: record.release.clone(),
        peer_address: record.peer_address.clone(),
        web_address: record.web_address.clone(),
        s3_address: record.s3_address.clone(),
        drive: hex::encode(record.drive),
        joined_ms: record.joined_ms,
        groups: count(true, true) + count(true, false),
        groups_to_come: count(false, true),
        groups_to_go: count(true, false),
    }
}

fn group(record: &GroupRecord, is_up: impl Fn(NodeId) -> bool) -> ClusterGroup {
    let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect::<Vec<_>>();
    let up = record.voters.iter().filter(|node| is_up(**node)).count();
    ClusterGroup {
        id: record.group.0,
        voters: numbers(&record.voters),
        target: numbers(&record.target),
        moving: record.voters != record.target,
        up: up as u64,
        available: 2 * up > record.voters.len(),
    }
}

#[cfg(test)]
mod tests {
    use onggi_cluster::id::{GroupId, HostId};

    use super::*;

    fn layout() -> Layout {
        let record = |node: u64, state| NodeRecord {
            node: NodeId(node),
            host: HostId(node),
            drive: [node as u8; 16],
            peer_address: "p:1".to_owned(),
            web_address: "w:1".to_owned(),
            s3_address: "s:1".to_owned(),
            zone: String::new(),
            weight: 100,
            state,
            joined_ms: 1,
            release: "1".to_owned(),
        };
        let group = |group, voters: &[u64], target: &[u64]| {
            let nodes = |numbers: &[u64]| numbers.iter().copied().map(NodeId).collect();
            GroupRecord { group: GroupId(group), voters: nodes(voters), target: nodes(target), step: 1 }
        };
        Layout {
            name: "jar".to_owned(),
            nodes: vec![
                record(1, NodeState::Active),
                record(2, NodeState::Active),
                record(3, NodeState::Draining),
                record(4, NodeState::Removed),
            ],
            groups: vec![group(0, &[1, 2, 3], &[1, 2, 3]), group(1, &[1, 3], &[1, 2])],
        }
    }

    #[test]
    fn copies_are_counted_by_where_they_are_and_shall_be() {
        let nodes = nodes(&layout(), |_| true);
        let counts: Vec<_> =
            nodes.iter().map(|node| (node.id, node.groups, node.groups_to_come, node.groups_to_go, node.up)).collect();
        assert_eq!(counts, [(1, 2, 0, 0, true), (2, 1, 1, 0, true), (3, 2, 0, 1, true), (4, 0, 0, 0, false)]);
    }

    #[test]
    fn a_group_without_a_majority_is_not_available() {
        let shown = status(&layout(), |node| node != NodeId(3));
        let groups: Vec<_> = shown.groups.iter().map(|group| (group.up, group.available, group.moving)).collect();
        assert_eq!(groups, [(2, true, false), (1, false, true)]);
        assert_eq!(shown.moves, Moves { groups_left: 1, bytes_left: None, seconds_left: None });
        let still = Layout { groups: layout().groups.split_off(2), ..layout() };
        assert_eq!(status(&still, |_| true).moves.bytes_left, Some(0));
    }
}
