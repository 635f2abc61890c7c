//! The planner against its rules, the exact minimum of moves (a flow), and clusters of up to 1,000 nodes.

mod drives;
mod minimum;
mod scale;
mod steps;

use std::collections::BTreeSet;

use super::seats::Seats;
use super::share::shares;
use super::{GroupView, NodeState, NodeView, Plan, leaders, plan};
use crate::id::{GroupId, HostId, NodeId};

const REPLICATION: usize = 3;

fn node(id: u64, zone: &str, weight: u32) -> NodeView {
    let (node, host) = (NodeId(id), HostId(id));
    NodeView { node, host, zone: zone.to_owned(), weight, state: NodeState::Active, up: true }
}

fn on_host(first: u64, view: NodeView) -> NodeView {
    NodeView { host: HostId(first), ..view }
}

/// As a cluster begins: all groups on node 1.
fn on_node_1(count: u32) -> Vec<GroupView> {
    let group = |number| GroupView {
        group: GroupId(number),
        voters: vec![NodeId(1)],
        target: vec![NodeId(1)],
        leader: Some(NodeId(1)),
        bytes: 10,
    };
    (1..=count).map(group).collect()
}

/// The groups once the plan is carried out.
fn carried_out(groups: &[GroupView], plan: &Plan) -> Vec<GroupView> {
    let carry = |group: &GroupView| {
        let target = plan.targets[&group.group].clone();
        let leader = plan.leaders.get(&group.group).copied();
        GroupView { voters: target.clone(), target, leader, ..group.clone() }
    };
    groups.iter().map(carry).collect()
}

fn held_by(plan: &Plan, node: NodeId) -> usize {
    plan.targets.values().filter(|target| target.contains(&node)).count()
}

/// Every rule that holds whenever at least three hosts are active and up.
fn assert_rules(nodes: &[NodeView], groups: &[GroupView], plan: &Plan) {
    let seats = Seats::of(nodes);
    let seat = |node: &NodeId| seats.get(seats.index_of(*node).expect("may hold replicas"));
    assert_eq!(plan.targets.len(), groups.len());
    for (group, target) in &plan.targets {
        assert!(
            target.is_sorted() && target.iter().collect::<BTreeSet<_>>().len() == REPLICATION,
            "{group:?} {target:?}"
        );
        assert!(target.iter().all(|node| seats.index_of(*node).is_some()), "{group:?} on one that may not: {target:?}");
        let hosts = target.iter().map(|node| seat(node).host).collect::<BTreeSet<_>>();
        assert_eq!(hosts.len(), REPLICATION, "two on one host: {group:?} {target:?}");
        let zones = target.iter().map(|node| seat(node).zone).collect::<BTreeSet<_>>();
        assert_eq!(zones.len(), seats.zone_count().min(REPLICATION), "{group:?} {target:?}");
        assert!(target.contains(&plan.leaders[group]));
    }
    let shares = shares(&seats, groups.len(), REPLICATION);
    for (node, share) in seats.nodes().zip(shares) {
        let held = held_by(plan, node);
        assert!(share.floor <= held && held <= share.ceil, "{node:?} holds {held}, its share is {share:?}");
        let led = plan.leaders.values().filter(|leader| **leader == node).count();
        let even = held as f64 / REPLICATION as f64;
        assert!((led as f64 - even).abs() < 1.0, "{node:?} leads {led} of {held}");
    }
}

#[test]
fn one_node_grows_to_three_and_five_and_drains_to_three() {
    let mut nodes = vec![node(1, "", 100)];
    let mut groups = on_node_1(16);
    assert_eq!(plan(&nodes, &groups, REPLICATION).moves.replicas, 0);

    nodes.push(node(2, "", 100));
    let two = plan(&nodes, &groups, REPLICATION);
    assert_eq!((two.moves.replicas, held_by(&two, NodeId(2))), (0, 0), "the second node waits for the third");

    nodes.push(node(3, "", 100));
    let three = plan(&nodes, &groups, REPLICATION);
    assert_rules(&nodes, &groups, &three);
    assert_eq!((three.moves.replicas, three.moves.bytes), (32, 320));
    groups = carried_out(&groups, &three);

    nodes.extend([node(4, "", 100), node(5, "", 100)]);
    let five = plan(&nodes, &groups, REPLICATION);
    assert_rules(&nodes, &groups, &five);
    assert!(five.moves.replicas <= 19, "two fifths of 48 replicas: {:?}", five.moves);
    groups = carried_out(&groups, &five);

    for leaving in [1, 4] {
        let at = nodes.iter().position(|view| view.node == NodeId(leaving)).expect("is there");
        nodes[at].state = NodeState::Draining;
        let less = plan(&nodes, &groups, REPLICATION);
        assert_rules(&nodes, &groups, &less);
        assert_eq!(
            less.moves.replicas,
            groups.iter().filter(|group| group.voters.contains(&NodeId(leaving))).count() as u64
        );
        groups = carried_out(&groups, &less);
    }
}

