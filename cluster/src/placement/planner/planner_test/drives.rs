//! Hosts of several drives: what one host loses is one replica, and a pool of drives needs no second host.

use super::{REPLICATION, assert_rules, carried_out, held_by, node, on_host, on_node_1};
use crate::id::NodeId;
use crate::placement::planner::{GroupView, NodeState, NodeView, plan};

fn steps(nodes: &[NodeView], groups: &mut Vec<GroupView>) -> u64 {
    let planned = plan(nodes, groups, REPLICATION);
    *groups = carried_out(groups, &planned);
    let again = plan(nodes, groups, REPLICATION);
    assert_eq!(again.moves.replicas, 0, "a plan that is carried out changes nothing");
    planned.moves.replicas
}

fn counts(nodes: &[NodeView], groups: &[GroupView]) -> Vec<usize> {
    let planned = plan(nodes, groups, REPLICATION);
    nodes.iter().map(|view| held_by(&planned, view.node)).collect()
}

#[test]
fn the_drives_of_one_host_share_its_groups_by_weight() {
    let mut nodes = vec![node(1, "", 100)];
    let mut groups = on_node_1(16);
    nodes.push(on_host(1, node(2, "", 100)));
    assert_eq!((steps(&nodes, &mut groups), counts(&nodes, &groups)), (8, vec![8, 8]));
    nodes.push(on_host(1, node(3, "", 200)));
    assert_eq!((steps(&nodes, &mut groups), counts(&nodes, &groups)), (8, vec![4, 4, 8]));

    // A drain goes to the drives beside it, not to the host that waits for a third.
    nodes.push(node(4, "", 1000));
    nodes[2].state = NodeState::Draining;
    assert_eq!((steps(&nodes, &mut groups), counts(&nodes, &groups)), (8, vec![8, 8, 0, 0]));

    // A host that goes as a whole hands everything to the one that stays.
    (nodes[0].state, nodes[1].state) = (NodeState::Draining, NodeState::Draining);
    assert_eq!((steps(&nodes, &mut groups), counts(&nodes, &groups)), (16, vec![0, 0, 0, 16]));
}

#[test]
fn one_host_of_two_drives_grows_to_three_hosts() {
    let mut nodes = vec![node(1, "", 100), on_host(1, node(2, "", 100))];
    let mut groups = on_node_1(16);
    steps(&nodes, &mut groups);
    nodes.push(node(3, "", 100));
    assert_eq!(steps(&nodes, &mut groups), 0, "the second host waits for the third");
    nodes.extend([on_host(3, node(4, "", 100)), node(5, "", 100), on_host(5, node(6, "", 100))]);
    let three = plan(&nodes, &groups, REPLICATION);
    assert_rules(&nodes, &groups, &three);
    assert_eq!(three.moves.replicas, 32, "what is in place stays");
    steps(&nodes, &mut groups);

    // One drive is lost: its groups go to the drive beside it, the only place that no other replica forbids.
    nodes[5].up = false;
    let repaired = plan(&nodes, &groups, REPLICATION);
    assert_rules(&nodes, &groups, &repaired);
    assert_eq!((repaired.moves.replicas, held_by(&repaired, NodeId(5))), (8, 16));

    // The whole host is lost: there is nowhere to go, and nothing is taken away.
    nodes[4].up = false;
    let stays = plan(&nodes, &groups, REPLICATION);
    assert_eq!(stays.moves.replicas, 0);
    assert!(stays.targets.values().all(|target| target.len() == 3));

    // A drive that drains beside a drive that stays goes on being emptied, although a host is missing.
    nodes[2].state = NodeState::Draining;
    let emptied = plan(&nodes, &groups, REPLICATION);
    assert_eq!((held_by(&emptied, NodeId(3)), held_by(&emptied, NodeId(4))), (0, 16));
    assert!(emptied.targets.values().all(|target| target.len() == 3));
}

#[test]
fn a_host_of_many_drives_gets_no_second_replica() {
    let mut nodes: Vec<NodeView> = (1..=12).map(|id| on_host(1, node(id, "", 100))).collect();
    nodes.extend([node(13, "", 100), node(14, "", 100), node(15, "", 100)]);
    let groups = on_node_1(48);
    let planned = plan(&nodes, &groups, REPLICATION);
    assert_rules(&nodes, &groups, &planned);
    assert_eq!(held_by(&planned, NodeId(1)), 4, "48 replicas of 144, on twelve drives");
    assert_eq!(held_by(&planned, NodeId(13)), 32);
}
