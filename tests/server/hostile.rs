//! Hostile clients against the real binary: what is too long, too deep, too many, too slow, or no HTTP at all. Each is
//! answered with an error or not at all, the node's memory stays within `GROWTH_MIB_MAX`, and the next client is served.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use md5::{Digest, Md5};

use crate::http::{s3, signed};
use crate::node::{ACCESS_KEY, Node, SECRET_KEY};

/// More than one of these may take at its worst (targets: "Never").
const GROWTH_MIB_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as bytes, and what comes after it, again and again.
struct Attack {
    name: &'static str,
    start: Vec<u8>,
    repeated: Vec<u8>,
    times: usize,
}

#[tokio::test]
async fn hostile_requests_cost_little_and_change_nothing() {
    let node = Node::start(&[]);
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    for attack in unsigned(&node).into_iter().chain(signed_documents(&node)) {
        let before = node.resident_mib();
        node.forget_peak();
        let status = answer(&node, &attack);
        let growth = node.peak_mib().saturating_sub(before);
        assert!(growth < GROWTH_MIB_MAX, "{}: {growth} MiB", attack.name);
        let refused = status.as_deref().is_none_or(|status| status.starts_with('4') || status == "501");
        assert!(refused, "{}: {status:?}", attack.name);
        let next = s3(&node, Method::GET, "/bucket", b"").await;
        assert_eq!(next.status(), StatusCode::OK, "after {}", attack.name);
        assert!(!String::from_utf8_lossy(next.body()).contains("<Contents>"), "{} stored something", attack.name);
    }
}

