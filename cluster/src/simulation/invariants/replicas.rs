//! A group that had its full number of replicas never has fewer; and in the end every group is where it shall be.

use std::collections::BTreeMap;

use crate::id::{GroupId, NodeId};
use crate::simulation::world::World;

/// What the director gives every group of owners.
const FULL: usize = 3;

#[derive(Default)]
pub struct Replicas {
    most: BTreeMap<GroupId, usize>,
}

impl Replicas {
    /// Of the voters that a leader sees, against what was ever on record: while one set replaces another, both count for a moment.
    pub fn check(&mut self, world: &World) {
        for (id, up) in world.up() {
            for status in up.cluster.status().groups {
                // A group that came back here has a vote of its own from before, and no member yet.
                if status.leader != Some(id) || status.voters.is_empty() {
                    continue;
                }
                let placement = up.cluster.placement();
                let on_record = placement.groups.get(&status.group).map_or(0, |record| record.voters.len());
                let most = self.most.entry(status.group).or_default();
                *most = on_record.max(*most);
                let voters = status.voters.len();
                assert!(voters >= (*most).min(FULL), "group {} has {voters} of {most} replicas left", status.group.0);
            }
        }
    }
}

/// What is not in its place yet.
pub fn unsettled(world: &World) -> Option<String> {
    let up = world.up();
    let (_, first) = up.first()?;
    let placement = first.cluster.placement();
    for (id, up) in &up {
        if *up.cluster.placement() != *placement {
            return Some(format!("node {} has another picture of the cluster", id.0));
        }
    }
    for record in placement.groups.values() {
        if record.voters != record.target {
            let statuses =
                up.iter().flat_map(|(id, up)| up.cluster.status().groups.into_iter().map(move |seen| (id.0, seen)));
            let seen: Vec<String> = statuses
                .filter(|(_, status)| status.group == record.group)
                .map(|(id, status)| format!("  node {id}: {status:?}"))
                .collect();
            return Some(format!("group {} is on its way: {record:?}\n{}", record.group.0, seen.join("\n")));
        }
        let mut leader = None;
        for (id, up) in &up {
            let status = up.cluster.status().groups.into_iter().find(|status| status.group == record.group);
            let Some(status) = status else {
                if record.voters.contains(id) {
                    return Some(format!("group {} is not open on node {}", record.group.0, id.0));
                }
                continue;
            };
            if record.group != GroupId::SYSTEM && !record.voters.contains(id) {
                return Some(format!("group {} is still on node {}", record.group.0, id.0));
            }
            let voters: &[NodeId] = &status.voters;
            if voters != record.voters
                || status.leader.is_none()
                || *leader.get_or_insert(status.leader) != status.leader
            {
                return Some(format!("group {} on node {}: {status:?}", record.group.0, id.0));
            }
        }
    }
    None
}
