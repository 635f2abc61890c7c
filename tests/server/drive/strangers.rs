//! Who is let in: every route of the native API × another user, nobody, a forged token.

use http::Method;
use serde_json::{Value, json};

use super::client::Client;
use crate::node::Node;

/// Every route of the native API, with a request that would do something if it were let in.
fn routes(file: &Value, session: &str, link: &Value) -> Vec<(Method, String, Value)> {
    let at = json!({ "id": file["id"] });
    let with = |name: &str, value: Value| {
        let mut document = at.clone();
        document[name] = value;
        document
    };
    let rev = file["rev"].clone();
    let post = |path: &str, document: Value| (Method::POST, path.to_owned(), document);
    vec![
        post("/files/download", at.clone()),
        (Method::GET, "/files/download?path=/secret.txt".into(), Value::Null),
        post("/files/metadata", at.clone()),
        post("/files/list_revisions", at.clone()),
        post("/files/restore", with("rev", rev.clone())),
        post("/files/update_revision", with("rev", rev)),
        post("/files/move", json!({ "from": file["id"], "to": "/mine" })),
        post("/files/copy", json!({ "from": file["id"], "to": "/mine" })),
        post("/files/delete", at.clone()),
        post("/files/mass_delete/allow", json!({ "device": "laptop" })),
        post("/files/mass_delete/undo", json!({ "device": "laptop" })),
        post("/files/rewind", with("to", json!("2099-01-01T00:00:00Z"))),
        post("/links/create", at.clone()),
        post("/links/list", at),
        post("/links/update", json!({ "id": link, "password": null })),
        post("/links/revoke", json!({ "id": link })),
        post(
            &format!("{session}/copy"),
            json!({ "id": file["id"], "rev": file["rev"], "first": 0, "bytes": 1, "at": 0 }),
        ),
        (Method::PUT, session.to_owned(), Value::Null),
        (Method::GET, session.to_owned(), Value::Null),
        (Method::DELETE, session.to_owned(), Value::Null),
    ]
}

#[tokio::test]
async fn nobody_gets_at_a_tree_that_is_not_theirs() {
    let node = Node::start(&[]);
    let (ana, bob) = (Client::of(&node, "ana").await, Client::of(&node, "bob").await);
    let file = ana.put("/secret.txt", "", b"of ana alone").await.ok();
    let begun = ana.call("/files/upload?uploadType=resumable", json!({ "path": "/more.txt" })).await;
    let session = begun.header("location").strip_prefix(&node.web).unwrap().to_owned();
    let link = ana.call("/links/create", json!({ "path": "/secret.txt" })).await.ok();
    let before = ana.paths("").await;
    for (method, path, document) in routes(&file, &session, &link["id"]) {
        let body = if document.is_null() { String::new() } else { document.to_string() };
        let told = bob.send(method.clone(), &path, &[], body.clone().into()).await;
        assert_eq!(told.status.as_u16(), 404, "{method} {path}: {:?}", told.body);
        let nobody = Client { node: &node, token: String::new() };
        let told = nobody.send(method.clone(), &path, &[], body.clone().into()).await;
        assert_eq!(told.status.as_u16(), 401, "{method} {path}");
        let forged = Client { node: &node, token: format!("{}x", ana.token) };
        assert_eq!(forged.send(method, &path, &[], body.into()).await.status.as_u16(), 401, "{path}");
    }
    assert_eq!(ana.paths("").await, before);
    assert_eq!(bob.paths("").await, Vec::<String>::new());
    assert_eq!(&ana.get("/secret.txt").await.body[..], b"of ana alone");
}
