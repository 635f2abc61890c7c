//! Stop: signals with requests in flight, and crashes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use http::{Method, StatusCode};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::http::s3;
use crate::node::Node;
use crate::slow_put::{begin_put, status_line};

#[tokio::test]
async fn sigterm_finishes_the_request_in_flight() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let mut node = Node::start_in(&data_dir, &[]);
    s3(&node, Method::PUT, "/bucket", b"").await;
    let body = vec![7; 100_000];
    let mut put = begin_put(&node, "/bucket/slow", &body);
    put.write_all(&body[..50_000]).unwrap();
    // An idle connection must not hold the stop up.
    let _idle = TcpStream::connect(node.s3.trim_start_matches("http://")).unwrap();
    std::thread::sleep(Duration::from_millis(300));

    node.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(500));
    put.write_all(&body[50_000..]).unwrap();
    assert_eq!(status_line(&mut put), "HTTP/1.1 200 OK");
    assert!(node.wait().success());

    let node = Node::start_in(&data_dir, &[]);
    let read = s3(&node, Method::GET, "/bucket/slow", b"").await;
    assert_eq!(read.body().as_ref(), body);
}

#[tokio::test]
async fn a_client_that_never_finishes_cannot_hold_the_stop() {
    let mut node = Node::start(&["--set", "gateway.shutdown_timeout=1s"]);
    s3(&node, Method::PUT, "/bucket", b"").await;
    let mut put = begin_put(&node, "/bucket/never", &[7; 1000]);
    put.write_all(&[7; 10]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    node.signal(Signal::TERM);
    assert!(node.wait().success());
}

#[tokio::test]
async fn a_connection_that_does_nothing_is_closed() {
    let node = Node::start(&["--set", "gateway.idle_timeout=300ms", "--set", "gateway.header_timeout=300ms"]);
    let address = node.s3.trim_start_matches("http://").to_string();
    let mut silent = TcpStream::connect(&address).unwrap();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost:").unwrap();
    for stream in [&mut silent, &mut half] {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("closed by the node, not by the timeout of the test");
    }
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let node = Node::start(&["--set", "gateway.header_bytes_max=16KiB"]);
    let mut stream = TcpStream::connect(node.s3.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = write!(stream, "GET / HTTP/1.1\r\nhost: a\r\nx-large: {}\r\n\r\n", "x".repeat(40_000));
    assert!(status_line(&mut stream).starts_with("HTTP/1.1 431"));
    // And the node goes on.
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let mut acknowledged: Vec<(String, usize)> = Vec::new();
    for round in 0..3 {
        let node = Node::start_in(&data_dir, &[]);
        if round == 0 {
            assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
        }
        for (path, size) in &acknowledged {
            let read = s3(&node, Method::GET, path, b"").await;
            assert_eq!(read.status(), StatusCode::OK, "{path}");
            assert_eq!(read.body().as_ref(), vec![b'x'; *size], "{path}");
        }
        for (at, size) in [0, 1, 5_000, 32_768, 32_769, 5_000_000].into_iter().enumerate() {
            let path = format!("/bucket/round-{round}/{at}");
            let put = s3(&node, Method::PUT, &path, &vec![b'x'; size]).await;
            assert_eq!(put.status(), StatusCode::OK, "{path}");
            acknowledged.push((path, size));
        }
        node.kill();
    }
}
