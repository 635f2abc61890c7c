//! Right bytes come as long as one replica has them, wrong ones never, and a bad local copy does not stay bad.

use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::data::test_nodes::{CHUNK_BYTES, OWNER, TestNode, TestNodes, body, eventually, layout_of};
use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, NodeId};
use crate::metadata::command::NewContent;
use crate::metadata::record::Content;
use crate::peer::{Caller, Handlers, Method, Payload};

const BODY_BYTES: usize = 3 * CHUNK_BYTES as usize + 1000;

/// A blob that is named and on all three replicas.
async fn stored(nodes: &TestNodes) -> (NewContent, Bytes) {
    let body = body(BODY_BYTES, 1);
    let content = nodes.node(1).put(&body).await.expect("is stored");
    let blob = layout_of(&content).blob;
    for id in [1, 2, 3] {
        nodes.node(id).name(blob);
        eventually("every replica has it", async || nodes.node(id).stored(blob).await == body).await;
    }
    (content, body)
}

async fn read_all(node: &TestNode, content: &NewContent) -> Result<Bytes, ErrorKind> {
    node.read(content, 0..content.bytes).await.map_err(|error| error.kind())
}

/// The stored second chunk begins with this.
fn second_chunk(body: &Bytes) -> &[u8] {
    &body[CHUNK_BYTES as usize..][..100]
}

fn flip(node: &TestNode, body: &Bytes) {
    let piece = second_chunk(body);
    node.damage(piece, |file, at| file.write_all_at(&[!piece[7]], at + 7).expect("writes"));
}

fn truncate(node: &TestNode, body: &Bytes) {
    node.damage(second_chunk(body), |file, at| file.set_len(at + 50).expect("truncates"));
}