fn unsigned(node: &Node) -> Vec<Attack> {
    let host = node.s3.trim_start_matches("http://");
    let attack = |name, start: String, repeated: &[u8], times| Attack {
        name,
        start: start.into_bytes(),
        repeated: repeated.to_vec(),
        times,
    };
    let get = |name, line: &[u8]| Attack {
        name,
        start: [b"GET / HTTP/1.1\r\nHost: ", host.as_bytes(), b"\r\n", line, b"\r\n\r\n"].concat(),
        repeated: Vec::new(),
        times: 0,
    };
    let form = |boundary: &str| {
        format!(
            "POST /bucket HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000000\r\n\
             Content-Type: multipart/form-data{boundary}\r\n\r\n"
        )
    };
    let begin = format!("GET / HTTP/1.1\r\nHost: {host}\r\n");
    vec![
        attack("headers without end", begin.clone(), b"x-a: b\r\n", 100_000),
        attack("a header without end", format!("{begin}x-a: "), &[b'a'; 1024], 10_000),
        attack("a request line without end", "GET /".to_owned(), &[b'a'; 1024], 10_000),
        attack("parameters without end", "GET /bucket?".to_owned(), b"a=1&", 1_000_000),
        attack("no HTTP", "\u{1}\u{2}\u{3}".to_owned(), &[0x80; 100], 1000),
        attack("HTTP/2 without being asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[0; 9], 1000),
        get("NUL in a header", b"x-a: a\0b"),
        get("CR in a header", b"x-a: a\rb: c"),
        get("bytes that are no text", b"x-a: \xff\xfe"),
        get("a header on two lines", b"x-a: a\r\n b"),
        get("two lengths", b"Content-Length: 3\r\nContent-Length: 4"),
        get("a negative length", b"Content-Length: -1"),
        get("a length of 2^64", b"Content-Length: 18446744073709551616"),
        get("two hosts", b"Host: evil.example"),
        attack("a form with fields without end", form("; boundary=B"), FIELD, 100_000),
        attack("a form with one field", format!("{}{}", form("; boundary=B"), "--B\r\n\r\n"), &[b'v'; 1024], 100_000),
        attack("a form with part headers", format!("{}--B\r\n", form("; boundary=B")), b"X-H: v\r\n", 100_000),
        attack("a form that never begins", form("; boundary=B"), &[b'z'; 1024], 100_000),
        attack("a form without a boundary", form(""), FIELD, 1000),
        attack("a form with a long boundary", form(&format!("; boundary={}", "B".repeat(50_000))), FIELD, 1000),
    ]
}

const FIELD: &[u8] = b"--B\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nv\r\n";

/// Signed well: the worst that a user can do.
fn signed_documents(node: &Node) -> Vec<Attack> {
    let document = |name, method: Method, path: &str, document: Vec<u8>| {
        let request = signed(method.clone(), &format!("{}{path}", node.s3), &document, ACCESS_KEY, SECRET_KEY);
        let mut start = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in request.headers() {
            start += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        let md5 = STANDARD.encode(Md5::digest(&document));
        start += &format!("content-md5: {md5}\r\ncontent-length: {}\r\n\r\n", document.len());
        Attack { name, start: [start.as_bytes(), &document].concat(), repeated: Vec::new(), times: 0 }
    };
    let around = |root: &str, inside: &str, times: usize| format!("<{root}>{}</{root}>", inside.repeat(times)).into();
    let deep = format!("<Tagging>{}{}</Tagging>", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let bomb = r#"<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Tagging>&b;</Tagging>"#;
    let object = "<Object><Key>a</Key></Object>";
    let rule = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>".to_owned();
    let put = |name, query: &str, body| document(name, Method::PUT, &format!("/bucket?{query}="), body);
    let mut five_tib = document("5 TiB announced", Method::PUT, "/bucket/huge", Vec::new());
    let text = String::from_utf8(five_tib.start).unwrap();
    five_tib.start = text.replace("content-length: 0", "content-length: 5497558138880").into_bytes();
    vec![
        five_tib,
        put("elements without end", "tagging", around("Tagging", "<a/>", 1_000_000)),
        put("elements in elements", "tagging", deep.into_bytes()),
        put("entities", "tagging", bomb.as_bytes().to_vec()),
        put("attributes", "tagging", format!("<Tagging {}/>", r#"a="1" "#.repeat(400_000)).into_bytes()),
        put("one long text", "tagging", around("Tagging", "aaaaaaaaaa", 400_000)),
        put("rules without end", "cors", around("CORSConfiguration", &rule, 40_000)),
        document("keys without end", Method::POST, "/bucket?delete=", around("Delete", object, 1_000_000)),
        document("more keys than are allowed", Method::POST, "/bucket?delete=", around("Delete", object, 100_000)),
    ]
}

/// The status; `None` if the connection was closed without one.
fn answer(node: &Node, attack: &Attack) -> Option<String> {
    let mut stream = TcpStream::connect(node.s3.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let (start, repeated, times) = (attack.start.clone(), attack.repeated.clone(), attack.times);
    let writing = thread::spawn(move || {
        let _ = writer.write_all(&start);
        // Until the server has had enough.
        let many = repeated.repeat(64);
        let enough = (0..times.div_ceil(64)).all(|_| writer.write_all(&many).is_ok());
        let _ = enough && writer.flush().is_ok();
    });
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => received.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("{}: neither answered nor closed", attack.name)
            }
            Err(_) => break,
        }
        if received.windows(4).any(|window| window == b"\r\n\r\n") {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
    writing.join().unwrap();
    let text = String::from_utf8_lossy(&received).into_owned();
    text.split(' ').nth(1).map(str::to_owned)
}

const BOUNDS: &[&str] = &[
    "--set",
    "gateway.header_timeout=1s",
    "--set",
    "gateway.idle_timeout=1s",
    "--set",
    "gateway.stall_timeout=2s",
    "--set",
    "gateway.connections_max=40",
];

#[tokio::test]
async fn slow_clients_are_closed() {
    let node = Node::start(BOUNDS);
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    let host = node.s3.trim_start_matches("http://").to_owned();
    let request = signed(Method::PUT, &format!("{}/bucket/slow", node.s3), b"hello", ACCESS_KEY, SECRET_KEY);
    let mut put = "PUT /bucket/slow HTTP/1.1\r\ncontent-length: 5\r\n".to_owned();
    for (name, value) in request.headers() {
        put += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let cases = [
        ("says nothing", String::new(), false),
        ("headers byte by byte", format!("GET / HTTP/1.1\r\nHost: {host}\r\nx-a: "), true),
        ("a body that never comes", format!("{put}\r\nhe"), false),
        ("idle after a request", format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), false),
    ];
    for (name, start, drips) in cases {
        let mut stream = TcpStream::connect(&host).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        let began = Instant::now();
        let mut buffer = [0; 4096];
        loop {
            assert!(began.elapsed() < PATIENCE, "{name}: still open");
            if drips && stream.write_all(b"a").is_err() {
                break;
            }
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {}
            }
        }
    }
    let listed = s3(&node, Method::GET, "/bucket", b"").await;
    assert!(!String::from_utf8_lossy(listed.body()).contains("<Contents>"), "half a body stores nothing");
}

#[tokio::test]
async fn connections_are_bounded() {
    let node = Node::start(BOUNDS);
    let open_files = || std::fs::read_dir(format!("/proc/{}/fd", node.id())).unwrap().count();
    let before = open_files();
    let address = node.s3.trim_start_matches("http://");
    // Those beyond the bound wait in the kernel's queue, and cost the node nothing.
    let crowd: Vec<_> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    thread::sleep(Duration::from_millis(500));
    let most = open_files() - before;
    assert!((1..=40).contains(&most), "{most} connections are open");
    drop(crowd);
    assert_eq!(s3(&node, Method::GET, "/", b"").await.status(), StatusCode::OK);
}
