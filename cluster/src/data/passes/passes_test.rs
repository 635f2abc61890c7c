//! A pass finds everything that the records name and that is not here, and a back-fill is complete only then.

use bytes::Bytes;
use onggi_storage_engine::format::Record;
use tokio_util::sync::CancellationToken;

use super::walk::Walk;
use crate::data::blob_layout::BlobLayout;
use crate::data::test_nodes::{CHUNK_BYTES, GROUP, OWNER, TestNode, TestNodes, body, layout_of};
use crate::id::{BlobId, BucketId, NodeId, OwnerKey, UploadId, VersionId};
use crate::metadata::key::{BucketSpace, OwnerSpace, Referent};
use crate::metadata::record::{
    Content, ETag, ObjectHeaders, ObjectRecord, PartRecord, ReferenceRecord, VersionKind, VersionRecord,
};
use crate::metadata::view::MemoryView;

const BODY_BYTES: usize = CHUNK_BYTES as usize + 1000;

fn content_of(layout: &BlobLayout) -> Content {
    Content::Blob { blob: layout.blob, chunk_bytes: layout.chunk_bytes }
}

fn version(content: Content, bytes: u64) -> VersionRecord {
    let object = ObjectRecord {
        bytes,
        etag: ETag { md5: [0; 16], parts: None },
        content,
        checksum: None,
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
    };
    VersionRecord { version: VersionId([1; 16]), is_null: false, modified_ms: 1, kind: VersionKind::Object(object) }
}

fn part(layout: &BlobLayout) -> PartRecord {
    let (content, bytes) = (content_of(layout), layout.bytes);
    PartRecord { number: 1, bytes, md5: [0; 16], modified_ms: 1, content, checksum: None }
}

fn space(owner: OwnerKey) -> BucketSpace {
    BucketSpace::new(owner, BucketId(1))
}

fn named_layout(owner: OwnerKey, number: u64) -> BlobLayout {
    BlobLayout { blob: BlobId::new(owner, 1, number), bytes: 25, chunk_bytes: 10 }
}

fn walked(view: MemoryView, owners: &[(OwnerKey, OwnerKey)]) -> (usize, Vec<BlobLayout>) {
    let mut walk = Walk::new(view, owners);
    let (mut pages, mut found) = (0, Vec::new());
    while let Some(page) = walk.next_page().expect("reads") {
        pages += 1;
        found.extend(page);
    }
    (pages, found)
}

#[test]
fn a_walk_sees_versions_and_parts_of_its_owners_and_nothing_else() {
    let mut view = MemoryView::default();
    for owner in [4, 5, 6, 7].map(OwnerKey) {
        let space = space(owner);
        let named = |number| named_layout(owner, number);
        let upload = UploadId([9; 16]);
        view.put(space.object("latest"), version(content_of(&named(1)), 25).to_bytes());
        view.put(space.version("older", VersionId([2; 16])), version(content_of(&named(2)), 25).to_bytes());
        view.put(space.part(upload, 1), part(&named(3)).to_bytes());
        view.put(space.object("small"), version(Content::Inline { blob: named(4).blob }, 5).to_bytes());
        view.put(space.object("parts"), version(Content::Parts { bucket: BucketId(1), upload }, 25).to_bytes());
        view.put(space.object("empty"), version(Content::Empty, 0).to_bytes());
        let marker = VersionRecord { kind: VersionKind::DeleteMarker, ..version(Content::Empty, 0) };
        view.put(space.version("gone", VersionId([3; 16])), marker.to_bytes());
        let reference = OwnerSpace(owner).reference(&Referent::Blob(named(1).blob));
        view.put(reference, ReferenceRecord { count: 1 }.to_bytes());
    }
    let (_, found) = walked(view, &[(OwnerKey(4), OwnerKey(5)), (OwnerKey(7), OwnerKey(7))]);
    let expected: Vec<BlobLayout> =
        [4, 5, 7].iter().flat_map(|owner| [1, 2, 3].map(|number| named_layout(OwnerKey(*owner), number))).collect();
    assert_eq!(found, expected);
}

#[test]
fn pages_leave_nothing_out() {
    for records in [1999u64, 2000, 2001, 4000, 4001] {
        let mut view = MemoryView::default();
        for number in 0..records {
            let record = version(content_of(&named_layout(OWNER, number)), 25);
            view.put(space(OWNER).object(&format!("{number:05}")), record.to_bytes());
        }
        let (pages, found) = walked(view, &[(OWNER, OWNER)]);
        assert_eq!(found, (0..records).map(|number| named_layout(OWNER, number)).collect::<Vec<_>>());
        assert!(pages as u64 <= records / 2000 + 1, "{pages} pages");
    }
}

