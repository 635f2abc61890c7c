//! When a body is acknowledged, a majority of its group's replicas has it where no loss of power takes it away.

use onggi_storage_engine::env::simulated_disk::SimulatedDisk;

use crate::metadata::majority;
use crate::simulation::world::{Owner, World};

/// `marks`: pieces of the body that nothing else has. Bytes of nodes that are down count: they are on their disks.
pub fn check(world: &World, owner: Owner, marks: &[[u8; 16]]) {
    let has = |disk: &SimulatedDisk| marks.iter().all(|mark| disk.holds_durably(mark));
    let copies = world.nodes().values().filter(|node| has(&node.disk)).count();
    // While the members change, what the least informed node knows.
    let voters = world.up().into_iter().filter_map(|(_, up)| {
        let placement = up.cluster.placement();
        placement.groups.get(&placement.map.group_of(owner.owner)).map(|record| record.voters.len())
    });
    let needed = voters.min().map_or(1, majority);
    assert!(copies >= needed, "acknowledged with {copies} durable copies of {needed}: {owner:?}");
}
