//! A replica ends with every chunk that its records name, however it came to lack them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::data::blob_layout::BlobLayout;
use crate::data::test_nodes::{CHUNK_BYTES, OWNER, TestNodes, body, eventually, layout_of};
use crate::id::NodeId;

const BODY_BYTES: usize = 3 * CHUNK_BYTES as usize + 1000;
/// From a name to the look.
const DELAY: Duration = Duration::from_secs(2);

/// A blob that node 3 got nothing of.
async fn stored_on_two(nodes: &TestNodes) -> (BlobLayout, Bytes) {
    let body = body(BODY_BYTES, 1);
    nodes.network.isolate(NodeId(3), [NodeId(1), NodeId(2)]);
    let content = nodes.node(1).put(&body).await.expect("is stored");
    nodes.network.heal_all();
    (layout_of(&content), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_blob_is_fetched_after_a_while() {
    let nodes = TestNodes::start(3, 3).await;
    let (layout, body) = stored_on_two(&nodes).await;
    let node = nodes.node(3);
    node.name(layout.blob);
    node.data.queues().repairs.add_named([layout]);
    node.repair().await;
    assert_eq!(node.stored(layout.blob).await, "", "its writer may still be bringing it");
    nodes.pass_time(DELAY);
    node.repair().await;
    assert_eq!(node.stored(layout.blob).await, body);
    let status = node.data.replication_status().repair;
    assert_eq!((status.repaired_chunks, status.repaired_bytes, status.queued), (4, BODY_BYTES as u64, 0));
    // A second look finds nothing to do.
    node.data.queues().repairs.add_missing(layout);
    node.repair().await;
    assert_eq!(node.data.replication_status().repair, status);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_its_name_meanwhile_and_what_belongs_elsewhere_is_not_fetched() {
    let nodes = TestNodes::start(4, 3).await;
    let (layout, _) = stored_on_two(&nodes).await;
    nodes.node(4).name(layout.blob);
    for id in [3, 4] {
        nodes.node(id).data.queues().repairs.add_missing(layout);
        nodes.node(id).repair().await;
        assert_eq!(nodes.node(id).blobs().await, []);
        assert_eq!(nodes.node(id).data.replication_status().repair.queued, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_a_writer_that_vanished_before_the_sync_are_not_fetched_again() {
    let nodes = TestNodes::start(3, 3).await;
    let body = body(2 * CHUNK_BYTES as usize, 1);
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    writer.push(body.clone()).await.expect("goes on its way");
    eventually("the chunks are here", async || nodes.node(3).data.replication_status().received_chunks == 2).await;
    // The others get their sync; the writer's call to this one is lost.
    nodes.network.cut(NodeId(1), NodeId(3));
    let content = writer.finish().await.expect("is stored");
    let node = nodes.node(3);
    node.name(layout_of(&content).blob);
    node.data.queues().repairs.add_missing(layout_of(&content));
    node.repair().await;
    assert_eq!(node.stored(layout_of(&content).blob).await, body);
    assert_eq!(node.data.replication_status().repair.repaired_bytes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_left_the_group_is_asked_last() {
    let nodes = TestNodes::start(4, 3).await;
    let (layout, body) = stored_on_two(&nodes).await;
    nodes.set_replicas(&[3, 4], &[]);
    let node = nodes.node(4);
    node.name(layout.blob);
    node.data.queues().repairs.add_missing(layout);
    node.repair().await;
    assert_eq!(node.stored(layout.blob).await, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drive_without_room_or_sources_that_are_down_are_tried_again() {
    let nodes = TestNodes::start(3, 3).await;
    let (layout, body) = stored_on_two(&nodes).await;
    let node = nodes.node(3);
    node.name(layout.blob);
    node.data.queues().repairs.add_missing(layout);
    node.faults.full.store(true, Ordering::Relaxed);
    node.repair().await;
    node.faults.full.store(false, Ordering::Relaxed);
    nodes.network.stop(NodeId(1));
    nodes.network.stop(NodeId(2));
    nodes.pass_time(DELAY);
    node.repair().await;
    assert_eq!(node.data.replication_status().repair.queued, 1);
    assert_eq!(node.data.replication_status().repair.unrepairable, 0, "somebody may have it");
    nodes.network.serve(NodeId(2), nodes.node(2).data.handlers(crate::peer::Handlers::new()));
    nodes.pass_time(DELAY);
    node.repair().await;
    assert_eq!(node.stored(layout.blob).await, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_node_has_is_counted_for_a_human() {
    let nodes = TestNodes::start(3, 3).await;
    let (layout, _) = stored_on_two(&nodes).await;
    for id in 1..=9 {
        // The map knows of nodes that this test does not start: they have nothing either.
        if id > 3 {
            nodes.network.serve(NodeId(id), nodes.node(3).data.handlers(crate::peer::Handlers::new()));
        }
    }
    nodes.node(1).engine.chunk_store().free(layout.blob).await.expect("frees");
    nodes.node(2).engine.chunk_store().free(layout.blob).await.expect("frees");
    let node = nodes.node(3);
    node.name(layout.blob);
    node.data.queues().repairs.add_missing(layout);
    node.repair().await;
    assert_eq!(node.data.replication_status().repair.unrepairable, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scrub_finds_is_repaired() {
    let nodes = TestNodes::start(3, 3).await;
    let (layout, body) = stored_on_two(&nodes).await;
    let node = nodes.node(2);
    node.name(layout.blob);
    let piece = &body[..100];
    node.damage(piece, |file, at| {
        std::os::unix::fs::FileExt::write_all_at(file, &[!piece[0]], at).expect("writes");
    });
    assert!(node.engine.chunk_store().read(layout.blob.chunk(0), 0..10).await.is_err(), "found");
    node.data.repairer().add_damaged();
    node.repair().await;
    assert_eq!(node.stored(layout.blob).await, body);
    assert_eq!(node.engine.chunk_store().damaged(), []);
}
