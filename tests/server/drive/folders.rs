//! Folders and the trash.

use serde_json::json;

use super::client::Client;
use crate::node::Node;

#[tokio::test]
async fn folders_move_copy_and_come_back_whole() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    for path in ["/A/1.txt", "/A/B/2.txt", "/A/B/3.txt"] {
        ana.put(path, "", path.as_bytes()).await.ok();
    }
    assert_eq!(ana.call("/files/create_folder", json!({ "path": "/a" })).await.error(), (409, "exists".into()));
    let renamed = ana.call("/files/create_folder", json!({ "path": "/a", "autorename": true })).await.ok();
    assert_eq!(renamed["path"], "/a (1)");
    let moved = ana.call("/files/move", json!({ "from": "/A/B", "to": "/a (1)/b" })).await.ok();
    assert_eq!((&moved["path"], moved["files"].as_u64()), (&json!("/a (1)/b"), Some(2)));
    // Only the case is another: the same folder under its new name.
    assert_eq!(ana.call("/files/move", json!({ "from": "/a (1)/b", "to": "/a (1)/B" })).await.ok()["name"], "B");
    assert_eq!(ana.call("/files/move", json!({ "from": "/A", "to": "/A/C" })).await.error().0, 409);
    let copied = ana.call("/files/copy", json!({ "from": "/a (1)", "to": "/copy" })).await.ok();
    assert_ne!(copied["id"], renamed["id"]);
    assert_eq!(&ana.get("/copy/B/3.txt").await.body[..], b"/A/B/3.txt");

    let trashed = ana.call("/files/delete", json!({ "path": "/a (1)" })).await.ok();
    assert_eq!(ana.paths("").await, ["/A/", "/A/1.txt", "/copy/", "/copy/B/", "/copy/B/2.txt", "/copy/B/3.txt"]);
    assert_eq!(ana.get("/a (1)/B/2.txt").await.error(), (404, "not_found".into()));
    let listed = ana.call("/files/list_trash", json!({})).await.ok();
    assert_eq!(listed["items"][0]["path"], "/a (1)");
    let back = ana.call("/files/undelete", json!({ "trashed": trashed["trashed"] })).await.ok();
    assert_eq!(back["id"], renamed["id"]);
    let found = ana.call("/files/search", json!({ "query": "2 TXT" })).await.ok();
    assert_eq!(found["entries"].as_array().unwrap().len(), 2);

    ana.call("/files/delete", json!({ "path": "/copy" })).await.ok();
    ana.call("/files/delete", json!({ "path": "/A" })).await.ok();
    ana.call("/files/purge", json!({ "all": true })).await.ok();
    assert_eq!(ana.call("/files/list_trash", json!({})).await.ok()["items"], json!([]));
    assert_eq!(ana.paths("").await, ["/a (1)/", "/a (1)/B/", "/a (1)/B/2.txt", "/a (1)/B/3.txt"]);
}

/// A program that has not seen what came into a folder does not throw it away.
#[tokio::test]
async fn a_folder_is_deleted_as_it_was_seen() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    ana.put("/A/B/1.txt", "", b"1").await.ok();
    let seen = ana.call("/files/metadata", json!({ "path": "/A" })).await.ok();
    ana.put("/A/B/2.txt", "", b"2").await.ok();
    let delete = |etag: &serde_json::Value| json!({ "path": "/A", "rev": etag });
    assert_eq!(ana.call("/files/delete", delete(&seen["etag"])).await.error(), (409, "stale_revision".into()));
    let now = ana.call("/files/metadata", json!({ "path": "/A" })).await.ok();
    ana.call("/files/delete", delete(&now["etag"])).await.ok();
    assert_eq!(ana.paths("").await, Vec::<String>::new());
}
