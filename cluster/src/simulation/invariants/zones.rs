//! In the end the replicas of every group are in as many zones as there are.

use std::collections::BTreeSet;

use crate::id::{GroupId, NodeId};
use crate::metadata::record::NodeState;
use crate::simulation::world::World;

pub fn check(world: &World) {
    let up = world.up();
    let Some((_, first)) = up.first() else { return };
    let placement = first.cluster.placement();
    let zone_of = |node: &NodeId| placement.nodes.get(node).map(|record| record.zone.clone());
    let takes_replicas = placement.nodes.values().filter(|node| node.state == NodeState::Active && node.weight > 0);
    let zones: BTreeSet<_> = takes_replicas.map(|node| Some(node.zone.clone())).collect();
    for record in placement.groups.values().filter(|record| record.group != GroupId::SYSTEM) {
        let used: BTreeSet<_> = record.voters.iter().map(zone_of).collect();
        let expected = zones.len().min(record.voters.len());
        assert!(used.len() >= expected, "group {} is in {used:?} of the zones {zones:?}", record.group.0);
    }
}
