//! No group of a node fails. (openraft's leaders are told apart by term and node: one term may have several, one after the other, so
//! their number says nothing; that two of them never both acknowledge shows in equal states and in what clients see.)

use crate::simulation::world::World;

pub fn check(world: &World) {
    for (id, up) in world.up() {
        for status in up.cluster.status().groups {
            assert_eq!(status.failure, None, "group {} of node {} failed", status.group.0, id.0);
        }
    }
}
