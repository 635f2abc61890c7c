//! Uploads whose pieces come in any order and side by side.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::client::{Client, at_any_node};
use crate::node::Node;

const BLOCK: usize = 4 << 20;
const BYTES: usize = 5 * BLOCK + 7;

fn bytes() -> Vec<u8> {
    (0..BYTES).map(|at| (at * 31 + at / 4099) as u8).collect()
}

fn content_hash(bytes: &[u8]) -> String {
    let blocks: Vec<u8> = bytes.chunks(BLOCK).flat_map(Sha256::digest).collect();
    hex::encode(Sha256::digest(blocks))
}

async fn stored(client: &Client<'_>, session: &str) -> Value {
    client.send(Method::GET, session, &[], Bytes::new()).await.ok()["stored"].clone()
}

#[tokio::test]
async fn pieces_in_any_order_make_a_file_once_also_over_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let node = Node::start_in(&data_dir, &[]);
    let bytes = bytes();
    let (session, token) = {
        let ana = Client::of(&node, "ana").await;
        let session = ana
            .begin_upload("parallel", BYTES, json!({ "path": "/big.bin", "content_hash": content_hash(&bytes) }))
            .await;
        assert_eq!(stored(&ana, &session).await, json!([]));
        let (last, third) = tokio::join!(
            ana.put_piece(&session, &bytes, 5 * BLOCK, BYTES),
            ana.put_piece(&session, &bytes, 2 * BLOCK, 4 * BLOCK)
        );
        assert_eq!((last.status.as_u16(), last.header("range")), (308, ""));
        assert_eq!(third.status.as_u16(), 308);
        // After an answer that was lost.
        assert_eq!(ana.put_piece(&session, &bytes, 5 * BLOCK, BYTES).await.status.as_u16(), 308);
        (at_any_node(&session), ana.token)
    };
    node.kill();
    let node = Node::start_in(&data_dir, &[]);
    let ana = Client { node: &node, token };
    let expected = json!([
        { "first": 2 * BLOCK, "last": 4 * BLOCK - 1 },
        { "first": 5 * BLOCK, "last": BYTES - 1 },
    ]);
    assert_eq!(stored(&ana, &session).await, expected);
    assert_eq!(ana.put_piece(&session, &bytes, 4 * BLOCK, 5 * BLOCK).await.status.as_u16(), 308);
    let made = ana.put_piece(&session, &bytes, 0, 2 * BLOCK).await.ok();
    assert_eq!(made["size"].as_u64(), Some(BYTES as u64));
    let again = ana.put_piece(&session, &bytes, 0, 2 * BLOCK).await.ok();
    assert_eq!(again["rev"], made["rev"]);
    let asked = ana.send(Method::PUT, &session, &[("content-range", &format!("bytes */{BYTES}"))], Bytes::new()).await;
    assert_eq!(asked.ok()["rev"], made["rev"]);
    assert!(ana.get("/big.bin").await.body[..] == bytes[..]);
    let entry = ana.call("/files/metadata", json!({ "path": "/big.bin" })).await.ok();
    assert_eq!(entry["content_hash"], content_hash(&bytes));
    assert_eq!(stored(&ana, &session).await, json!([{ "first": 0, "last": BYTES - 1 }]));
}

#[tokio::test]
async fn pieces_that_come_last_together_make_one_file() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let bytes = bytes();
    let session = ana.begin_upload("parallel", BYTES, json!({ "path": "/big.bin" })).await;
    let cuts: Vec<usize> = (0..=5).map(|block| block * BLOCK).chain([BYTES]).collect();
    let sent = cuts.windows(2).map(|cut| ana.put_piece(&session, &bytes, cut[0], cut[1]));
    let answers = futures::future::join_all(sent).await;
    let revs: Vec<Value> = answers
        .into_iter()
        .filter(|answer| answer.status.as_u16() == 200)
        .map(|answer| answer.ok()["rev"].clone())
        .collect();
    assert!(!revs.is_empty() && revs.windows(2).all(|two| two[0] == two[1]), "{revs:?}");
    let revisions = ana.call("/files/list_revisions", json!({ "path": "/big.bin" })).await.ok();
    assert_eq!(revisions["entries"].as_array().unwrap().len(), 1);
    assert!(ana.get("/big.bin").await.body[..] == bytes[..]);
}

/// As of a command that is killed and asked for again: what it sent goes on coming in.
#[tokio::test]
async fn pieces_that_come_twice_at_once_are_none_too_many() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let bytes = bytes();
    for round in 0..10 {
        let path = format!("/{round}.bin");
        let session = ana.begin_upload("parallel", BYTES, json!({ "path": path })).await;
        let cuts: Vec<usize> = (0..=5).map(|block| block * BLOCK).chain([BYTES]).collect();
        let twice = cuts.windows(2).chain(cuts.windows(2));
        let answers = futures::future::join_all(twice.map(|cut| ana.put_piece(&session, &bytes, cut[0], cut[1]))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert!(statuses.contains(&200) && statuses.iter().all(|status| [200, 308].contains(status)), "{statuses:?}");
        assert!(ana.get(&path).await.body[..] == bytes[..]);
    }
}

#[tokio::test]
async fn what_cannot_be_put_together_is_refused_at_once() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let bytes = bytes();
    let body = Bytes::from(json!({ "path": "/big.bin" }).to_string());
    let unknown = ana.send(Method::POST, "/files/upload?uploadType=parallel", &[], body).await;
    assert_eq!(unknown.error(), (400, "invalid".into()));
    let session = ana
        .begin_upload("parallel", BYTES, json!({ "path": "/big.bin", "content_hash": content_hash(b"another") }))
        .await;
    for (first, end) in [(1, BLOCK), (BLOCK, 2 * BLOCK - 1), (0, BYTES - 1)] {
        let refused = ana.put_piece(&session, &bytes, first, end).await;
        assert_eq!(refused.error(), (400, "invalid".into()), "{first}..{end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(ana.put_piece(&session, &longer, 5 * BLOCK, BYTES + 1).await.error(), (409, "size_mismatch".into()));
    assert_eq!(stored(&ana, &session).await, json!([]));
    assert_eq!(ana.put_piece(&session, &bytes, 0, 5 * BLOCK).await.status.as_u16(), 308);
    let other = ana.put_piece(&session, &bytes, 5 * BLOCK, BYTES).await;
    assert_eq!(other.error().0, 400, "it is not what was announced");
    assert_eq!(ana.call("/files/list", json!({})).await.ok()["entries"], json!([]));
}