/// The record of an object on one node, as `apply` would write it.
fn put_record(node: &TestNode, key: &str, layout: &BlobLayout) {
    let mut batch = node.engine.metadata_store().batch();
    let record = version(content_of(layout), layout.bytes);
    batch.put(&space(OWNER).object(key), &record.to_bytes());
    node.engine.metadata_store().apply(batch).expect("writes");
    node.name(layout.blob);
}

async fn pass(node: &TestNode) -> bool {
    node.data.passes().pass_of_next_group(&CancellationToken::new()).await
}

/// Three objects that nodes 1 and 2 have, and whose records node 3 has got.
async fn three_objects(nodes: &TestNodes) -> Vec<(BlobLayout, Bytes)> {
    let mut objects = Vec::new();
    nodes.set_replicas(&[1, 2], &[]);
    for seed in 1..=3 {
        let body = body(BODY_BYTES, seed);
        let layout = layout_of(&nodes.node(1).put(&body).await.expect("is stored"));
        put_record(nodes.node(3), &format!("object {seed}"), &layout);
        objects.push((layout, body));
    }
    objects
}

async fn has_all(node: &TestNode, objects: &[(BlobLayout, Bytes)]) -> bool {
    for (layout, body) in objects {
        if node.stored(layout.blob).await != *body {
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_replica_is_filled_and_says_when_it_is_complete() {
    let nodes = TestNodes::start(3, 2).await;
    let objects = three_objects(&nodes).await;
    nodes.set_replicas(&[1, 2], &[3]);
    let node = nodes.node(3);
    assert!(!node.data.passes().backfill(GROUP, 5, 10).complete, "its log is not there yet");
    assert!(!node.data.passes().backfill(GROUP, 10, 10).complete);
    nodes.network.stop(NodeId(1));
    nodes.network.stop(NodeId(2));
    assert!(pass(node).await);
    let progress = node.data.passes().backfill(GROUP, 10, 10);
    assert_eq!((progress.complete, progress.blobs_left), (false, 3), "nobody to fetch from");
    assert_eq!(progress.bytes_left, 3 * BODY_BYTES as u64);

    nodes.network.serve(NodeId(1), nodes.node(1).data.handlers(Default::default()));
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert!(pass(node).await);
    assert!(has_all(node, &objects).await);
    let progress = node.data.passes().backfill(GROUP, 10, 10);
    assert_eq!((progress.complete, progress.blobs_left, progress.bytes_left), (false, 0, 0), "to be confirmed");
    assert!(pass(node).await, "at once");
    assert!(node.data.passes().backfill(GROUP, 10, 10).complete);
    assert!(!pass(node).await, "then the interval");
    assert_eq!(node.data.replication_status().repair.passes, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_was_named_a_moment_ago_is_left_to_the_repair_queue() {
    let nodes = TestNodes::start(3, 2).await;
    let objects = three_objects(&nodes).await;
    nodes.set_replicas(&[1, 2, 3], &[]);
    let node = nodes.node(3);
    node.data.queues().changes().named(vec![objects[0].0]);
    assert!(pass(node).await);
    assert_eq!(node.stored(objects[0].0.blob).await, "", "its writer may be bringing it");
    assert!(has_all(node, &objects[1..]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_runs_after_a_start_and_after_a_snapshot_and_not_for_a_lone_replica() {
    let nodes = TestNodes::start(3, 3).await;
    let node = nodes.node(3);
    assert!(pass(node).await, "what was queued before the start is forgotten");
    assert!(!pass(node).await);
    node.data.queues().changes().replaced(GROUP);
    assert!(pass(node).await);
    nodes.set_replicas(&[3], &[]);
    node.data.queues().changes().replaced(GROUP);
    assert!(!pass(node).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_background_work_does_all_of_it() {
    let nodes = TestNodes::start(3, 2).await;
    let objects = three_objects(&nodes).await;
    let node = nodes.node(3);
    let stop = CancellationToken::new();
    let work = tokio::spawn(node.data.clone().run(stop.clone()));
    nodes.set_replicas(&[1, 2], &[3]);
    crate::data::test_nodes::eventually("it is filled", async || node.data.passes().backfill(GROUP, 1, 1).complete)
        .await;
    assert!(has_all(node, &objects).await);
    stop.cancel();
    work.await.expect("ends");
}
