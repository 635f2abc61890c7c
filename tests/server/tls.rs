//! TLS: the local authority, certificates of an operator, and their reload.

use std::path::Path;
use std::time::Duration;

use http::{Method, StatusCode};
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::http::{get, s3, send, signed};
use crate::node::{ACCESS_KEY, Node, SECRET_KEY};

#[tokio::test]
async fn the_local_authority_is_trusted_by_its_file_alone() {
    let node = Node::start(&["--tls"]);
    assert!(node.s3.starts_with("https://"));
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    let by_name = node.s3.replace("127.0.0.1", "localhost");
    let request = signed(Method::HEAD, &format!("{by_name}/bucket"), b"", ACCESS_KEY, SECRET_KEY);
    assert_eq!(send(&[&node.authority()], request).await.unwrap().status(), StatusCode::OK);

    let request = signed(Method::HEAD, &format!("{}/bucket", node.s3), b"", ACCESS_KEY, SECRET_KEY);
    let error = send(&[], request).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_ends() {
    let node = Node::start(&["--tls"]);
    let plain = node.s3.replace("https://", "http://");
    let request = signed(Method::GET, &format!("{plain}/"), b"", ACCESS_KEY, SECRET_KEY);
    assert!(send(&[], request).await.is_err());
}

#[tokio::test]
async fn a_certificate_of_the_operator_is_shown_and_reloaded_on_sighup() {
    let directory = TempDir::new().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    write_certificate(&certificate, &key);
    let node = Node::start(&[
        "--set",
        &format!("tls.certificate={}", certificate.display()),
        "--set",
        &format!("tls.private_key={}", key.display()),
    ]);
    let url = format!("{}/healthz", node.web);
    let ask = async || send(&[&certificate], http::Request::get(&url).body(Default::default()).unwrap()).await;
    assert_eq!(ask().await.unwrap().status(), StatusCode::OK);

    write_certificate(&certificate, &key);
    assert!(ask().await.is_err(), "the old one is still shown");
    node.signal(Signal::HUP);
    let mut reloaded = false;
    for _ in 0..100 {
        reloaded = ask().await.is_ok();
        if reloaded {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(reloaded);

    // What is broken is not taken.
    std::fs::write(&certificate, "no certificate").unwrap();
    node.signal(Signal::HUP);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(get_untrusted(&node).await.contains("UnknownIssuer"), "the node still answers with a certificate");
}

async fn get_untrusted(node: &Node) -> String {
    send(&[], http::Request::get(format!("{}/healthz", node.web)).body(Default::default()).unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_stops_the_start_with_its_key() {
    let directory = TempDir::new().unwrap();
    let output = crate::node::server(&directory.path().join("data"))
        .args(["--set", "tls.certificate=/nonexistent.pem", "--set", "tls.private_key=/nonexistent.key"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = crate::node::error_of(&output);
    assert!(error.contains("`tls.certificate`") && error.contains("/nonexistent.pem"), "{error}");
}

#[tokio::test]
async fn the_web_port_speaks_tls_only() {
    let node = Node::start(&[]);
    assert!(get(&node, &node.web.replace("https://", "http://")).await.is_err());
}

fn write_certificate(certificate: &Path, key: &Path) {
    let pair = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_string()]).unwrap();
    std::fs::write(key, pair.serialize_pem()).unwrap();
    std::fs::write(certificate, params.self_signed(&pair).unwrap().pem()).unwrap();
}