#[test]
fn a_store_of_one_node_can_move_to_another_machine() {
    let mut nodes = vec![node(1, "", 100), node(2, "", 100)];
    let groups = on_node_1(16);
    nodes[0].state = NodeState::Draining;
    let moved = plan(&nodes, &groups, REPLICATION);
    assert_eq!(held_by(&moved, NodeId(2)), 16);
}

/// Each leader sees only its own groups; if all of them ask the same question, nobody hands a group to and fro.
#[test]
fn leaders_are_spread_whoever_leads_now() {
    let nodes: Vec<NodeView> = (1..=5).map(|id| node(id, "", 100)).collect();
    let groups = carried_out(&on_node_1(16), &plan(&nodes, &on_node_1(16), REPLICATION));
    let spread = leaders(&nodes, &groups);
    for node in 1..=5 {
        let held = groups.iter().filter(|group| group.voters.contains(&NodeId(node))).count();
        let led = spread.values().filter(|leader| **leader == NodeId(node)).count();
        assert!((led as f64 - held as f64 / REPLICATION as f64).abs() < 1.0, "{node} leads {led} of {held}");
    }
    assert!(groups.iter().all(|group| group.voters.contains(&spread[&group.group])));
    let led_by_one: Vec<GroupView> =
        groups.iter().map(|group| GroupView { leader: group.voters.last().copied(), ..group.clone() }).collect();
    assert_eq!(leaders(&nodes, &led_by_one), spread);
}

#[test]
fn a_failure_never_takes_replicas_away() {
    let mut nodes: Vec<NodeView> = (1..=3).map(|id| node(id, "", 100)).collect();
    let groups = carried_out(&on_node_1(16), &plan(&nodes, &on_node_1(16), REPLICATION));
    nodes[2].up = false;
    let one_down = plan(&nodes, &groups, REPLICATION);
    assert_eq!(one_down.moves.replicas, 0);
    assert!(one_down.targets.values().all(|target| target.len() == 3), "there is nobody to repair to");
    assert!(one_down.leaders.values().all(|leader| *leader != NodeId(3)));

    // Even if somebody drains another one against the refusal.
    nodes[1].state = NodeState::Draining;
    let drained_too = plan(&nodes, &groups, REPLICATION);
    assert!(drained_too.targets.values().all(|target| target.len() == 3));

    // A new node takes the place of the one that is gone, not of the one that still works.
    nodes.push(node(4, "", 100));
    let replaced = plan(&nodes, &groups, REPLICATION);
    assert!(replaced.targets.values().all(|target| *target == [NodeId(1), NodeId(2), NodeId(4)]));
    assert_eq!(replaced.moves.replicas, 16);
}

#[test]
fn a_group_without_a_majority_is_left_as_it_is() {
    let mut nodes: Vec<NodeView> = (1..=6).map(|id| node(id, "", 100)).collect();
    let groups = carried_out(&on_node_1(16), &plan(&nodes, &on_node_1(16), REPLICATION));
    (nodes[0].up, nodes[1].up) = (false, false);
    let after = plan(&nodes, &groups, REPLICATION);
    let lost = |group: &&GroupView| group.voters.contains(&NodeId(1)) && group.voters.contains(&NodeId(2));
    let stuck: Vec<&GroupView> = groups.iter().filter(lost).collect();
    assert!(!stuck.is_empty() && stuck.len() < groups.len());
    assert!(stuck.iter().all(|group| after.targets[&group.group] == group.target));
    let repaired = groups.iter().filter(|group| !lost(group)).map(|group| &after.targets[&group.group]);
    assert!(repaired.into_iter().flatten().all(|node| ![NodeId(1), NodeId(2)].contains(node)));
}

#[test]
fn five_replicas_for_the_system_group() {
    let nodes: Vec<NodeView> = (1..=9).map(|id| node(id, ["a", "b", "c"][id as usize % 3], 100)).collect();
    let system = GroupView { group: GroupId::SYSTEM, ..on_node_1(1).remove(0) };
    for (count, replicas) in [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (9, 5)] {
        let plan = plan(&nodes[..count], std::slice::from_ref(&system), 5);
        assert_eq!(plan.targets[&GroupId::SYSTEM].len(), replicas, "of {count} nodes");
        assert!(plan.targets[&GroupId::SYSTEM].contains(&NodeId(1)), "it stays where it is");
    }
}
