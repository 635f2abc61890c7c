//! Winding down: a load balancer learns that a node goes before the node refuses anything.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::http::{get, s3};
use crate::node::Node;
use crate::place::Place;

async fn ready(node: &Node) -> (StatusCode, String) {
    let answer = get(node, &format!("{}/readyz", node.web)).await.unwrap();
    (answer.status(), String::from_utf8_lossy(answer.body()).into_owned())
}

#[tokio::test]
async fn a_node_that_stops_says_so_and_serves_on_for_a_while() {
    let directory = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| Place::new(&directory, name));
    let first = first.start();
    let mut second = second.with_flags(&["--set", "gateway.stop_grace=4s"]).join(&first);
    assert!(s3(&second, Method::PUT, "/bucket", b"").await.status().is_success());
    assert_eq!(ready(&second).await.0, StatusCode::OK);

    let begun = Instant::now();
    second.signal(Signal::TERM);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (status, problems) = ready(&second).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problems.contains("the node is stopping"), "{problems}");
    assert!(s3(&second, Method::PUT, "/bucket/late", b"x").await.status().is_success());
    assert!(second.wait().success());
    assert!(begun.elapsed() > Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(s3(&first, Method::GET, "/bucket/late", b"").await.body().as_ref(), b"x");
}

#[tokio::test]
async fn a_second_signal_ends_the_wait_and_a_node_alone_does_not_wait() {
    let directory = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| Place::new(&directory, name));
    let first = first.with_flags(&["--set", "gateway.stop_grace=10m"]).start();
    let mut second = second.with_flags(&["--set", "gateway.stop_grace=10m"]).join(&first);
    second.signal(Signal::INT);
    tokio::time::sleep(Duration::from_millis(500)).await;
    second.signal(Signal::INT);
    assert!(second.wait().success());
    // Nobody else is up.
    assert!(first.terminate().success());
}

#[tokio::test]
async fn a_node_that_is_drained_is_not_ready_and_serves() {
    let directory = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| Place::new(&directory, name));
    let first = first.start();
    let second = second.join(&first);
    assert!(s3(&first, Method::PUT, "/bucket", b"").await.status().is_success());
    first.admin_ok(&["node", "drain", "1"]);
    let begun = Instant::now();
    while ready(&first).await.0 == StatusCode::OK {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ready(&first).await.1.contains("drained"));
    assert_eq!(ready(&second).await.0, StatusCode::OK);
    assert!(s3(&first, Method::PUT, "/bucket/through-it", b"x").await.status().is_success());
}
