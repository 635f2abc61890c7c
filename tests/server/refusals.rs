//! What is refused before its body is sent: a client must not send gigabytes to hear no.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::http::{s3, send, signed};
use crate::node::Node;
use crate::slow_put::{begin_put, begin_put_as, status_line};

#[tokio::test]
async fn a_body_over_the_quota() {
    let node = Node::start(&[]);
    node.admin_ok(&["user", "create", "ana", "--quota", "1MiB"]);
    let key = node.admin_json(&["key", "create", "ana"]);
    let ana = (key["access_key"].as_str().unwrap(), key["secret_key"].as_str().unwrap());
    let put = async |path: &str, body: &[u8]| {
        let request = signed(Method::PUT, &format!("{}{path}", node.s3), body, ana.0, ana.1);
        send(&[], request).await.unwrap().status()
    };
    assert_eq!(put("/anas", b"").await, StatusCode::OK);
    assert_eq!(put("/anas/half", &[1; 512 << 10]).await, StatusCode::OK);

    let mut over = begin_put_as(&node, "/anas/more", &[2; (512 << 10) + 1], ana);
    assert_eq!(status_line(&mut over), "HTTP/1.1 403 Forbidden");
    // What it replaces is not counted twice, and what fits exactly fits.
    assert_eq!(put("/anas/half", &[3; 1 << 20]).await, StatusCode::OK);
    assert_eq!(put("/anas/half", &[4; 10]).await, StatusCode::OK, "less than before always fits");
}

#[tokio::test]
async fn more_requests_than_are_worked_on() {
    let node = Node::start(&["--set", "gateway.requests_max=1"]);
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    let body = [5; 1000];
    let (mut first, refused) = only_place_taken(&node, &body).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(String::from_utf8_lossy(refused.body()).contains("<Code>SlowDown</Code>"), "{refused:?}");
    let second = begin_put(&node, "/bucket/second", &body);
    assert_eq!(status_line(&mut { second }), "HTTP/1.1 503 Service Unavailable");

    first.write_all(&body[10..]).unwrap();
    assert_eq!(status_line(&mut first), "HTTP/1.1 200 OK");
    let stored = s3(&node, Method::GET, "/bucket", b"").await;
    let listed = String::from_utf8_lossy(stored.body()).into_owned();
    assert!(listed.contains("<Key>first</Key>") && !listed.contains("second"), "{listed}");
}

/// A put that is worked on and waits for the rest of its body, and what another request is answered meanwhile.
async fn only_place_taken(node: &Node, body: &[u8]) -> (TcpStream, http::Response<bytes::Bytes>) {
    for _ in 0..20 {
        let mut put = begin_put(node, "/bucket/first", body);
        put.write_all(&body[..10]).unwrap();
        // Until its headers are read, there is room for another. If that other one was there first, it is the put that was refused.
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let reply = s3(node, Method::GET, "/bucket", b"").await;
            if reply.status() != StatusCode::OK {
                return (put, reply);
            }
        }
    }
    panic!("the put never took the only place");
}

/// Of which the first lines are returned, and as many bytes of the document as they say are read.
fn answer(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let bytes = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    stream.read_exact(&mut vec![0; bytes.parse().unwrap()]).unwrap();
    head
}

/// Writers that race for a key lose most of the time: a new connection for each loss, with its handshakes, would be their main work.
#[test]
fn a_small_body_does_not_cost_the_connection() {
    let node = Node::start(&[]);
    let connect = || {
        let stream = TcpStream::connect(node.s3.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    let put = |bytes: usize| format!("PUT /bucket/key HTTP/1.1\r\nhost: node\r\ncontent-length: {bytes}\r\n");
    let mut stream = connect();
    for _ in 0..3 {
        stream.write_all(format!("{}\r\n", put(5)).as_bytes()).unwrap();
        // Refused as unsigned before the body is there.
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(b"hello").unwrap();
        let refused = answer(&mut stream);
        assert!(refused.starts_with("http/1.1 403") && !refused.contains("connection: close"), "{refused}");
    }
    for (head, why) in [
        (put(1_000_000), "a large body"),
        (put(5), "a body that does not come"),
        (format!("{}expect: 100-continue\r\n", put(5)), "a body that nobody asked for"),
    ] {
        let mut stream = connect();
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let refused = answer(&mut stream);
        assert!(refused.starts_with("http/1.1 403") && refused.contains("connection: close"), "{why}: {refused}");
    }
}
