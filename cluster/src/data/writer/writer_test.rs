//! What is acknowledged is on a majority, whatever one replica does; what cannot be is refused at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::data::blob_layout::BlobLayout;
use crate::data::chunk_message;
use crate::data::test_nodes::{CHUNK_BYTES, GRACE, OWNER, TestNodes, body, eventually, layout_of};
use crate::error::ErrorKind;
use crate::id::{BlobId, NodeId};
use crate::metadata::command::NewContent;
use crate::metadata::record::Content;
use crate::peer::Method;

/// Six chunks, the last one shorter.
const BODY_BYTES: usize = 5 * CHUNK_BYTES as usize + 1000;

fn blob_of(content: &NewContent) -> BlobId {
    layout_of(content).blob
}

/// The replicas that have all of the body, durable and right; none of them may have wrong bytes.
async fn holders(nodes: &TestNodes, blob: BlobId, body: &Bytes) -> Vec<u64> {
    let mut holders = Vec::new();
    for node in nodes.all() {
        let stored = node.stored(blob).await;
        assert!(body.starts_with(&stored) || stored.len() < body.len(), "node {:?} has other bytes", node.id);
        if stored == *body {
            holders.push(node.id.0);
        }
    }
    holders
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_gets_every_byte_and_an_outsider_none() {
    let nodes = TestNodes::start(4, 3).await;
    for taker in [1, 4] {
        let body = body(BODY_BYTES, taker);
        let content = nodes.node(taker).put(&body).await.expect("is stored");
        assert_eq!(content.bytes, BODY_BYTES as u64);
        let blob = blob_of(&content);
        assert!(holders(&nodes, blob, &body).await.len() >= 2, "a majority when it is acknowledged");
        eventually("all three have it", async || holders(&nodes, blob, &body).await == [1, 2, 3]).await;
        assert_eq!(nodes.node(taker).data.replication_status().dropped_replicas, 0);
    }
    eventually("the receivers are done", async || {
        nodes.all().all(|node| node.data.replication_status().receiving_blobs == 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_body_asks_nobody() {
    let nodes = TestNodes::start(1, 3).await;
    let content = nodes.node(1).put(&body(1024, 1)).await.expect("travels in the command");
    assert!(matches!(content.content, Content::Inline { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_replica_here_costs_one_sync_and_no_call() {
    let nodes = TestNodes::start(2, 1).await;
    let body = body(BODY_BYTES, 1);
    let content = nodes.node(1).put(&body).await.expect("is stored");
    assert_eq!(holders(&nodes, blob_of(&content), &body).await, [1]);
    let status = nodes.node(1).engine.chunk_store().status();
    assert_eq!((status.appends, status.syncs), (6, 1));
    assert_eq!(nodes.node(2).data.replication_status().received_chunks, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_down_is_left_out() {
    let nodes = TestNodes::start(3, 3).await;
    nodes.network.stop(NodeId(3));
    let body = body(BODY_BYTES, 1);
    let content = nodes.node(1).put(&body).await.expect("is stored");
    assert_eq!(holders(&nodes, blob_of(&content), &body).await, [1, 2]);
    assert_eq!(nodes.node(1).data.replication_status().dropped_replicas, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_nothing_is_sent_at_all() {
    let nodes = TestNodes::start(3, 3).await;
    nodes.network.stop(NodeId(2));
    nodes.network.stop(NodeId(3));
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    let error = writer.push(body(2000, 1)).await.expect_err("is refused at its first bytes");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    for node in nodes.all() {
        assert_eq!(node.blobs().await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_majority_that_is_lost_on_the_way_names_nothing() {
    let nodes = TestNodes::start(3, 3).await;
    let body = body(BODY_BYTES, 1);
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    writer.push(body.slice(..3 * CHUNK_BYTES as usize)).await.expect("goes on its way");
    // Silent, not refusing: calls on their way get no answer.
    nodes.network.isolate(NodeId(1), [NodeId(2), NodeId(3)]);
    let rest = async {
        writer.push(body.slice(3 * CHUNK_BYTES as usize..)).await?;
        writer.finish().await
    };
    let error = tokio::time::timeout(Duration::from_secs(8), rest).await.expect("sooner than a call gives up");
    assert_eq!(error.expect_err("is refused").kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_replica_is_dropped_and_its_memory_with_it() {
    let nodes = TestNodes::start(3, 3).await;
    nodes.node(3).faults.write_ms.store(1500, Ordering::Relaxed);
    let body = body(BODY_BYTES, 1);
    let content = nodes.node(1).put(&body).await.expect("is stored");
    let blob = blob_of(&content);
    assert_eq!(holders(&nodes, blob, &body).await, [1, 2]);
    assert_eq!(nodes.node(1).data.replication_status().dropped_replicas, 1, "before the reply");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_straggler_gets_the_rest_in_the_background() {
    let nodes = TestNodes::start(3, 3).await;
    // Two chunks fit the window of a replica, so nobody waits for it before the end.
    let body = body(2 * CHUNK_BYTES as usize, 1);
    nodes.node(3).faults.write_ms.store(300, Ordering::Relaxed);
    let content = nodes.node(1).put(&body).await.expect("is stored");
    let blob = blob_of(&content);
    assert_eq!(holders(&nodes, blob, &body).await, [1, 2]);
    eventually("the third has it, too", async || holders(&nodes, blob, &body).await == [1, 2, 3]).await;
    assert_eq!(nodes.node(1).data.replication_status().dropped_replicas, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_sync_fails_does_not_count() {
    // Node 1 takes the bodies: its own drive is one replica among others.
    for failing in [1, 2] {
        let nodes = TestNodes::start(3, 3).await;
        nodes.node(failing).faults.syncs_fail.store(true, Ordering::Relaxed);
        let body = body(BODY_BYTES, failing);
        let content = nodes.node(1).put(&body).await.expect("is stored");
        let blob = blob_of(&content);
        let expected: Vec<u64> = [1, 2, 3].into_iter().filter(|node| *node != failing).collect();
        assert_eq!(holders(&nodes, blob, &body).await, expected);
        assert!(nodes.node(failing).engine.drive().poison().check().is_err());
        // It answers with its kind from now on, and the others go on.
        nodes.node(1).put(&body).await.expect("is stored");
        nodes.node(3).faults.syncs_fail.store(true, Ordering::Relaxed);
        let error = nodes.node(1).put(&body).await.expect_err("two of three drives failed");
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_replica_is_left_out_and_two_of_them_are_a_full_group() {
    let nodes = TestNodes::start(3, 3).await;
    nodes.node(2).faults.full.store(true, Ordering::Relaxed);
    let first = body(BODY_BYTES, 1);
    let content = nodes.node(1).put(&first).await.expect("is stored");
    assert_eq!(holders(&nodes, blob_of(&content), &first).await, [1, 3]);
    nodes.node(1).faults.full.store(true, Ordering::Relaxed);
    // An extent that is open has room for a while; a body larger than that finds none.
    let error = nodes.node(1).put(&body(40 << 20, 2)).await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::Full);
    nodes.node(1).faults.full.store(false, Ordering::Relaxed);
    nodes.node(1).put(&first).await.expect("room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_restarts_in_between_counts_only_with_all_chunks() {
    let mut nodes = TestNodes::start(3, 3).await;
    let body = body(BODY_BYTES, 1);
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    writer.push(body.slice(..4 * CHUNK_BYTES as usize)).await.expect("goes on its way");
    // What it had not synced is found again by its recovery, but it has forgotten who was writing.
    nodes.kill_and_restart(3).await;
    nodes.network.stop(NodeId(2));
    writer.push(body.slice(4 * CHUNK_BYTES as usize..)).await.map(drop).unwrap_or_default();
    match writer.finish().await {
        Ok(content) => assert_eq!(holders(&nodes, blob_of(&content), &body).await, [1, 3]),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn voters_that_change_meanwhile_need_a_majority_of_their_own() {
    let nodes = TestNodes::start(5, 3).await;
    let body = body(BODY_BYTES, 1);
    for (target, learners, stored) in
        [([2, 3, 4], [].as_slice(), true), ([3, 4, 5], &[], false), ([3, 4, 5], &[4], true)]
    {
        nodes.set_replicas(&[1, 2, 3], learners);
        let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
        writer.push(body.clone()).await.expect("goes on its way");
        nodes.set_replicas(&target, &[]);
        let finished = writer.finish().await;
        assert_eq!(finished.is_ok(), stored, "{target:?} {learners:?}");
        let Ok(content) = finished else { continue };
        let holders = holders(&nodes, blob_of(&content), &body).await;
        let synced_on = content.synced_on.expect("is a blob");
        assert!(synced_on.iter().all(|node| holders.contains(&node.0)), "{synced_on:?}: {holders:?}");
        assert!(holders.iter().filter(|node| target.contains(node)).count() >= 2, "{holders:?} of {target:?}");
    }
    nodes.set_replicas(&[1], &[]);
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    writer.push(body.clone()).await.expect("goes on its way");
    nodes.set_replicas(&[1, 2, 3], &[]);
    let content = writer.finish().await.expect("is stored");
    assert_eq!(content.synced_on, Some(vec![NodeId(1)]), "whether that is enough, the log decides");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_sent_again_is_not_written_again() {
    let mut nodes = TestNodes::start(2, 2).await;
    let (blob, bytes) = (BlobId::new(OWNER, 1_000_000, 9), body(1000, 1));
    let pieces = std::slice::from_ref(&bytes);
    let append = |nodes: &TestNodes, number: u32| {
        let checksum = chunk_message::chunk_checksum(blob.chunk(number), pieces);
        let request = chunk_message::append_request(blob.chunk(number), checksum, pieces);
        nodes.node(1).peers.call(NodeId(2), Method::CHUNK_APPEND, request, Duration::from_secs(5))
    };
    for number in [0, 1, 1, 0] {
        append(&nodes, number).await.expect("is taken");
    }
    assert_eq!(nodes.node(2).engine.chunk_store().status().appends, 2);
    nodes.kill_and_restart(2).await;
    append(&nodes, 1).await.expect("is there");
    assert_eq!(nodes.node(2).engine.chunk_store().status().appends, 0, "recovery has found it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_refused_as_long_as_a_chunk_is_missing() {
    let nodes = TestNodes::start(2, 2).await;
    let (blob, bytes) = (BlobId::new(OWNER, 1_000_000, 9), body(1000, 1));
    let layout = BlobLayout { blob, bytes: 1500, chunk_bytes: 1000 };
    let call =
        async |method, request| nodes.node(1).peers.call(NodeId(2), method, request, Duration::from_secs(5)).await;
    let append = async |number: u32, payload: &[Bytes]| {
        let checksum = chunk_message::chunk_checksum(blob.chunk(number), payload);
        let request = chunk_message::append_request(blob.chunk(number), checksum, payload);
        call(Method::CHUNK_APPEND, request).await.expect("is taken");
    };
    append(0, std::slice::from_ref(&bytes)).await;
    let refused = call(Method::CHUNK_SYNC, chunk_message::sync_request(&layout)).await;
    assert_eq!(refused.expect_err("the second is missing").kind(), ErrorKind::NotFound);
    append(1, &[bytes.slice(..499)]).await;
    let refused = call(Method::CHUNK_SYNC, chunk_message::sync_request(&layout)).await;
    assert_eq!(refused.expect_err("the second is short").kind(), ErrorKind::NotFound);
    let whole = BlobLayout { bytes: 1499, ..layout };
    call(Method::CHUNK_SYNC, chunk_message::sync_request(&whole)).await.expect("all is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_change_on_their_way_are_not_stored() {
    let nodes = TestNodes::start(2, 2).await;
    let (blob, bytes) = (BlobId::new(OWNER, 1_000_000, 9), body(1000, 1));
    let request = chunk_message::append_request(blob.chunk(0), 0xBAD, &[bytes]);
    let answer = nodes.node(1).peers.call(NodeId(2), Method::CHUNK_APPEND, request, Duration::from_secs(5)).await;
    assert_eq!(answer.expect_err("is refused").kind(), ErrorKind::Corrupt);
    assert_eq!(nodes.node(2).blobs().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_arrives_for_long_is_swept_on_no_replica() {
    let nodes = TestNodes::start(3, 3).await;
    let body = body(BODY_BYTES, 1);
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    let sweep = async |node: u64| {
        nodes.node(node).data.sweeper().pass(&mut None, &Default::default()).await.expect("passes");
    };
    for chunk in body.chunks(CHUNK_BYTES as usize) {
        writer.push(Bytes::copy_from_slice(chunk)).await.expect("goes on its way");
        nodes.pass_time(GRACE * 3 / 4);
        sweep(2).await;
    }
    let blob = blob_of(&writer.finish().await.expect("is stored"));
    nodes.pass_time(GRACE / 2);
    for node in [1, 2, 3] {
        sweep(node).await;
    }
    assert_eq!(holders(&nodes, blob, &body).await, [1, 2, 3], "its commit may be on its way");
    nodes.pass_time(GRACE);
    for node in [1, 2, 3] {
        sweep(node).await;
        assert_eq!(nodes.node(node).blobs().await, [], "it never came");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chunks_of_a_writer_that_vanished_are_swept() {
    let nodes = TestNodes::start(3, 3).await;
    let mut writer = nodes.node(1).data.client().blob_writer(OWNER);
    writer.push(body(BODY_BYTES, 1)).await.expect("goes on its way");
    drop(writer);
    eventually("chunks have arrived", async || nodes.node(2).data.replication_status().received_chunks > 0).await;
    let sweep = async || nodes.node(2).data.sweeper().pass(&mut None, &Default::default()).await.expect("passes");
    // Silent for a grace period, then protected for one more, as any slow body.
    for _ in 0..3 {
        nodes.pass_time(GRACE);
        sweep().await;
    }
    assert_eq!(nodes.node(2).blobs().await, []);
    assert_eq!(nodes.node(2).data.replication_status().receiving_blobs, 0);
}
