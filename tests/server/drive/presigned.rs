//! `uploadType=presigned`: the parts of a file go to S3 without a proof but the address.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use crate::node::Node;

const MIB: usize = 1 << 20;
const UPLOAD: &str = "/files/upload?uploadType=presigned";

async fn put(node: &Node, url: &str, body: &[u8]) -> Answer {
    // Nobody: the address is all there is.
    let client = Client { node, token: String::new() };
    client.send(Method::PUT, url, &[], Bytes::copy_from_slice(body)).await
}

fn url(upload: &Value, number: u64) -> String {
    let missing = upload["missing"].as_array().unwrap();
    let part = missing.iter().find(|part| part["number"] == number).unwrap_or_else(|| panic!("{number}: {upload}"));
    part["url"].as_str().unwrap().to_owned()
}

fn numbers(parts: &Value) -> Vec<u64> {
    parts.as_array().unwrap().iter().map(|part| part["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn parts_go_to_s3_and_become_a_file() {
    let node = Node::start(&[]);
    let (ana, bob) = (Client::of(&node, "ana").await, Client::of(&node, "bob").await);
    ana.put("/made/file%20%231.bin", "", b"an older revision").await.ok();
    let body: Vec<u8> = (0..11 * MIB).map(|at| (at / 1000) as u8).collect();
    let asked = json!({ "path": "/made/file #1.bin", "size": body.len(), "part_size": 5 * MIB, "mode": "overwrite" });
    let begun = ana.call(UPLOAD, asked).await.ok();
    assert_eq!((numbers(&begun["missing"]), numbers(&begun["stored"])), (vec![1, 2, 3], vec![]));
    let path = format!("/files/upload/presigned/{}", begun["upload"].as_str().unwrap());
    let parts = format!("{path}/parts");
    let complete = format!("{path}/complete");

    for (number, part) in [(3, &body[10 * MIB..]), (2, &body[5 * MIB..10 * MIB]), (1, &body[..MIB])] {
        let stored = put(&node, &url(&begun, number), part).await;
        assert_eq!(stored.status, 200, "{:?}", stored.body);
    }
    let other_part = url(&begun, 1).replace("partNumber=1", "partNumber=2");
    assert_eq!(put(&node, &other_part, b"x").await.status, 403, "an address is for one part");

    // The first part was not sent whole, so it is missing.
    let asked = ana.send(Method::GET, &parts, &[], Bytes::new()).await.ok();
    assert_eq!((numbers(&asked["missing"]), numbers(&asked["stored"])), (vec![1], vec![2, 3]));
    let early = ana.call(&complete, json!({})).await;
    assert!(early.status.is_client_error(), "{:?}", early.body);
    for (method, path) in [(Method::GET, &parts), (Method::POST, &complete), (Method::DELETE, &path)] {
        let told = bob.send(method.clone(), path, &[], Bytes::new()).await;
        assert_eq!(told.error(), (404, "not_found".into()), "{method} {path}");
    }
    assert_eq!(put(&node, &url(&asked, 1), &body[..5 * MIB]).await.status, 200);

    let file = ana.call(&complete, json!({})).await.ok();
    assert_eq!(
        (&file["path"], &file["size"], &file["revisions"]),
        (&json!("/made/file #1.bin"), &json!(body.len()), &json!(2))
    );
    assert_eq!(ana.get("/made/file #1.bin").await.body, body);
    assert_eq!(ana.call(&complete, json!({})).await.ok()["rev"], file["rev"], "a replay");
    assert_eq!(ana.send(Method::GET, &parts, &[], Bytes::new()).await.status, 404);
}

#[tokio::test]
async fn what_is_given_up_takes_no_part_and_what_does_not_fit_is_not_begun() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    ana.put("/a.txt", "", b"a").await.ok();
    let begin = |more: Value| {
        let mut asked = json!({ "path": "/a.txt", "size": 10 });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ana.call(UPLOAD, asked)
    };

    // What is there already is seen at the end, as in any other upload.
    let add = begin(json!({})).await.ok();
    assert_eq!(put(&node, &url(&add, 1), b"0123456789").await.status, 200);
    let path =
        |upload: &Value, more: &str| format!("/files/upload/presigned/{}{more}", upload["upload"].as_str().unwrap());
    assert_eq!(ana.call(&path(&add, "/complete"), json!({})).await.error(), (409, "exists".into()));
    assert_eq!(ana.send(Method::DELETE, &path(&add, ""), &[], Bytes::new()).await.status, 204);
    assert_eq!(put(&node, &url(&add, 1), b"0123456789").await.status, 404);

    let renamed = begin(json!({ "autorename": true })).await.ok();
    assert_eq!(put(&node, &url(&renamed, 1), b"0123456789").await.status, 200);
    assert_eq!(ana.call(&path(&renamed, "/complete"), json!({})).await.ok()["path"], "/a (1).txt");
    let empty = begin(json!({ "path": "/empty", "size": 0 })).await.ok();
    assert_eq!(put(&node, &url(&empty, 1), b"").await.status, 200);
    assert_eq!(ana.call(&path(&empty, "/complete"), json!({})).await.ok()["size"], 0);

    for wrong in [json!({ "size": null }), json!({ "part_size": 1 }), json!({ "path": null }), json!({ "mode": "x" })] {
        assert_eq!(begin(wrong.clone()).await.error(), (400, "invalid".into()), "{wrong}");
    }
    node.admin_ok(&["user", "quota", "ana", "1MiB"]);
    // Who a token stands for is known for a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(begin(json!({ "size": 2 * MIB })).await.error(), (507, "quota_exceeded".into()));

    let last = begin(json!({ "path": "/b.txt" })).await.ok();
    node.admin_ok(&["user", "disable", "ana"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(put(&node, &url(&last, 1), b"0123456789").await.status, 403, "whoever is out is out here, too");
}
