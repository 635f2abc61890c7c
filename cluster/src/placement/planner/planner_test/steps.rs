//! Random clusters that change step by step; after each step every rule holds, and no more is copied than must be.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::minimum::minimum_moves;
use super::{REPLICATION, assert_rules, carried_out, node, on_host, on_node_1};
use crate::id::{HostId, NodeId};
use crate::placement::planner::seats::Seats;
use crate::placement::planner::{GroupView, NodeState, NodeView, plan};

#[derive(Clone, Debug)]
enum Change {
    Join { zone: usize, weight: u32 },
    Plug { which: usize, weight: u32 },
    Drain { which: usize },
    Gone { which: usize },
    Weigh { which: usize, weight: u32 },
    Rezone { which: usize, zone: usize },
}

fn weight() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(100), 2 => 20u32..400, 1 => 1u32..2000]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0usize..5, weight()).prop_map(|(zone, weight)| Change::Join { zone, weight }),
        2 => (any::<usize>(), weight()).prop_map(|(which, weight)| Change::Plug { which, weight }),
        2 => any::<usize>().prop_map(|which| Change::Drain { which }),
        2 => any::<usize>().prop_map(|which| Change::Gone { which }),
        1 => (any::<usize>(), weight()).prop_map(|(which, weight)| Change::Weigh { which, weight }),
        1 => (any::<usize>(), 0usize..5).prop_map(|(which, zone)| Change::Rezone { which, zone }),
    ]
}

/// The first hosts: their zones, and the weights of their drives.
fn cluster() -> impl Strategy<Value = Vec<(usize, Vec<u32>)>> {
    let drives =
        || prop_oneof![2 => proptest::collection::vec(weight(), 1), 1 => proptest::collection::vec(weight(), 1..5)];
    (1usize..6).prop_flat_map(move |zones| proptest::collection::vec((0..zones, drives()), 3..9))
}

fn begin(first: &[(usize, Vec<u32>)]) -> Vec<NodeView> {
    let mut nodes: Vec<NodeView> = Vec::new();
    for (zone, drives) in first {
        let host = nodes.len() as u64 + 1;
        for weight in drives {
            nodes.push(on_host(host, node(nodes.len() as u64 + 1, &zone.to_string(), *weight)));
        }
    }
    nodes
}

fn make(change: &Change, nodes: &mut Vec<NodeView>) {
    let active: Vec<usize> =
        (0..nodes.len()).filter(|at| nodes[*at].state == NodeState::Active && nodes[*at].up).collect();
    let chosen = |which: usize| active[which % active.len()];
    let hosts_without = |gone: usize| {
        let stay = active.iter().filter(|at| **at != gone).map(|at| nodes[*at].host);
        stay.collect::<BTreeSet<HostId>>().len()
    };
    let may_go = match change {
        Change::Drain { which } | Change::Gone { which } => hosts_without(chosen(*which)) >= REPLICATION,
        _ => false,
    };
    match change {
        Change::Plug { which, weight } => {
            let beside = nodes[chosen(*which)].clone();
            nodes.push(NodeView { node: NodeId(nodes.len() as u64 + 1), weight: *weight, ..beside });
        }
        Change::Join { zone, weight } => nodes.push(node(nodes.len() as u64 + 1, &zone.to_string(), *weight)),
        Change::Drain { which } if may_go => nodes[chosen(*which)].state = NodeState::Draining,
        Change::Gone { which } if may_go => nodes[chosen(*which)].up = false,
        Change::Weigh { which, weight } => nodes[chosen(*which)].weight = *weight,
        Change::Rezone { which, zone } => {
            let host = nodes[chosen(*which)].host;
            nodes.iter_mut().filter(|view| view.host == host).for_each(|view| view.zone = zone.to_string());
        }
        Change::Drain { .. } | Change::Gone { .. } => {}
    }
}

/// Where no zone and no host is at its limit, a share is plainly the weight's part.
fn assert_shares_follow_weights(nodes: &[NodeView], groups: &[GroupView]) {
    let seats = Seats::of(nodes);
    let weight: f64 = (0..seats.len()).map(|seat| seats.get(seat).weight).sum();
    let part = |seat: usize| (groups.len() * REPLICATION) as f64 * seats.get(seat).weight / weight;
    let zone_max = (groups.len() * seats.per_zone_max(REPLICATION)) as f64;
    let of = |is_in: &dyn Fn(usize) -> bool| (0..seats.len()).filter(|seat| is_in(*seat)).map(part).sum::<f64>();
    let within = (0..seats.zone_count()).all(|zone| of(&|seat| seats.get(seat).zone == zone) <= zone_max)
        && (0..seats.hosts().len()).all(|host| of(&|seat| seats.get(seat).host == host) <= groups.len() as f64);
    let shares = super::shares(&seats, groups.len(), REPLICATION);
    let same = (0..seats.len()).all(|seat| (shares[seat].ideal - part(seat)).abs() < 1e-5);
    assert!(same || !within, "{shares:?}");
    let total: f64 = shares.iter().map(|share| share.ideal).sum();
    assert!((total - (groups.len() * REPLICATION) as f64).abs() < 1e-3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_step_keeps_the_rules_and_copies_no_more_than_must_be(
        first in cluster(),
        changes in proptest::collection::vec(change(), 1..7),
        count in 1u32..40,
        turn: usize,
    ) {
        let mut nodes = begin(&first);
        let mut groups = on_node_1(count);
        for step in 0..=changes.len() {
            if let Some(change) = step.checked_sub(1).map(|at| &changes[at]) {
                make(change, &mut nodes);
            }
            let planned = plan(&nodes, &groups, REPLICATION);
            // A group that lost two of its three nodes is another test's.
            let whole = |group: &GroupView| {
                let up = |voter: &&NodeId| nodes.iter().any(|view| view.node == **voter && view.up);
                group.voters.iter().filter(up).count() * 2 > group.voters.len()
            };
            prop_assume!(groups.iter().all(whole));
            assert_rules(&nodes, &groups, &planned);
            assert_shares_follow_weights(&nodes, &groups);
            let minimum = minimum_moves(&nodes, &groups, REPLICATION);
            let allowed = (minimum as f64 * 1.05).ceil() as u64;
            prop_assert!(planned.moves.replicas <= allowed, "{} copies, {minimum} would do", planned.moves.replicas);

            let (mut other_nodes, mut other_groups) = (nodes.clone(), groups.clone());
            let turned = turn % nodes.len();
            other_nodes.rotate_left(turned);
            other_groups.reverse();
            prop_assert_eq!(&plan(&other_nodes, &other_groups, REPLICATION), &planned);

            groups = carried_out(&groups, &planned);
            let again = plan(&nodes, &groups, REPLICATION);
            prop_assert_eq!(again.moves.replicas, 0);
            prop_assert_eq!(&again.targets, &planned.targets);
            prop_assert_eq!(&again.leaders, &planned.leaders);
        }
    }
}
