//! Share links: what a visitor sees, may do, and is kept from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use crate::node::Node;

/// Somebody with the address of a link, and perhaps a cookie.
struct Visitor<'n> {
    client: Client<'n>,
    base: String,
    cookie: String,
}

impl<'n> Visitor<'n> {
    fn of(node: &'n Node, link: &Value) -> Self {
        let url = link["url"].as_str().unwrap();
        let base = url[url.find("/s/").unwrap()..].to_owned();
        Self { client: Client { node, token: String::new() }, base, cookie: String::new() }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let mut headers = headers.to_vec();
        if !self.cookie.is_empty() {
            headers.push(("cookie", &self.cookie));
        }
        self.client.send(method, &format!("{}{path}", self.base), &headers, body).await
    }

    async fn list(&self, path: &str) -> Answer {
        self.send(Method::POST, "/list", &[], json!({ "path": path }).to_string().into()).await
    }

    async fn paths(&self, path: &str) -> Vec<String> {
        let page = self.list(path).await.ok();
        page["entries"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, &format!("/download?path={path}"), headers, Bytes::new()).await
    }

    async fn put(&self, path: &str, body: &'static str) -> Answer {
        self.send(Method::POST, &format!("/upload?path={path}"), &[], body.into()).await
    }

    async fn unlock(&self, password: &str) -> Answer {
        self.send(Method::POST, "/unlock", &[], json!({ "password": password }).to_string().into()).await
    }
}

async fn share(client: &Client<'_>, asked: Value) -> Value {
    client.call("/links/create", asked).await.ok()
}

#[tokio::test]
async fn a_link_shows_what_was_shared_and_nothing_else() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    for (path, body) in [("/shared/a.txt", "a"), ("/shared/sub/b.txt", "b"), ("/private.txt", "private")] {
        ana.put(path, "", body.as_bytes()).await.ok();
    }
    let link = share(&ana, json!({ "path": "/shared" })).await;
    let visitor = Visitor::of(&node, &link);

    assert_eq!(visitor.paths("").await, ["/a.txt", "/sub"]);
    assert_eq!(visitor.paths("/sub").await, ["/sub/b.txt"]);
    assert_eq!(visitor.get("/sub/b.txt", &[]).await.body, "b");
    let page = visitor.list("").await;
    assert!(page.json()["entries"][0].get("author").is_none() && page.header("cache-control") == "no-store");
    for path in ["/private.txt", "/../private.txt", "/shared/a.txt", "id:0000000000000001", "private.txt"] {
        let answer = visitor.get(path, &[]).await;
        assert!([400, 404, 422].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
    }
    let elsewhere = ana.call("/files/list", json!({ "path": "/", "limit": 1 })).await.ok();
    let stolen = json!({ "path": "", "cursor": elsewhere["cursor"] }).to_string();
    assert_eq!(visitor.send(Method::POST, "/list", &[], stolen.into()).await.error(), (410, "cursor_reset".into()));

    // It is the folder that is shared, wherever it goes, and not its place.
    ana.call("/files/move", json!({ "from": "/shared", "to": "/moved" })).await.ok();
    ana.put("/shared/secret.txt", "", b"secret").await.ok();
    assert_eq!(visitor.paths("").await, ["/a.txt", "/sub"]);
    let trashed = ana.call("/files/delete", json!({ "path": "/moved" })).await.ok();
    assert_eq!(visitor.list("").await.error(), (404, "not_found".into()));
    ana.call("/files/undelete", json!({ "trashed": trashed["trashed"] })).await.ok();
    assert_eq!(visitor.get("/a.txt", &[]).await.body, "a");

    let bob = Client::of(&node, "bob").await;
    assert_eq!(bob.call("/links/list", json!({})).await.ok()["links"], json!([]));
    for call in ["/links/revoke", "/links/update"] {
        assert_eq!(bob.call(call, json!({ "id": link["id"] })).await.error(), (404, "not_found".into()));
    }
    let listed = ana.call("/links/list", json!({ "path": "/moved" })).await.ok();
    assert_eq!((&listed["links"][0]["url"], &listed["links"][0]["path"]), (&link["url"], &json!("/moved")));
    assert_eq!(ana.call("/links/list", json!({ "path": "/private.txt" })).await.ok()["links"], json!([]));
    ana.call("/links/revoke", json!({ "id": link["id"] })).await.ok();
    assert_eq!(visitor.get("/a.txt", &[]).await.error(), (404, "not_found".into()));
}

