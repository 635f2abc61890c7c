//! Files: written, read, kept as revisions.

use http::Method;
use serde_json::json;

use super::client::Client;
use crate::node::Node;

#[tokio::test]
async fn a_file_and_its_revisions() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let first = ana.put("/A/b.txt", "", b"one").await.ok();
    assert_eq!((first["path"].as_str(), first["size"].as_u64()), (Some("/A/b.txt"), Some(3)));
    assert_eq!((first["author"].as_str(), first["device"].as_str()), (Some("ana"), Some("laptop")));
    // The same contents are never a conflict; others are.
    assert_eq!(ana.put("/a/B.TXT", "", b"one").await.ok()["rev"], first["rev"]);
    assert_eq!(ana.put("/A/b.txt", "", b"two").await.error(), (409, "exists".into()));
    let second = ana.put("/A/b.txt", "&mode=overwrite", b"two").await.ok();
    let rev = first["rev"].as_str().unwrap();
    let stale = ana.put("/A/b.txt", &format!("&mode=update&rev={rev}"), b"three").await;
    assert_eq!(stale.error(), (409, "stale_revision".into()));
    assert_eq!(stale.json()["error"]["head_rev"], second["rev"]);
    let copy = ana.put("/A/b.txt", &format!("&mode=update&rev={rev}&autorename=true"), b"three").await.ok();
    assert!(copy["name"].as_str().unwrap().starts_with("b (conflicted copy laptop 20"), "{copy}");
    let numbered = ana.put("/A/b.txt", "&autorename=true", b"four").await.ok();
    assert_eq!(numbered["name"], "b (1).txt");

    let listed = ana.call("/files/list_revisions", json!({ "path": "/A/b.txt", "limit": 1 })).await.ok();
    assert_eq!((&listed["entries"][0]["rev"], &listed["has_more"]), (&second["rev"], &json!(true)));
    let old = ana.call("/files/download", json!({ "path": "/A/b.txt", "rev": rev })).await;
    assert_eq!(&old.body[..], b"one");
    let mark = json!({ "path": "/A/b.txt", "rev": rev, "keep_forever": true, "label": "good" });
    assert_eq!(ana.call("/files/update_revision", mark).await.ok()["label"], "good");
    let restored = ana.call("/files/restore", json!({ "path": "/A/b.txt", "rev": rev })).await.ok();
    assert_eq!((&restored["content_hash"], restored["revisions"].as_u64()), (&first["content_hash"], Some(3)));
    assert_eq!(&ana.get("/A/b.txt").await.body[..], b"one");
}

#[tokio::test]
async fn a_deleted_file_has_its_revisions_still() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let first = ana.put("/A/b.txt", "", b"one").await.ok();
    let second = ana.put("/A/b.txt", "&mode=overwrite", b"two").await.ok();
    ana.call("/files/delete", json!({ "path": "/A/b.txt" })).await.ok();

    let listed = ana.call("/files/list_revisions", json!({ "path": "/a/B.txt" })).await.ok();
    assert_eq!((&listed["is_deleted"], &listed["entries"][0]["rev"]), (&json!(true), &second["rev"]));
    let old = json!({ "path": "/A/b.txt", "rev": first["rev"] });
    assert_eq!(ana.call("/files/download", old.clone()).await.body, "one");
    assert_eq!(ana.get("/A/b.txt").await.error(), (404, "not_found".into()));
    let unknown = ana.call("/files/restore", json!({ "path": "/A/b.txt", "rev": "0000000000000ff" })).await;
    assert_eq!(unknown.error(), (404, "not_found".into()));
    assert_eq!(ana.paths("/A").await, Vec::<String>::new(), "nothing came back for nothing");

    let restored = ana.call("/files/restore", old).await.ok();
    assert_eq!((&restored["id"], restored["revisions"].as_u64()), (&first["id"], Some(3)));
    assert_eq!(ana.get("/A/b.txt").await.body, "one");
    ana.call("/files/delete", json!({ "path": "/A/b.txt" })).await.ok();
    let head = ana.call("/files/restore", json!({ "path": "/A/b.txt", "rev": restored["rev"] })).await.ok();
    assert_eq!(head["rev"], restored["rev"], "as it was, it needs no new revision");
    assert_eq!(ana.call("/files/list_revisions", json!({ "path": "/A/c.txt" })).await.error().0, 404);
}

#[tokio::test]
async fn downloads_of_ranges_and_of_what_is_known() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let bytes: Vec<u8> = (0..3_000_000u32).map(|at| (at / 7) as u8).collect();
    ana.put("/Größe.bin", "", &bytes).await;
    ana.put("/empty", "", b"").await.ok();
    let get = async |query: &str, headers: &[(&str, &str)]| {
        ana.send(Method::GET, &format!("/files/download?{query}"), headers, "".into()).await
    };
    let whole = get("path=/Gr%C3%B6%C3%9Fe.bin", &[]).await;
    assert_eq!(whole.body.len(), bytes.len());
    assert_eq!(whole.header("content-disposition"), "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.bin");
    assert!(whole.header("content-security-policy").starts_with("sandbox"));
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(whole.header("onggi-entry").contains(r"/Gr\u00f6\u00dfe.bin"));
    let part = get("path=/Gr%C3%B6%C3%9Fe.bin", &[("range", "bytes=2000000-2999998")]).await;
    assert_eq!((part.status.as_u16(), part.header("content-range")), (206, "bytes 2000000-2999998/3000000"));
    assert_eq!(&part.body[..], &bytes[2_000_000..2_999_999]);
    let known = get("path=/Gr%C3%B6%C3%9Fe.bin", &[("if-none-match", whole.header("etag"))]).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let beyond = get("path=/empty", &[("range", "bytes=0-99")]).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */0"));
    assert_eq!(get("path=/nothing", &[]).await.error(), (404, "not_found".into()));
    assert_eq!(get("path=/", &[]).await.error(), (409, "not_a_file".into()));
}

#[tokio::test]
async fn two_parts_in_one_body() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let body = "--b\r\nContent-Type: application/json\r\n\r\n{\"path\":\"/x/y.txt\",\"client_modified\":\"2020-01-02T03:04:05Z\"}\r\n--b\r\nContent-Type: text/x-y\r\n\r\nbytes\r\n--b--";
    let headers = [("content-type", "multipart/related; boundary=b")];
    let sent = ana.send(Method::POST, "/files/upload?uploadType=multipart", &headers, body.into()).await.ok();
    assert_eq!((sent["mime_type"].as_str(), sent["size"].as_u64()), (Some("text/x-y"), Some(5)));
    assert_eq!(sent["client_modified"], "2020-01-02T03:04:05.000Z");
    let cut = &body[..body.len() - 6];
    let cut = ana.send(Method::POST, "/files/upload?uploadType=multipart", &headers, cut.into()).await;
    assert_eq!(cut.error(), (400, "invalid".into()));
}

#[tokio::test]
async fn names_and_claims_that_are_refused() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    for (path, rule) in [
        ("/a%3Ab", "character"),
        ("/a.", "ending"),
        ("/a//b", "empty"),
        ("/NUL.txt", "device_name"),
        ("a", "not_absolute"),
    ] {
        let refused = ana.put(path, "", b"x").await;
        assert_eq!(refused.error(), (422, "name_invalid".into()), "{path}");
        assert_eq!(refused.json()["error"]["rule"], rule);
    }
    let wrong = ana.put("/a", &format!("&content_hash={}", "0".repeat(64)), b"x").await;
    assert_eq!(wrong.error(), (400, "invalid".into()));
    assert_eq!(ana.paths("").await, Vec::<String>::new());
}
