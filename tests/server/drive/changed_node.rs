//! Uploads that go on at another node, while the one that took their beginning is gone.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tempfile::TempDir;

use super::client::{Answer, Client, at_any_node};
use crate::node::Node;
use crate::place::three_nodes;
use crate::s3_client::pattern;

const BLOCK: usize = 4 << 20;
const BYTES: usize = 3 * BLOCK + 7;
/// An election or two.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// As a client does that is told to come again: 503 while there is no leader yet, and nothing else.
async fn put_in_the_end(client: &Client<'_>, session: &str, bytes: &[u8], first: usize, end: usize) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = client.put_piece(session, bytes, first, end).await;
        if answer.status.as_u16() != 503 {
            return answer;
        }
        assert!(begun.elapsed() < WAIT_MAX, "{:?}", answer.body);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_go_on_at_another_node() {
    let directory = TempDir::new().unwrap();
    let ([place, ..], [first, second, third]) = three_nodes(&directory);
    let bytes = pattern(BYTES, 9);
    let (in_order, side_by_side, token) = {
        let ana = Client::of(&first, "ana").await;
        let in_order = at_any_node(&ana.begin_upload("resumable", BYTES, json!({ "path": "/in order.bin" })).await);
        assert_eq!(ana.put_piece(&in_order, &bytes, 0, BLOCK + 1).await.status.as_u16(), 308);
        let side_by_side =
            at_any_node(&ana.begin_upload("parallel", BYTES, json!({ "path": "/side by side.bin" })).await);
        assert_eq!(ana.put_piece(&side_by_side, &bytes, BLOCK, 2 * BLOCK).await.status.as_u16(), 308);
        (in_order, side_by_side, ana.token)
    };
    first.kill();

    let ana = Client { node: &second, token: token.clone() };
    let made = put_in_the_end(&ana, &in_order, &bytes, BLOCK + 1, BYTES).await.ok();
    assert_eq!(made["size"].as_u64(), Some(BYTES as u64));
    assert_eq!(put_in_the_end(&ana, &side_by_side, &bytes, 2 * BLOCK, BYTES).await.status.as_u16(), 308);
    let other = Client { node: &third, token: token.clone() };
    put_in_the_end(&other, &side_by_side, &bytes, 0, BLOCK).await.ok();
    for path in ["/in order.bin", "/side by side.bin"] {
        for node in [&second, &third] {
            assert!(read(node, &token, path).await == bytes, "{path}");
        }
    }
    // The node that was gone has it all when it is back.
    let first = place.start();
    assert!(read(&first, &token, "/side by side.bin").await == bytes);
}

async fn read(node: &Node, token: &str, path: &str) -> Bytes {
    let client = Client { node, token: token.to_owned() };
    client.get(path).await.body
}
