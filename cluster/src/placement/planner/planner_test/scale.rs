//! Up to 1,000 nodes: the rules hold, and moves are compared with a lower bound where the exact flow is too large.

use super::minimum::minimum_moves;
use super::{REPLICATION, assert_rules, carried_out, held_by, node, on_node_1};
use crate::id::NodeId;
use crate::placement::planner::seats::Seats;
use crate::placement::planner::share::shares;
use crate::placement::planner::{GroupView, NodeState, NodeView, plan};

/// No plan copies fewer: seats below their share need what they lack, and seats above keep no more than their share.
fn fewest_moves(nodes: &[NodeView], groups: &[GroupView]) -> u64 {
    let seats = Seats::of(nodes);
    let (mut lacking, mut kept) = (0, 0);
    for (node, share) in seats.nodes().zip(shares(&seats, groups.len(), REPLICATION)) {
        let held = groups.iter().filter(|group| group.target.contains(&node)).count();
        lacking += share.floor.saturating_sub(held);
        kept += held.min(share.ceil);
    }
    lacking.max(groups.len() * REPLICATION - kept) as u64
}

/// A balanced cluster of this many nodes in ten zones (fewer in small ones), with weights 50, 100 and 200.
fn balanced(count: u64, groups: u32) -> (Vec<NodeView>, Vec<GroupView>) {
    let nodes: Vec<NodeView> = (1..=count)
        .map(|id| node(id, &format!("zone-{}", id % 10.min(count)), [50, 100, 200][(id / 10 % 3) as usize]))
        .collect();
    let first = on_node_1(groups);
    let planned = plan(&nodes, &first, REPLICATION);
    assert_rules(&nodes, &first, &planned);
    let groups = carried_out(&first, &planned);
    (nodes, groups)
}

/// Plans, checks, carries out; the copies above the fewest possible in percent.
fn step(nodes: &[NodeView], groups: &mut Vec<GroupView>) -> f64 {
    let planned = plan(nodes, groups, REPLICATION);
    assert_rules(nodes, groups, &planned);
    let small = nodes.len() < 20;
    let fewest = if small { minimum_moves(nodes, groups, REPLICATION) } else { fewest_moves(nodes, groups) };
    *groups = carried_out(groups, &planned);
    assert!(fewest > 0);
    (planned.moves.replicas as f64 / fewest as f64 - 1.0) * 100.0
}

#[test]
fn clusters_of_all_sizes_change_with_few_copies() {
    for (count, group_count) in [(10, 256), (30, 512), (100, 1024), (300, 2048), (1000, 4096)] {
        let (mut nodes, mut groups) = balanced(count, group_count);
        let mut above = Vec::new();
        nodes.push(node(count + 1, "zone-0", 100));
        above.push(("join", step(&nodes, &mut groups)));
        nodes[4].state = NodeState::Draining;
        above.push(("drain", step(&nodes, &mut groups)));
        nodes[7].up = false;
        above.push(("failure", step(&nodes, &mut groups)));
        nodes[2].weight = 300;
        above.push(("weight", step(&nodes, &mut groups)));
        (0..count / 10 + 1).for_each(|more| nodes.push(node(count + 2 + more, &format!("zone-{}", more % 10), 100)));
        above.push(("a tenth more", step(&nodes, &mut groups)));
        println!("{count} nodes: percent above the fewest possible: {above:?}");
        assert!(above.iter().all(|(_, above)| *above <= 5.0), "{count} nodes: {above:?}");
    }
}

#[test]
fn the_groups_of_one_node_are_spread_over_all_others() {
    let nodes: Vec<NodeView> = (1..=100).map(|id| node(id, "", 100)).collect();
    let first = on_node_1(2000);
    let planned = plan(&nodes, &first, REPLICATION);
    for id in [1, 50, 100] {
        let with = |target: &&Vec<NodeId>| target.contains(&NodeId(id));
        let others: std::collections::BTreeSet<NodeId> =
            planned.targets.values().filter(with).flatten().copied().collect();
        assert_eq!(held_by(&planned, NodeId(id)), 60);
        // 60 groups with two others each, thrown at random, would meet 70 of 99.
        assert!(others.len() > 60, "node {id} shares groups with {}", others.len());
    }
}
