//! The counters of every bucket are what its records add up to.

use crate::metadata::query::{self, ListObjects};
use crate::metadata::record::VersionKind;
use crate::simulation::world::World;

pub fn check(world: &World) {
    for owner in world.owners() {
        for (id, up) in world.up() {
            let group = up.cluster.placement().map.group_of(owner.owner);
            let Some(group) = up.cluster.groups().find(group) else { continue };
            let view = group.local_view().expect("all is well");
            let list = ListObjects { limit: usize::MAX, ..ListObjects::default() };
            let page = query::list_objects(&view, owner.owner, owner.bucket, &list).expect("lists");
            let bytes = page.objects.iter().map(|(_, version)| match &version.kind {
                VersionKind::Object(object) => object.bytes,
                VersionKind::DeleteMarker => 0,
            });
            let bytes: u64 = bytes.sum();
            let counters = query::counters(&view, owner.owner, owner.bucket).expect("reads");
            assert_eq!(counters.objects, page.objects.len() as u64, "node {}, {owner:?}", id.0);
            assert_eq!(counters.versions, page.objects.len() as u64, "node {}, {owner:?}", id.0);
            assert_eq!(counters.delete_markers, 0, "node {}, {owner:?}", id.0);
            // Uploads that nobody finished have parts, too.
            assert!(counters.bytes >= bytes, "node {}, {owner:?}: {counters:?}", id.0);
            assert!(counters.uploads > 0 || counters.bytes == bytes, "node {}, {owner:?}: {counters:?}", id.0);
        }
    }
}
