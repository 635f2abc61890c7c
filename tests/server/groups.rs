//! Groups as an operator sees them: listed, split, and refused to be split.

use http::{Method, StatusCode};

use crate::http::{s3, send, signed};
use crate::node::{Node, error_of};

#[tokio::test]
async fn a_group_is_split_between_its_two_users_who_notice_nothing() {
    let node = Node::start(&["--set", "cluster.groups=1"]);
    let alone = node.admin(&["group", "split", "1"]);
    assert!(!alone.status.success() && error_of(&alone).contains("one user has everything"), "{}", error_of(&alone));

    node.admin_ok(&["user", "create", "ann"]);
    let key = node.admin_json(&["key", "create", "ann"]);
    let (access_key, secret_key) = (key["access_key"].as_str().unwrap(), key["secret_key"].as_str().unwrap());
    let as_ann = async |method, path: &str, body: &[u8]| {
        let request = signed(method, &format!("{}{path}", node.s3), body, access_key, secret_key);
        send(&[], request).await.unwrap().status()
    };
    assert_eq!(as_ann(Method::PUT, "/anns", b"").await, StatusCode::OK);
    assert_eq!(as_ann(Method::PUT, "/anns/one", b"12345").await, StatusCode::OK);
    assert_eq!(s3(&node, Method::PUT, "/roots", b"").await.status(), StatusCode::OK);
    assert_eq!(s3(&node, Method::PUT, "/roots/two", &vec![7; 100_000]).await.status(), StatusCode::OK);

    let listed = node.admin_json(&["group", "list"]);
    let groups = listed["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{listed}");
    let only = &groups[0];
    assert_eq!((&only["first"], &only["last"]), (&"0000000000000000".into(), &"ffffffffffffffff".into()));
    assert_eq!((&only["users"], &only["objects"], &only["bytes"]), (&2.into(), &2.into(), &100_005.into()));
    assert_eq!((&only["leader"], &only["voters"][0]), (&1.into(), &1.into()));

    let split = node.admin_json(&["group", "split", "1"]);
    assert_eq!((&split["id"], &split["new_group"]), (&1.into(), &2.into()), "{split}");
    let listed = node.admin_json(&["group", "list"]);
    let groups = listed["groups"].as_array().unwrap();
    let users: Vec<_> = groups.iter().map(|group| (group["id"].as_u64(), group["users"].as_u64())).collect();
    assert_eq!(users, [(Some(1), Some(1)), (Some(2), Some(1))], "{listed}");
    assert!(node.admin_ok(&["group", "list"]).contains("OBJECTS"));

    assert_eq!(as_ann(Method::GET, "/anns/one", b"").await, StatusCode::OK);
    assert_eq!(as_ann(Method::PUT, "/anns/three", b"1").await, StatusCode::OK);
    assert_eq!(s3(&node, Method::GET, "/roots/two", b"").await.status(), StatusCode::OK);
    assert_eq!(s3(&node, Method::PUT, "/roots/four", b"1").await.status(), StatusCode::OK);

    let cases: [(&[&str], &str); 4] = [
        (&["group", "split", "1"], "one user has everything"),
        (&["group", "split", "9"], "no such group"),
        (&["group", "split", "1", "--at", "nobody"], "no such user"),
        (&["group", "split", "x"], "invalid value"),
    ];
    for (arguments, expected) in cases {
        let refused = node.admin(arguments);
        let error = error_of(&refused);
        assert!(!refused.status.success() && error.contains(expected), "{arguments:?}: {error}");
    }
}
