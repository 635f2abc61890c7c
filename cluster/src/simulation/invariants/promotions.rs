//! Nobody gets a vote in a group before it has the group's bytes: those that were named well before the group was sent there.
//! (Of what was named later it may still lack some, which is brought within seconds.)

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::named_bytes::named_in;
use crate::data::BlobLayout;
use crate::id::{BlobId, GroupId, NodeId};
use crate::raft::GroupStatus;
use crate::simulation::node::Up;
use crate::simulation::world::World;

/// From when a blob is named until the question for a learner's bytes covers it for certain.
const WELL_BEFORE: Duration = Duration::from_secs(2);

type Blobs = BTreeMap<BlobId, BlobLayout>;

#[derive(Default)]
pub struct Promotions {
    groups: BTreeMap<GroupId, Seen>,
}

#[derive(Default)]
struct Seen {
    voters: BTreeSet<NodeId>,
    /// What each node must have that the group was sent to.
    newcomers: BTreeMap<NodeId, Blobs>,
    /// What was named at each look of the last seconds.
    named: Vec<(Instant, Blobs)>,
}

impl Promotions {
    /// As the leaders see it.
    pub async fn check(&mut self, world: &World) {
        for (id, up) in world.up() {
            for status in up.cluster.status().groups {
                if status.leader == Some(id) && status.group != GroupId::SYSTEM {
                    self.check_group(world, &up, &status).await;
                }
            }
        }
    }

    async fn check_group(&mut self, world: &World, leader: &Up, status: &GroupStatus) {
        let seen = self.groups.entry(status.group).or_default();
        let Some(named) = named_in(leader, status.group) else { return };
        let now = Instant::now();
        let well_before = seen.named.iter().rev().find(|(at, _)| now - *at >= WELL_BEFORE);
        let well_before = well_before.map(|(_, named)| named.clone()).unwrap_or_default();
        let target = leader.cluster.placement().groups.get(&status.group).map(|record| record.target.clone());
        let target = target.unwrap_or_default();
        for newcomer in target.iter().filter(|node| !status.voters.contains(node)) {
            seen.newcomers.entry(*newcomer).or_insert_with(|| well_before.clone());
        }
        for voter in status.voters.iter().filter(|voter| !seen.voters.contains(voter)) {
            let must_have = seen.newcomers.remove(voter).unwrap_or_default();
            let Some(up) = world.nodes().get(voter).and_then(|node| node.up().cloned()) else { continue };
            for layout in must_have.values().filter(|layout| named.contains_key(&layout.blob)) {
                let stored = up.cluster.engine().chunk_store().chunks_of(vec![layout.blob]).await.expect("looks");
                let missing = layout.missing(&stored[0]);
                let group = status.group.0;
                assert!(missing.is_empty(), "node {} has a vote in group {group}, but not {layout:?}", voter.0);
            }
        }
        seen.voters = status.voters.iter().copied().collect();
        seen.newcomers.retain(|node, _| target.contains(node));
        seen.named.push((now, named));
        let fresh = seen.named.iter().position(|(at, _)| now - *at < 2 * WELL_BEFORE).unwrap_or_default();
        seen.named.drain(..fresh);
    }
}
