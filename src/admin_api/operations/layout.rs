//! Layout: from the records of nodes and groups to what an operator reads.

use onggi_cluster::id::NodeId;
use onggi_cluster::metadata::record::{GroupRecord, NodeRecord, NodeState};
use onggi_cluster::placement::{CopyProgress, GroupProgress, Progress};

use crate::admin_api::message::{ClusterGroup, ClusterStatus, Copy, Moves, Node};
use crate::services::cluster_service::Layout;

pub fn nodes(layout: &Layout, progress: &Progress, is_up: impl Fn(NodeId) -> bool) -> Vec<Node> {
    layout.nodes.iter().map(|record| node(record, &layout.groups, progress, is_up(record.node))).collect()
}

pub fn status(layout: &Layout, progress: &Progress, is_up: impl Fn(NodeId) -> bool) -> ClusterStatus {
    let groups: Vec<_> = layout.groups.iter().map(|record| group(record, progress, &is_up)).collect();
    let moves = Moves {
        groups_left: progress.groups.len() as u64,
        bytes_left: progress.groups.iter().map(GroupProgress::bytes_left).sum(),
        seconds_left: progress.seconds_left,
        bytes: progress.groups.iter().map(GroupProgress::bytes).sum(),
        bytes_per_second: progress.bytes_per_second,
    };
    ClusterStatus { name: layout.name.clone(), nodes: nodes(layout, progress, is_up), groups, moves }
}

fn node(record: &NodeRecord, groups: &[GroupRecord], progress: &Progress, is_up: bool) -> Node {
    let held = groups.iter().filter(|group| group.voters.contains(&record.node)).count() as u64;
    let copies = progress.groups.iter().flat_map(|group| &group.copies);
    let to_come: Vec<_> = copies.filter(|copy| copy.node == record.node).collect();
    let to_go: Vec<_> = progress.groups.iter().filter(|group| group.leaves.contains(&record.node)).collect();
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
        groups: held,
        groups_to_come: to_come.len() as u64,
        groups_to_go: to_go.len() as u64,
        bytes_to_come: to_come.iter().map(|copy| copy.bytes_left).sum(),
        bytes_to_go: to_go.iter().map(|group| group.bytes_left()).sum(),
    }
}

fn group(record: &GroupRecord, progress: &Progress, is_up: impl Fn(NodeId) -> bool) -> ClusterGroup {
    let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect::<Vec<_>>();
    let up = record.voters.iter().filter(|node| is_up(**node)).count();
    let copies = progress.groups.iter().filter(|group| group.group == record.group).flat_map(|group| &group.copies);
    let copy = |copy: &CopyProgress| Copy { node: copy.node.0, bytes: copy.bytes, bytes_left: copy.bytes_left };
    ClusterGroup {
        id: record.group.0,
        voters: numbers(&record.voters),
        target: numbers(&record.target),
        moving: record.voters != record.target,
        up: up as u64,
        available: 2 * up > record.voters.len(),
        copies: copies.map(copy).collect(),
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

    fn progress() -> Progress {
        let copies = vec![CopyProgress { node: NodeId(2), bytes: Some(100), bytes_left: Some(30) }];
        let groups = vec![GroupProgress { group: GroupId(1), copies, leaves: vec![NodeId(3)] }];
        Progress { groups, bytes_per_second: 10, seconds_left: Some(3) }
    }

    #[test]
    fn copies_are_counted_by_where_they_are_and_shall_be() {
        let nodes = nodes(&layout(), &progress(), |_| true);
        let counts: Vec<_> =
            nodes.iter().map(|node| (node.id, node.groups, node.groups_to_come, node.groups_to_go, node.up)).collect();
        assert_eq!(counts, [(1, 2, 0, 0, true), (2, 1, 1, 0, true), (3, 2, 0, 1, true), (4, 0, 0, 0, false)]);
        let bytes: Vec<_> = nodes.iter().map(|node| (node.bytes_to_come, node.bytes_to_go)).collect();
        assert_eq!(bytes, [(Some(0), Some(0)), (Some(30), Some(0)), (Some(0), Some(30)), (Some(0), Some(0))]);
    }

    #[test]
    fn a_group_without_a_majority_is_not_available() {
        let shown = status(&layout(), &progress(), |node| node != NodeId(3));
        let groups: Vec<_> = shown.groups.iter().map(|group| (group.up, group.available, group.moving)).collect();
        assert_eq!(groups, [(2, true, false), (1, false, true)]);
        let (groups_left, bytes_left, seconds_left) = (1, Some(30), Some(3));
        assert_eq!(
            shown.moves,
            Moves { groups_left, bytes_left, seconds_left, bytes: Some(100), bytes_per_second: 10 }
        );
        assert_eq!(shown.groups[1].copies, [Copy { node: 2, bytes: Some(100), bytes_left: Some(30) }]);
        let still = Progress { seconds_left: Some(0), ..Progress::default() };
        assert_eq!(status(&layout(), &still, |_| true).moves.bytes_left, Some(0));
    }
}
