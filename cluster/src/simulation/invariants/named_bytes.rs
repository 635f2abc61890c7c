//! When all is well, every replica has all bytes that its records name, whole and durable; and after the grace period nothing else.

use std::collections::BTreeMap;

use crate::data::{BlobLayout, Walk};
use crate::id::{BlobId, GroupId};
use crate::simulation::node::Up;
use crate::simulation::world::World;

/// What this node's records of a group name; `None` if they cannot be read now, or are not those that the map says.
pub fn named_in(up: &Up, group: GroupId) -> Option<BTreeMap<BlobId, BlobLayout>> {
    let view = up.cluster.groups().find(group)?.local_view().ok()?;
    let owners: Vec<_> = up.cluster.placement().map.ranges_of(group).collect();
    let mut walk = Walk::new(view, &owners);
    let mut named = BTreeMap::new();
    while let Some(page) = walk.next_page().ok()? {
        named.extend(page.into_iter().map(|layout| (layout.blob, layout)));
    }
    Some(named)
}

/// What is missing, or should not be there any more.
pub async fn unsettled(world: &World) -> Option<String> {
    for (id, up) in world.up() {
        let mut named: BTreeMap<BlobId, BlobLayout> = BTreeMap::new();
        for group in up.cluster.groups().all() {
            let Some(of_group) = named_in(&up, group.id()) else {
                return Some("a snapshot is being installed, or a group is being split".into());
            };
            named.extend(of_group);
        }
        let chunks = up.cluster.engine().chunk_store();
        for layout in named.values() {
            let stored = chunks.chunks_of(vec![layout.blob]).await.expect("looks").remove(0);
            if !layout.missing(&stored).is_empty() {
                return Some(format!("node {} lacks chunks of {layout:?}", id.0));
            }
        }
        let stored = chunks.blobs(None, usize::MAX).await.expect("looks");
        if let Some((orphan, _)) = stored.iter().find(|(blob, _)| !named.contains_key(blob)) {
            return Some(format!("nothing names {orphan:?} on node {}", id.0));
        }
    }
    None
}
