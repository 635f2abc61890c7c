//! Admin commands end to end: the command line, the admin API, and what S3 clients see of it.

use http::{Method, StatusCode};

use crate::http::{s3, send, signed, signed_for};
use crate::node::{Node, error_of, onggi};

#[tokio::test]
async fn a_user_lives_from_creation_to_deletion() {
    let node = Node::start(&[]);
    let created = node.admin_json(&["user", "create", "ana", "--quota", "1MiB"]);
    assert_eq!(created["users"][0]["name"], "ana");
    assert_eq!(created["users"][0]["quota_bytes"], 1 << 20);
    let table = node.admin_ok(&["user", "list"]);
    assert!(table.starts_with("NAME") && table.contains("\nana ") && table.contains("1MiB"), "{table}");

    let key = node.admin_json(&["key", "create", "ana", "--description", "laptop"]);
    let (access_key, secret_key) = (key["access_key"].as_str().unwrap(), key["secret_key"].as_str().unwrap());
    let as_ana = async |method, path: &str, body: &[u8]| {
        let request = signed(method, &format!("{}{path}", node.s3), body, access_key, secret_key);
        send(&[], request).await.unwrap().status()
    };
    assert_eq!(as_ana(Method::PUT, "/anas", b"").await, StatusCode::OK);
    assert_eq!(as_ana(Method::PUT, "/anas/one", b"12345").await, StatusCode::OK);
    assert_eq!(as_ana(Method::PUT, "/anas/big", &vec![0; 2 << 20]).await, StatusCode::FORBIDDEN, "over the quota");
    assert_eq!(s3(&node, Method::GET, "/anas/one", b"").await.status(), StatusCode::FORBIDDEN, "not even root");

    let buckets = node.admin_json(&["bucket", "list", "--user", "ana"]);
    assert_eq!(buckets["buckets"][0]["name"], "anas");
    assert_eq!((&buckets["buckets"][0]["objects"], &buckets["buckets"][0]["bytes"]), (&1.into(), &5.into()));

    node.admin_ok(&["key", "disable", access_key]);
    assert_eq!(as_ana(Method::GET, "/anas/one", b"").await, StatusCode::FORBIDDEN);
    node.admin_ok(&["key", "enable", access_key]);
    assert_eq!(as_ana(Method::GET, "/anas/one", b"").await, StatusCode::OK);
    node.admin_ok(&["user", "disable", "ana"]);
    assert_eq!(as_ana(Method::GET, "/anas/one", b"").await, StatusCode::FORBIDDEN);
    node.admin_ok(&["user", "enable", "ana"]);
    node.admin_ok(&["user", "quota", "ana", "none"]);
    assert_eq!(as_ana(Method::PUT, "/anas/big", &vec![0; 2 << 20]).await, StatusCode::OK);

    let refused = node.admin(&["user", "delete", "ana"]);
    assert!(!refused.status.success());
    assert!(error_of(&refused).contains("owns buckets"), "{}", error_of(&refused));
    for path in ["/anas/one", "/anas/big", "/anas"] {
        assert_eq!(as_ana(Method::DELETE, path, b"").await, StatusCode::NO_CONTENT, "{path}");
    }
    node.admin_ok(&["user", "delete", "ana"]);
    assert_eq!(as_ana(Method::GET, "/", b"").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_admins_get_in() {
    let node = Node::start(&[]);
    node.admin_ok(&["user", "create", "guest"]);
    let key = node.admin_json(&["key", "create", "guest"]);
    let (access_key, secret_key) = (key["access_key"].as_str().unwrap(), key["secret_key"].as_str().unwrap());
    for (access_key, secret_key) in
        [(access_key, secret_key), (crate::node::ACCESS_KEY, "wrong-secret"), ("nobody", "12345678")]
    {
        for command in [["user", "list"].as_slice(), &["user", "create", "eve"], &["status"], &["scrub", "start"]] {
            let output = node.admin_as(access_key, secret_key, command);
            assert!(!output.status.success(), "{access_key} {command:?}");
        }
    }
    let users = node.admin_json(&["user", "list"]);
    assert_eq!(users["users"].as_array().unwrap().len(), 2, "eve was not made: {users}");

    node.admin_ok(&["user", "create", "second", "--admin"]);
    let key = node.admin_json(&["key", "create", "second"]);
    let output =
        node.admin_as(key["access_key"].as_str().unwrap(), key["secret_key"].as_str().unwrap(), &["user", "list"]);
    assert!(output.status.success(), "{}", error_of(&output));
}

const ROUTES: &[(Method, &str)] = &[
    (Method::GET, "/users"),
    (Method::POST, "/users"),
    (Method::PATCH, "/users/root"),
    (Method::DELETE, "/users/root"),
    (Method::GET, "/users/root/keys"),
    (Method::POST, "/users/root/keys"),
    (Method::PATCH, "/keys/test-root"),
    (Method::DELETE, "/keys/test-root"),
    (Method::GET, "/buckets"),
    (Method::GET, "/tokens"),
    (Method::POST, "/tokens"),
    (Method::DELETE, "/tokens/00000000000000000000000000000000"),
    (Method::GET, "/nodes"),
    (Method::PATCH, "/nodes/1"),
    (Method::GET, "/cluster"),
    (Method::GET, "/status"),
    (Method::GET, "/scrub"),
    (Method::POST, "/scrub"),
    (Method::GET, "/no-such-route"),
];

#[tokio::test]
async fn every_route_is_for_admins_who_signed_for_it() {
    let node = Node::start(&[]);
    node.admin_ok(&["user", "create", "guest"]);
    let guest = node.admin_json(&["key", "create", "guest"]);
    let guest = (guest["access_key"].as_str().unwrap(), guest["secret_key"].as_str().unwrap());
    let root = (crate::node::ACCESS_KEY, crate::node::SECRET_KEY);
    for (method, path) in ROUTES {
        let url = format!("{}/admin/v1{path}", node.web);
        let status = async |request| send(&[&node.authority()], request).await.unwrap().status();
        let unsigned = http::Request::builder().method(method.clone()).uri(&url).body(Default::default()).unwrap();
        assert_eq!(status(unsigned).await, StatusCode::UNAUTHORIZED, "{method} {path} unsigned");
        for (service, (access_key, secret_key), refused) in [
            ("s3", root, StatusCode::BAD_REQUEST),
            ("onggi-admin", (root.0, guest.1), StatusCode::FORBIDDEN),
            ("onggi-admin", ("nobody", root.1), StatusCode::FORBIDDEN),
            ("onggi-admin", guest, StatusCode::FORBIDDEN),
        ] {
            let request = signed_for(service, method.clone(), &url, b"{}", access_key, secret_key);
            assert_eq!(status(request).await, refused, "{method} {path} for {service} by {access_key}");
        }
    }
    let url = format!("{}/admin/v1/no-such-route", node.web);
    let request = signed_for("onggi-admin", Method::GET, &url, b"", root.0, root.1);
    assert_eq!(send(&[&node.authority()], request).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(node.admin_json(&["user", "list"])["users"].as_array().unwrap().len(), 2);
    assert_eq!(node.admin_json(&["key", "list", "root"])["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_is_refused() {
    let node = Node::start(&[]);
    let url = format!("{}/admin/v1/users", node.web);
    let (access_key, secret_key) = (crate::node::ACCESS_KEY, crate::node::SECRET_KEY);
    let signed = signed_for("onggi-admin", Method::POST, &url, br#"{"name":"ana"}"#, access_key, secret_key);
    let forged = signed.map(|_| br#"{"name":"eve"}"#.as_slice().to_vec().into());
    assert_eq!(send(&[&node.authority()], forged).await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(node.admin_json(&["user", "list"])["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn status_scrub_and_authority() {
    let node = Node::start(&["--cluster-name", "jar"]);
    let status = node.admin_json(&["status"]);
    assert_eq!((&status["cluster"], &status["ready"]), (&"jar".into(), &true.into()));
    assert_eq!(status["groups"].as_array().unwrap().len(), 17);
    assert!(node.admin_ok(&["status"]).starts_with("state     ready"));

    node.admin_ok(&["scrub", "start"]);
    let mut finished = false;
    for _ in 0..100 {
        finished = node.admin_json(&["scrub", "status"])["finished_ms"].as_u64().unwrap() > 0;
        if finished {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(finished, "an empty drive is scrubbed at once");
    assert_eq!(node.admin_ok(&["ca"]).trim(), node.authority().to_str().unwrap());
}

#[test]
fn errors_say_what_to_do() {
    let node = Node::start(&[]);
    let cases: [(&[&str], &str); 7] = [
        (&["user", "create", "a b"], "no user name"),
        (&["user", "create", "ana", "--password-stdin"], "no password came"),
        (&["user", "create", "root"], "of this name already"),
        (&["user", "disable", "root"], "root user"),
        (&["user", "quota", "nobody", "1GiB"], "no such user"),
        (&["key", "delete", crate::node::ACCESS_KEY], "signs the request"),
        (&["key", "disable", "nobody"], "no such access key"),
    ];
    for (command, expected) in cases {
        let output = node.admin(command);
        assert!(!output.status.success(), "{command:?}");
        assert!(error_of(&output).contains(expected), "{command:?}: {}", error_of(&output));
    }
    let nowhere = onggi()
        .args(["admin", "--endpoint", "https://127.0.0.1:1", "status", "--ca"])
        .arg(node.authority())
        .env("ONGGI_ROOT_ACCESS_KEY", "someone")
        .env("ONGGI_ROOT_SECRET_KEY", "some-secret")
        .output()
        .unwrap();
    assert!(error_of(&nowhere).contains("is the node running"), "{}", error_of(&nowhere));
    let no_keys = onggi().args(["admin", "--data-dir", "/nonexistent", "status"]).output().unwrap();
    assert!(error_of(&no_keys).contains("ONGGI_ROOT_ACCESS_KEY"), "{}", error_of(&no_keys));
    let plain = onggi().args(["admin", "--endpoint", "http://127.0.0.1:1", "status"]).output().unwrap();
    assert!(error_of(&plain).contains("https://"), "{}", error_of(&plain));
}
