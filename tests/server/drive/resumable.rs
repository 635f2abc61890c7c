//! Uploads in pieces, broken off and gone on with.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::client::{Answer, Client};
use crate::http::tls_config;
use crate::node::Node;

const BYTES: usize = 20 << 20;

fn bytes() -> Vec<u8> {
    (0..BYTES).map(|at| (at * 31 + at / 4099) as u8).collect()
}

async fn status(client: &Client<'_>, session: &str) -> Answer {
    client.send(Method::PUT, session, &[("content-range", &format!("bytes */{BYTES}"))], Bytes::new()).await
}

#[tokio::test]
async fn pieces_make_a_file_once() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let bytes = bytes();
    let session = ana.begin_upload("resumable", BYTES, json!({ "path": "/big.bin" })).await;
    let none = status(&ana, &session).await;
    assert_eq!((none.status.as_u16(), none.header("range")), (308, ""));
    let first = ana.put_piece(&session, &bytes, 0, 5_000_000).await;
    assert_eq!((first.status.as_u16(), first.header("range")), (308, "bytes=0-4999999"));
    // Sent again, and overlapping: what is stored is not stored twice.
    assert_eq!(ana.put_piece(&session, &bytes, 0, 5_000_000).await.header("range"), "bytes=0-4999999");
    assert_eq!(ana.put_piece(&session, &bytes, 4_000_000, 6_000_000).await.header("range"), "bytes=0-5999999");
    let gap = ana.put_piece(&session, &bytes, 7_000_000, 8_000_000).await;
    assert_eq!(gap.error(), (409, "incorrect_offset".into()));
    assert_eq!(gap.json()["error"]["expected_offset"], 6_000_000);
    let made = ana.put_piece(&session, &bytes, 6_000_000, BYTES).await.ok();
    assert_eq!(made["size"].as_u64(), Some(BYTES as u64));
    // The answer may have been lost.
    assert_eq!(status(&ana, &session).await.ok()["rev"], made["rev"]);
    assert_eq!(ana.put_piece(&session, &bytes, 6_000_000, BYTES).await.ok()["rev"], made["rev"]);
    assert_eq!(&ana.get("/big.bin").await.body[..], &bytes[..]);
    let seen = ana.send(Method::GET, &session, &[], Bytes::new()).await.ok();
    assert_eq!((&seen["finished"], &seen["entry"]["rev"]), (&json!(true), &made["rev"]));
}

#[tokio::test]
async fn an_upload_that_is_given_up_is_gone() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let session = ana.begin_upload("resumable", BYTES, json!({ "path": "/big.bin" })).await;
    ana.put_piece(&session, &bytes(), 0, 5_000_000).await;
    assert_eq!(ana.send(Method::DELETE, &session, &[], Bytes::new()).await.status.as_u16(), 499);
    assert_eq!(status(&ana, &session).await.error(), (404, "not_found".into()));
    assert_eq!(ana.call("/files/list", json!({})).await.ok()["entries"], json!([]));
}

/// What came before a connection broke is stored, and stays stored when the server is killed.
#[tokio::test]
async fn bytes_before_a_break_count_and_survive_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let node = Node::start_in(&data_dir, &[]);
    let ana = Client::of(&node, "ana").await;
    let bytes = bytes();
    let session = ana.begin_upload("resumable", BYTES, json!({ "path": "/big.bin" })).await;
    break_off(&ana, &session, &bytes[..6_000_000]).await;
    let mut received = 0;
    for _ in 0..100 {
        let answer = status(&ana, &session).await;
        if let Some(last) = answer.header("range").strip_prefix("bytes=0-") {
            received = last.parse::<usize>().unwrap() + 1;
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!((1..=6_000_000).contains(&received), "{received} bytes are stored");
    let (token, path) = (ana.token.clone(), session.rsplit_once("/files/").unwrap().1.to_owned());
    node.kill();
    let node = Node::start_in(&data_dir, &[]);
    let ana = Client { node: &node, token };
    let session = format!("/files/{path}");
    assert_eq!(status(&ana, &session).await.header("range"), format!("bytes=0-{}", received - 1));
    ana.put_piece(&session, &bytes, received, BYTES).await.ok();
    assert_eq!(&ana.get("/big.bin").await.body[..], &bytes[..]);
}

/// Announces the whole file, sends a part of it, and goes away.
async fn break_off(client: &Client<'_>, session: &str, sent: &[u8]) {
    let host = client.node.web.strip_prefix("https://").unwrap();
    let socket = TcpStream::connect(host).await.unwrap();
    let connector = TlsConnector::from(Arc::new(tls_config(&[&client.node.authority()])));
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut socket = connector.connect(name, socket).await.unwrap();
    let path = session.strip_prefix(&client.node.web).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-length: {BYTES}\r\ncontent-range: bytes 0-{}/{BYTES}\r\n\r\n",
        client.token,
        BYTES - 1
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(sent).await.unwrap();
    socket.flush().await.unwrap();
    drop(socket);
}
