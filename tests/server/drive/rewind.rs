//! A drive that goes back to how it was, over HTTPS, and over a restart.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::client::Client;
use crate::node::Node;

/// Times on the wire have milliseconds, and events must lie on the right side of one.
async fn moment() -> String {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    tokio::time::sleep(Duration::from_millis(20)).await;
    now.to_string()
}

async fn rewind(ana: &Client<'_>, mut asked: Value) -> Value {
    let mut sum = json!({ "restored": 0, "moved": 0, "removed": 0, "reset": 0, "lost": 0 });
    loop {
        let told = ana.call("/files/rewind", asked.clone()).await.ok();
        for (name, count) in sum.as_object_mut().unwrap() {
            *count = json!(count.as_u64().unwrap() + told[name].as_u64().unwrap());
        }
        if told["cursor"].is_null() {
            return sum;
        }
        asked["cursor"] = told["cursor"].clone();
    }
}

#[tokio::test]
async fn a_drive_goes_back_to_how_it_was_and_forth_again() {
    let directory = tempfile::tempdir().unwrap();
    let node = Node::start_in(directory.path(), &[]);
    let ana = Client::of(&node, "ana").await;
    for path in ["/A/kept.txt", "/A/changed.txt", "/A/gone.txt", "/B/moved.txt"] {
        ana.put(path, "", b"of then").await.ok();
    }
    let (then, before) = (moment().await, ana.paths("").await);
    ana.put("/A/changed.txt", "&mode=overwrite", b"of now").await.ok();
    ana.call("/files/delete", json!({ "path": "/A/gone.txt" })).await.ok();
    ana.call("/files/move", json!({ "from": "/B/moved.txt", "to": "/A/elsewhere.txt" })).await.ok();
    ana.put("/C/new.txt", "", b"of now").await.ok();
    let (later, after) = (moment().await, ana.paths("").await);

    let token = ana.token.clone();
    node.kill();
    let node = Node::start_in(directory.path(), &[]);
    let ana = Client { node: &node, token };
    let expected = json!({ "restored": 1, "moved": 1, "removed": 2, "reset": 1, "lost": 0 });
    assert_eq!(rewind(&ana, json!({ "to": then, "preview": true })).await, expected);
    assert_eq!(ana.paths("").await, after, "a preview changes nothing");
    assert_eq!(rewind(&ana, json!({ "to": then })).await, expected);
    assert_eq!(ana.paths("").await, before);
    assert_eq!(&ana.get("/A/changed.txt").await.body[..], b"of then");
    let nothing = json!({ "restored": 0, "moved": 0, "removed": 0, "reset": 0, "lost": 0 });
    assert_eq!(rewind(&ana, json!({ "to": then })).await, nothing);

    rewind(&ana, json!({ "path": "/A", "to": later })).await;
    assert_eq!(&ana.get("/A/changed.txt").await.body[..], b"of now");
    assert_eq!(&ana.get("/A/elsewhere.txt").await.body[..], b"of then");
    assert_eq!(ana.get("/C/new.txt").await.error(), (404, "not_found".into()), "it is in another folder");
    rewind(&ana, json!({ "to": later })).await;
    assert_eq!(ana.paths("").await, after);
}

#[tokio::test]
async fn what_cannot_be_rewound_is_said() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    ana.put("/a.txt", "", b"a").await.ok();
    let refused = |document: Value| async { ana.call("/files/rewind", document).await.error() };
    assert_eq!(refused(json!({ "to": "2001-01-01T00:00:00Z" })).await, (409, "too_far_back".into()));
    assert_eq!(refused(json!({ "to": "yesterday" })).await, (400, "invalid".into()));
    assert_eq!(refused(json!({})).await, (400, "invalid".into()));
    let now = moment().await;
    assert_eq!(refused(json!({ "to": now, "path": "/a.txt" })).await, (409, "not_a_folder".into()));
    assert_eq!(refused(json!({ "to": now, "path": "/nowhere", "preview": true })).await, (404, "not_found".into()));
    assert_eq!(refused(json!({ "to": now, "cursor": "x" })).await, (400, "invalid".into()));
}
