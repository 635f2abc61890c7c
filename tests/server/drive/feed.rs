//! Listings and the changes that follow them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde_json::json;

use super::client::{Client, path_of};
use crate::node::Node;

/// Pages of a listing, with changes in between, and then the changes: exactly what is there at the end.
#[tokio::test]
async fn a_listing_and_its_changes_are_the_state() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    for number in 0..20 {
        ana.put(&format!("/F{}/{number}.txt", number % 3), "", b"x").await.ok();
    }
    let mut seen = BTreeSet::new();
    let mut page = ana.call("/files/list", json!({ "recursive": true, "limit": 3 })).await.ok();
    let mut step = 0;
    loop {
        for entry in page["entries"].as_array().unwrap() {
            match entry["type"].as_str().unwrap() {
                "removed" => {
                    let gone = entry["path"].as_str().unwrap();
                    seen.retain(|path: &String| {
                        path.trim_end_matches('/') != gone && !path.starts_with(&format!("{gone}/"))
                    });
                }
                _ => drop(seen.insert(path_of(entry))),
            }
        }
        match step {
            0 => drop(ana.call("/files/move", json!({ "from": "/F0", "to": "/Moved" })).await.ok()),
            1 => drop(ana.call("/files/delete", json!({ "path": "/F1/4.txt" })).await.ok()),
            2 => drop(ana.put("/F2/new.txt", "", b"y").await.ok()),
            _ => {}
        }
        step += 1;
        // After the listing come the changes: an empty page is the end of them.
        if page["entries"] == json!([]) && page["has_more"] == false {
            break;
        }
        page = ana.call("/files/list/continue", json!({ "cursor": page["cursor"], "limit": 3 })).await.ok();
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), {
        let mut paths = ana.paths("").await;
        paths.sort();
        paths
    });
}

#[tokio::test]
async fn who_waits_is_woken() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let cursor = ana.call("/files/list/latest_cursor", json!({})).await.ok()["cursor"].clone();
    let begun = Instant::now();
    assert_eq!(ana.call("/files/wait", json!({ "cursor": cursor, "timeout": 1 })).await.ok()["changes"], false);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ana.put("/new", "", b"x").await.ok();
    };
    let begun = Instant::now();
    let (woken, ()) = tokio::join!(ana.call("/files/wait", json!({ "cursor": cursor, "timeout": 60 })), later);
    assert_eq!(woken.ok()["changes"], true);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_cursor_is_for_one_user() {
    let node = Node::start(&[]);
    let (ana, bob) = (Client::of(&node, "ana").await, Client::of(&node, "bob").await);
    let cursor = ana.call("/files/list", json!({})).await.ok()["cursor"].clone();
    for call in ["/files/list/continue", "/files/wait"] {
        assert_eq!(bob.call(call, json!({ "cursor": cursor })).await.error(), (410, "cursor_reset".into()));
        assert_eq!(ana.call(call, json!({ "cursor": "AAAA" })).await.error(), (410, "cursor_reset".into()));
    }
}

/// The stream of events outlives no proof.
#[tokio::test]
async fn who_is_disabled_is_told_nothing_more() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let cursor = ana.call("/files/list/latest_cursor", json!({})).await.ok()["cursor"].as_str().unwrap().to_owned();
    let path = format!("/files/events?cursor={cursor}");
    let events = ana.send(Method::GET, &path, &[], Bytes::new());
    let disable = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        ana.put("/seen", "", b"x").await.ok();
        tokio::time::sleep(Duration::from_millis(500)).await;
        node.admin_ok(&["user", "disable", "ana"]);
    };
    // A stream that goes on ends after a quarter of an hour.
    let ended = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(events, disable).0 }).await;
    let told = ended.expect("the stream ends").body;
    assert!(told.starts_with(b"event: change\n"), "{told:?}");
}
