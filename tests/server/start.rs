//! Start: first credentials, readiness, and the mistakes that an operator makes.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use http::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use crate::http::{get, s3, send, signed};
use crate::node::{Node, error_of, onggi, server};

#[tokio::test]
async fn first_start_prints_credentials_once_and_they_work() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let node = Node::run(server(&data_dir), &data_dir);
    let shown = |name: &str| {
        node.greeting.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_string()).unwrap()
    };
    let (access_key, secret_key) = (shown("access key"), shown("secret key"));
    let file = data_dir.join("root-credentials");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&file).unwrap().contains(&format!("ONGGI_ROOT_SECRET_KEY={secret_key}\n")));

    let request = signed(Method::PUT, &format!("{}/first", node.s3), b"", &access_key, &secret_key);
    assert_eq!(send(&[], request).await.unwrap().status(), StatusCode::OK);
    // The command line finds them on the drive.
    let mut admin = onggi();
    admin.args(["admin", "--endpoint", &node.web, "--data-dir"]).arg(&data_dir).args(["user", "list", "--json"]);
    assert!(admin.output().unwrap().status.success());

    assert!(node.terminate().success());
    let node = Node::run(server(&data_dir), &data_dir);
    assert!(!node.greeting.contains(&secret_key), "shown once only: {}", node.greeting);
    let request = signed(Method::HEAD, &format!("{}/first", node.s3), b"", &access_key, &secret_key);
    assert_eq!(send(&[], request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn credentials_of_the_environment_are_not_written_down() {
    let node = Node::start(&[]);
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    let data_dir = node.authority().parent().unwrap().parent().unwrap().to_path_buf();
    assert!(!data_dir.join("root-credentials").exists());
    drop(node.admin_ok(&["user", "list"]));
    let grep = Command::new("grep").args(["-rl", crate::node::SECRET_KEY]).arg(&data_dir).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "", "the secret stands in these files");
}

#[tokio::test]
async fn health_pages_say_ready_and_metrics_count_requests() {
    let node = Node::start(&[]);
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    let health = get(&node, &format!("{}/healthz", node.web)).await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    let ready = get(&node, &format!("{}/readyz", node.web)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    let body: serde_json::Value = serde_json::from_slice(ready.body()).unwrap();
    assert_eq!(body, json!({ "ready": true, "problems": [], "failures": [] }));
    let metrics = get(&node, &format!("{}/metrics", node.web)).await.unwrap();
    let text = String::from_utf8_lossy(metrics.body()).into_owned();
    let counted = r#"onggi_requests_total{api="s3",operation="CreateBucket",status="200"} 1"#;
    assert!(text.contains(counted), "{text}");
    assert!(text.contains("onggi_groups_led{node=\"1\"} 17"), "{text}");
    assert!(!text.contains(crate::node::SECRET_KEY));
}

#[test]
fn a_second_process_on_the_same_drive_is_refused() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let node = Node::start_in(&data_dir, &[]);
    let output = server(&data_dir).output().unwrap();
    assert!(!output.status.success());
    let error = error_of(&output);
    assert!(error.contains("another process uses this data directory"), "{error}");
    assert!(node.terminate().success());
}

#[test]
fn an_address_that_is_taken_is_named_with_its_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = TempDir::new().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = onggi()
        .args([
            "server",
            "--s3-listen",
            &address,
            "--web-listen",
            "127.0.0.1:0",
            "--peer-listen",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(directory.path().join("data"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = error_of(&output);
    assert!(error.contains(&address) && error.contains("--s3-listen"), "{error}");
    assert!(!directory.path().join("data").exists(), "nothing is left behind");
}

#[test]
fn wrong_settings_are_all_named_before_anything_is_made() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let output = onggi()
        .args(["server", "--s3-listen", "0.0.0.0:9000", "--set", "gateway.idle_timeout=soon", "--data-dir"])
        .arg(&data_dir)
        .env("ONGGI_S3_LISTN", "127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = error_of(&output);
    for part in ["ONGGI_S3_LISTN", "`gateway.idle_timeout`", "`soon`"] {
        assert!(error.contains(part), "{part} not in {error}");
    }
    assert!(!data_dir.exists());
}

#[test]
fn half_of_the_root_credentials_is_refused() {
    let directory = TempDir::new().unwrap();
    let output = server(&directory.path().join("data")).env("ONGGI_ROOT_ACCESS_KEY", "only-this").output().unwrap();
    assert!(!output.status.success());
    assert!(error_of(&output).contains("belong together"), "{}", error_of(&output));
}
