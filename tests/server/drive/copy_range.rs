//! Uploads that take bytes from a revision which is stored already.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use crate::node::Node;

const BYTES: usize = 20 << 20;

fn bytes() -> Vec<u8> {
    (0..BYTES).map(|at| (at * 31 + at / 4099) as u8).collect()
}

/// A file of `BYTES`, and an upload of its next revision of `size`.
async fn begin(ana: &Client<'_>, size: usize, more: Value) -> (Value, String) {
    let file = ana.put("/big.bin", "", &bytes()).await.ok();
    let mut document = json!({ "path": "/big.bin", "mode": "update", "rev": file["rev"] });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let headers = [("x-upload-content-length", &*size.to_string())];
    let begun =
        ana.send(Method::POST, "/files/upload?uploadType=resumable", &headers, document.to_string().into()).await;
    (file, begun.header("location").to_owned())
}

async fn copy(ana: &Client<'_>, session: &str, file: &Value, first: usize, bytes: usize, at: usize) -> Answer {
    let document = json!({ "id": file["id"], "rev": file["rev"], "first": first, "bytes": bytes, "at": at });
    ana.call(&format!("{session}/copy"), document).await
}

#[tokio::test]
async fn what_is_stored_is_not_sent_again() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let (file, session) = begin(&ana, BYTES + 4, json!({})).await;
    // Four bytes come in at 7,000,000: everything behind them moves.
    let first = copy(&ana, &session, &file, 0, 7_000_000, 0).await;
    assert_eq!((first.status.as_u16(), first.header("range")), (308, "bytes=0-6999999"));
    let range = format!("bytes 7000000-7000003/{}", BYTES + 4);
    let sent = ana.send(Method::PUT, &session, &[("content-range", &range)], Bytes::from_static(b"four")).await;
    assert_eq!(sent.header("range"), "bytes=0-7000003");
    // An answer that was lost: asked again, nothing is stored twice.
    let again = copy(&ana, &session, &file, 0, 7_000_000, 0).await;
    assert_eq!(again.header("range"), "bytes=0-7000003");
    let last = copy(&ana, &session, &file, 7_000_000, BYTES - 7_000_000, 7_000_004).await.ok();
    let expected = [&bytes()[..7_000_000], b"four", &bytes()[7_000_000..]].concat();
    assert!(ana.get("/big.bin").await.body == expected, "other bytes came out");
    // And the same answer for who did not hear it.
    let replayed = copy(&ana, &session, &file, 7_000_000, BYTES - 7_000_000, 7_000_004).await.ok();
    assert_eq!(replayed["rev"], last["rev"]);
}

#[tokio::test]
async fn only_what_is_there_can_be_copied() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let (file, session) = begin(&ana, BYTES, json!({})).await;
    let behind_the_end = copy(&ana, &session, &file, BYTES - 1, 2, 0).await;
    assert_eq!(behind_the_end.error(), (416, "range_not_satisfiable".into()));
    assert_eq!(copy(&ana, &session, &file, 0, 0, 0).await.error(), (400, "invalid".into()));
    assert_eq!(copy(&ana, &session, &file, usize::MAX, 2, 0).await.error(), (416, "range_not_satisfiable".into()));
    assert_eq!(copy(&ana, &session, &file, 0, 257 << 20, 0).await.error(), (400, "invalid".into()));
    assert_eq!(copy(&ana, &session, &file, 0, 5, 9).await.error(), (409, "incorrect_offset".into()));
    let other = json!({ "id": file["id"], "rev": "00000000000ffff" });
    assert_eq!(copy(&ana, &session, &other, 0, 1, 0).await.error(), (404, "not_found".into()));
    let bob = Client::of(&node, "bob").await;
    let (_, of_bob) = begin(&bob, BYTES, json!({})).await;
    bob.call("/files/move", json!({ "from": "/big.bin", "to": "/mine.bin" })).await.ok();
    let by_path = json!({ "path": "/secret.bin", "rev": file["rev"], "first": 0, "bytes": 1, "at": 0 });
    ana.put("/secret.bin", "", b"of ana alone").await.ok();
    assert_eq!(bob.call(&format!("{of_bob}/copy"), by_path).await.error(), (404, "not_found".into()));
    assert_eq!(ana.get("/big.bin").await.body.len(), BYTES);
}

#[tokio::test]
async fn a_file_is_what_its_upload_said_or_nothing() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let (file, session) = begin(&ana, BYTES, json!({ "content_hash": "ab".repeat(32) })).await;
    let refused = copy(&ana, &session, &file, 0, BYTES, 0).await;
    assert_eq!(refused.error(), (400, "invalid".into()));
    assert_eq!(refused.json()["error"]["reason"], "digest_mismatch");
    let metadata = ana.call("/files/metadata", json!({ "path": "/big.bin" })).await.ok();
    assert_eq!(metadata["rev"], file["rev"]);
}