#[tokio::test]
async fn each_role_may_what_it_says() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    ana.put("/f/a.txt", "", b"first").await.ok();
    let denied = (403, "denied".to_owned());

    let viewer = Visitor::of(&node, &share(&ana, json!({ "path": "/f", "role": "view" })).await);
    assert_eq!(viewer.put("/new.txt", "x").await.error(), denied);

    let editor = Visitor::of(&node, &share(&ana, json!({ "path": "/f", "role": "edit" })).await);
    assert_eq!(editor.put("/a.txt", "second").await.ok()["path"], "/a.txt");
    assert_eq!(editor.put("/deep/new.txt", "new").await.ok()["size"], 3);
    assert_eq!(editor.put("", "x").await.status, 400);
    let revisions = ana.call("/files/list_revisions", json!({ "path": "/f/a.txt" })).await.ok();
    assert_eq!(revisions["entries"][0]["device"], "share link");
    assert_eq!(revisions["entries"].as_array().unwrap().len(), 2, "the first one is still there");
    let file = Visitor::of(&node, &share(&ana, json!({ "path": "/f/a.txt", "role": "edit" })).await);
    assert_eq!(file.get("", &[]).await.body, "second");
    file.put("", "third").await.ok();
    assert_eq!(ana.get("/f/a.txt").await.body, "third");

    let dropper = Visitor::of(&node, &share(&ana, json!({ "path": "/f", "role": "drop" })).await);
    for body in ["one", "two"] {
        assert_eq!(dropper.put("/a.txt", body).await.ok(), json!({}));
    }
    assert_eq!(dropper.list("").await.ok()["entries"], json!([]));
    assert_eq!(dropper.get("/a.txt", &[]).await.error(), denied);
    let paths = ana.paths("/f").await;
    assert_eq!(paths, ["/f/a (1).txt", "/f/a (2).txt", "/f/a.txt", "/f/deep/", "/f/deep/new.txt"]);
    let refused = ana.call("/links/create", json!({ "path": "/f/a.txt", "role": "drop" })).await;
    assert_eq!(refused.error(), (400, "invalid".into()));
}

#[tokio::test]
async fn a_password_is_asked_for_and_cannot_be_guessed() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    ana.put("/a.txt", "", b"a").await.ok();
    let link = share(&ana, json!({ "path": "/a.txt", "password": "open sesame" })).await;
    let other = Visitor::of(&node, &share(&ana, json!({ "path": "/a.txt", "password": "another one" })).await);
    let mut visitor = Visitor::of(&node, &link);
    let required = (401, "password_required".to_owned());

    assert_eq!(visitor.list("").await.error(), required);
    assert_eq!(visitor.get("", &[]).await.error(), required);
    assert_eq!(visitor.unlock("open").await.error(), (403, "wrong_password".into()));
    let answer = visitor.unlock("open sesame").await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.ends_with(&format!("; Path={}; Secure; HttpOnly; SameSite=Strict; Max-Age=86400", visitor.base)));
    visitor.cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(visitor.get("", &[]).await.body, "a");
    let borrowed = other.send(Method::GET, "/download", &[("cookie", &visitor.cookie)], Bytes::new()).await;
    assert_eq!(borrowed.error(), required);

    // A new password ends what the old one opened; none at all opens.
    let change = |password: Value| ana.call("/links/update", json!({ "id": link["id"], "password": password }));
    assert_eq!(change(json!("something else")).await.ok()["has_password"], true);
    assert_eq!(visitor.get("", &[]).await.error(), required);
    assert_eq!(change(Value::Null).await.ok()["has_password"], false);
    assert_eq!(visitor.get("", &[]).await.body, "a");

    for _ in 0..10 {
        assert_eq!(other.unlock("wrong").await.error().0, 403);
    }
    assert_eq!(other.unlock("another one").await.error(), (429, "too_many_attempts".into()));
}

#[tokio::test]
async fn a_link_ends_with_its_time_its_downloads_and_its_owner() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    ana.put("/a.txt", "", b"0123456789").await.ok();
    let range = [("range", "bytes=2-3")];
    let link = share(&ana, json!({ "path": "/a.txt" })).await;
    let visitor = Visitor::of(&node, &link);
    assert_eq!(visitor.get("", &[]).await.body, "0123456789");
    assert_eq!(visitor.get("", &range).await.body, "23");
    let listed = ana.call("/links/list", json!({})).await.ok();
    assert_eq!(listed["links"][0]["downloads"], 1, "the rest of a download is none");

    let limited = Visitor::of(&node, &share(&ana, json!({ "path": "/a.txt", "max_downloads": 2 })).await);
    assert_eq!(limited.get("", &range).await.body, "0123456789", "no part is free");
    assert_eq!(limited.get("", &[]).await.status, 200);
    assert_eq!(limited.get("", &[]).await.error(), (410, "link_expired".into()));

    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ending =
        Visitor::of(&node, &share(&ana, json!({ "path": "/a.txt", "expires": (seconds + 2).to_string() })).await);
    assert_eq!(ending.get("", &[]).await.status, 200);
    let past = ana.call("/links/create", json!({ "path": "/a.txt", "expires": (seconds - 3600).to_string() })).await;
    assert_eq!(past.error(), (400, "invalid".into()));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ending.list("").await.error(), (410, "link_expired".into()));

    node.admin_ok(&["user", "disable", "ana"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(visitor.get("", &[]).await.error(), (404, "not_found".into()));
    let forged = Visitor { base: format!("{}A", &visitor.base[..visitor.base.len() - 1]), ..visitor };
    assert_eq!(forged.list("").await.error(), (404, "not_found".into()));
}