async fn forget(node: &TestNode, content: &NewContent) {
    node.engine.chunk_store().free(layout_of(content).blob).await.expect("frees");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_local_copy_is_read_elsewhere_and_repaired() {
    for damage in ["flipped", "truncated", "missing"] {
        let nodes = TestNodes::start(3, 3).await;
        let (content, body) = stored(&nodes).await;
        let node = nodes.node(1);
        match damage {
            "flipped" => flip(node, &body),
            "truncated" => truncate(node, &body),
            _ => forget(node, &content).await,
        }
        assert_eq!(read_all(node, &content).await.as_ref(), Ok(&body), "{damage}");
        let status = node.data.replication_status();
        assert!(status.bad_local_reads > 0 && status.remote_reads >= status.bad_local_reads, "{damage}: {status:?}");

        node.repair().await;
        assert_eq!(node.stored(layout_of(&content).blob).await, body, "{damage}");
        assert_eq!(node.engine.chunk_store().damaged(), [], "{damage}");
        // Now without the others.
        nodes.network.stop(NodeId(2));
        nodes.network.stop(NodeId(3));
        assert_eq!(read_all(node, &content).await, Ok(body), "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_range_comes_from_any_node() {
    let nodes = TestNodes::start(4, 3).await;
    let (content, body) = stored(&nodes).await;
    let chunk = u64::from(CHUNK_BYTES);
    for range in [0..1, 5..chunk, chunk - 1..chunk + 1, chunk..content.bytes, content.bytes - 1..content.bytes, 0..0] {
        for id in 1..=4 {
            let read = nodes.node(id).read(&content, range.clone()).await.expect("reads");
            assert_eq!(read, body[range.start as usize..range.end as usize], "{range:?} at node {id}");
        }
    }
    assert_eq!(nodes.node(1).data.replication_status().remote_reads, 0, "what is here is not asked for elsewhere");
    assert!(nodes.node(4).data.replication_status().remote_reads > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_give_is_an_honest_error() {
    let nodes = TestNodes::start(3, 3).await;
    let (content, body) = stored(&nodes).await;
    let node = nodes.node(1);
    flip(node, &body);
    nodes.network.stop(NodeId(2));
    nodes.network.stop(NodeId(3));
    assert_eq!(read_all(node, &content).await, Err(ErrorKind::Unavailable), "to be tried again");
    for id in [2, 3] {
        nodes.network.serve(NodeId(id), nodes.node(id).data.handlers(Handlers::new()));
    }
    assert_eq!(read_all(node, &content).await, Ok(body.clone()));

    flip(nodes.node(2), &body);
    flip(nodes.node(3), &body);
    assert_eq!(read_all(node, &content).await, Err(ErrorKind::Corrupt), "three bad copies");
    for id in [1, 2, 3] {
        forget(nodes.node(id), &content).await;
    }
    assert_eq!(read_all(node, &content).await, Err(ErrorKind::NotFound), "deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_copy_is_not_waited_for() {
    let nodes = TestNodes::start(3, 3).await;
    let (content, body) = stored(&nodes).await;
    let node = nodes.node(1);
    node.faults.read_ms.store(3000, Ordering::Relaxed);
    let read = tokio::time::timeout(Duration::from_millis(2500), node.read(&content, 0..1000)).await;
    assert_eq!(read.expect("before the local drive answers").expect("reads"), body[..1000]);
    let status = node.data.replication_status();
    assert_eq!((status.remote_reads, status.bad_local_reads, status.repair.queued), (1, 0, 0), "slow is not bad");
}

/// Everything that node answers is changed on its way.
fn lie(nodes: &TestNodes, id: u64) {
    let honest = nodes.node(id).data.handlers(Handlers::new());
    let lie = move |method: Method| {
        let honest = honest.clone();
        move |from: Caller, request: Bytes| -> BoxFuture<'static, Result<Payload>> {
            let answer = honest.handle(from, method, request);
            Box::pin(async move {
                let mut bytes = answer.await?.concat();
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                Ok(vec![bytes.into()])
            })
        }
    };
    let handlers = Handlers::new()
        .with(Method::CHUNK_READ, lie(Method::CHUNK_READ))
        .with(Method::INLINE_READ, lie(Method::INLINE_READ));
    nodes.network.serve(NodeId(id), handlers);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_changed_on_their_way_are_never_given_out() {
    let nodes = TestNodes::start(4, 3).await;
    let (content, body) = stored(&nodes).await;
    let small = inline(&nodes, &[1, 2, 3]);
    lie(&nodes, 1);
    lie(&nodes, 2);
    assert_eq!(read_all(nodes.node(4), &content).await, Ok(body));
    assert_eq!(read_all(nodes.node(4), &small).await, Ok(Bytes::from_static(b"small")));
    lie(&nodes, 3);
    assert_eq!(read_all(nodes.node(4), &content).await, Err(ErrorKind::Corrupt));
    assert_eq!(read_all(nodes.node(4), &small).await, Err(ErrorKind::Corrupt));
}

/// A small object whose command some of the nodes have applied.
fn inline(nodes: &TestNodes, applied_by: &[u64]) -> NewContent {
    let blob = BlobId::new(OWNER, 1_000_000, 77);
    for id in applied_by {
        let store = nodes.node(*id).engine.metadata_store();
        let mut batch = store.batch();
        batch.put_inline(blob, b"small");
        store.apply(batch).expect("writes");
    }
    NewContent::inline(blob, Bytes::from_static(b"small"))
}

#[tokio::test(flavor = "multi_thread")]
async fn small_objects_come_from_whoever_has_applied_them() {
    let nodes = TestNodes::start(4, 3).await;
    let content = inline(&nodes, &[3]);
    for id in 1..=4 {
        assert_eq!(read_all(nodes.node(id), &content).await, Ok(Bytes::from_static(b"small")), "node {id}");
    }
    let gone = NewContent { content: Content::Inline { blob: BlobId::new(OWNER, 1, 1) }, ..content };
    assert_eq!(read_all(nodes.node(4), &gone).await, Err(ErrorKind::NotFound));
}
