//! Replicas that have applied the same entry have the same records.

use std::collections::BTreeMap;

use crate::id::GroupId;
use crate::metadata::view::{KeyRange, MetadataView, StoreView};
use crate::raft::GroupKeys;
use crate::simulation::world::World;

/// Applied position and checksum of all records, by group, of all replicas that are up.
fn states(world: &World) -> BTreeMap<GroupId, Vec<(u64, Vec<u8>, u32)>> {
    let mut states: BTreeMap<GroupId, Vec<(u64, Vec<u8>, u32)>> = BTreeMap::new();
    for (id, up) in world.up() {
        let placement = up.cluster.placement();
        for group in up.cluster.groups().all() {
            // None while it installs a snapshot.
            if group.local_view().is_err() {
                continue;
            }
            let snapshot = up.cluster.engine().metadata_store().snapshot();
            let keys = match group.id() {
                GroupId::SYSTEM => GroupKeys::system(),
                owners => placement.keys_of(owners),
            };
            let ranges = keys.of_state(&snapshot).expect("reads").records;
            let view = StoreView::new(snapshot);
            let applied = view.get(&keys.applied()).expect("reads");
            let Some(applied) = applied else { continue };
            states.entry(group.id()).or_default().push((id.0, applied.to_vec(), checksum(&view, &ranges)));
        }
    }
    states
}

fn checksum(view: &StoreView, ranges: &[KeyRange]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for range in ranges {
        view.scan(range.bounds(), &mut |key, value| {
            hasher.update(key);
            hasher.update(value);
            std::ops::ControlFlow::Continue(())
        })
        .expect("scans");
    }
    hasher.finalize()
}

pub fn check_equal_at_equal_index(world: &World) {
    for (group, states) in states(world) {
        let mut known: BTreeMap<Vec<u8>, (u64, u32)> = BTreeMap::new();
        for (node, applied, checksum) in states {
            let (other, expected) = *known.entry(applied).or_insert((node, checksum));
            assert_eq!(checksum, expected, "nodes {other} and {node} have other records of group {}", group.0);
        }
    }
}

/// A group whose replicas have not all applied the same.
pub fn unequal(world: &World) -> Option<String> {
    let unequal = |states: &[(u64, Vec<u8>, u32)]| states.windows(2).any(|pair| pair[0].1 != pair[1].1);
    let (group, _) = states(world).into_iter().find(|(_, states)| unequal(states))?;
    Some(format!("the replicas of group {} have not applied the same", group.0))
}
