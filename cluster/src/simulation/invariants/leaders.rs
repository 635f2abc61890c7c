//! In a term of a group at most one node leads.

use std::collections::BTreeMap;

use crate::id::{GroupId, NodeId};
use crate::simulation::world::World;

#[derive(Default)]
pub struct Leaders {
    seen: BTreeMap<(GroupId, u64), NodeId>,
}

impl Leaders {
    pub fn check(&mut self, world: &World) {
        for (id, up) in world.up() {
            for status in up.cluster.status().groups {
                assert_eq!(status.failure, None, "group {} of node {} failed", status.group.0, id.0);
                if status.leader == Some(id) {
                    let leader = *self.seen.entry((status.group, status.term)).or_insert(id);
                    assert_eq!(leader, id, "two nodes lead group {} in term {}", status.group.0, status.term);
                }
            }
        }
    }
}
