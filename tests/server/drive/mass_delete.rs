//! A program that deletes most of a drive is held, whatever door it comes through, until the owner says so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::client::Client;
use crate::node::Node;

/// Folders of 51 entries each.
const FOLDERS: usize = 27;

async fn fill(ana: &Client<'_>) {
    for number in 0..50 {
        ana.call("/files/create_folder", json!({ "path": format!("/0/{number}") })).await.ok();
    }
    for number in 1..FOLDERS {
        ana.call("/files/copy", json!({ "from": "/0", "to": format!("/{number}") })).await.ok();
    }
}

/// Folder after folder, until it is refused; how many went.
async fn delete_all(ana: &Client<'_>) -> usize {
    for number in 0..FOLDERS {
        let answer = ana.call("/files/delete", json!({ "path": format!("/{number}") })).await;
        if !answer.status.is_success() {
            assert_eq!(answer.error(), (409, "mass_delete_held".into()));
            return number;
        }
    }
    FOLDERS
}

/// Folders of the drive, at any depth.
async fn folders(ana: &Client<'_>) -> u64 {
    ana.call("/files/metadata", json!({ "path": "" })).await.ok()["folders"].as_u64().unwrap()
}

async fn held(ana: &Client<'_>) -> Value {
    ana.send(Method::GET, "/account", &[], "".into()).await.ok()["held"].clone()
}

#[tokio::test]
async fn what_deletes_most_of_a_drive_is_held_and_undone() {
    let directory = tempfile::tempdir().unwrap();
    let node = Node::start_in(directory.path(), &[]);
    let ana = Client::of(&node, "ana").await;
    fill(&ana).await;
    assert_eq!(folders(&ana).await, 1377);
    assert_eq!(held(&ana).await, json!([]));
    let headers = [("content-type", "application/json")];
    let name = json!({ "name": "sync" }).to_string();
    let made = ana.send(Method::POST, "/account/app_passwords", &headers, name.into()).await.json();
    assert_eq!(delete_all(&ana).await, 20, "more than a thousand besides the largest");
    let token = ana.token.clone();
    node.kill();
    let node = Node::start_in(directory.path(), &[]);
    let ana = Client { node: &node, token };
    let device = held(&ana).await[0].clone();
    let told = ["device", "deletes", "entries", "of_entries"].map(|name| device[name].clone());
    assert_eq!(told, [json!("laptop"), json!(21), json!(1071), json!(1377)]);
    let dropbox = ana.call("/2/files/delete_v2", json!({ "path": "/26" })).await.json();
    assert_eq!(dropbox["error_summary"], "path_write/no_write_permission/..");

    let document = json!({ "device": "laptop" });
    let basic = STANDARD.encode(format!("ana:{}", made["password"].as_str().unwrap()));
    let program = Client { node: &node, token: String::new() };
    for path in ["/files/mass_delete/allow", "/files/mass_delete/undo"] {
        let headers = [("authorization", &*format!("Basic {basic}"))];
        let told = program.send(Method::POST, path, &headers, document.to_string().into()).await;
        assert_eq!(told.error(), (403, "denied".into()), "{path}");
    }
    let undone = ana.call("/files/mass_delete/undo", document.clone()).await.ok();
    assert_eq!(undone, json!({ "entries": 1020, "has_more": false }));
    assert_eq!(folders(&ana).await, 1377);
    assert_eq!(held(&ana).await, json!([]));
    assert_eq!(ana.call("/files/mass_delete/undo", document.clone()).await.error(), (404, "not_found".into()));

    assert_eq!(delete_all(&ana).await, 20, "it is counted again");
    ana.call("/files/mass_delete/allow", document).await.ok();
    for number in 20..FOLDERS {
        ana.call("/files/delete", json!({ "path": format!("/{number}") })).await.ok();
    }
    assert_eq!(folders(&ana).await, 0);
}
