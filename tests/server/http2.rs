//! Hostile HTTP/2: frames made by hand, as no client library would send them.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::http::{s3, tls_config};
use crate::node::Node;

const GROWTH_MIB_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_secs(60);

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// RFC 9113 §4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let bytes = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&bytes[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// RFC 7541 §6.2.2: a literal without indexing, name and value as they are.
fn field(name: &str, value: &str) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    let bytes = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], bytes(name), bytes(value)].concat()
}

async fn connect(node: &Node) -> TlsStream<TcpStream> {
    let mut config = tls_config(&[&node.authority()]);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let socket = TcpStream::connect(node.s3.trim_start_matches("https://")).await.unwrap();
    let name = "127.0.0.1".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Whether the node ends the connection, and soon: long before it would for idleness.
async fn ends(stream: &mut TlsStream<TcpStream>) -> bool {
    let to_the_end = async {
        let mut buffer = [0; 4096];
        while let Ok(1..) = stream.read(&mut buffer).await {}
    };
    timeout(Duration::from_secs(5), to_the_end).await.is_ok()
}

/// Its name, whether the node must put an end to it, and its frames.
type Flood<'a> = (&'static str, bool, &'a dyn Fn(u32) -> Vec<u8>);

#[tokio::test]
async fn floods_of_frames_are_cut_off() {
    let node = Node::start(&["--tls"]);
    assert_eq!(s3(&node, Method::PUT, "/bucket", b"").await.status(), StatusCode::OK);
    let pseudo = [(":method", "GET"), (":scheme", "https"), (":path", "/bucket"), (":authority", "localhost")];
    let get: Vec<u8> = pseudo.iter().flat_map(|(name, value)| field(name, value)).collect();
    let reset = |at: u32| {
        let stream = 2 * at + 1;
        let code = 8_u32.to_be_bytes();
        [frame(HEADERS, END_STREAM | END_HEADERS, stream, &get), frame(RST_STREAM, 0, stream, &code)].concat()
    };
    let continued = |at: u32| match at {
        0 => frame(HEADERS, 0, 1, &get),
        at => frame(CONTINUATION, 0, 1, &field(&format!("x-{at}"), &"v".repeat(100))),
    };
    let empty = |at: u32| if at == 0 { frame(HEADERS, 0, 1, &get) } else { frame(CONTINUATION, 0, 1, &[]) };
    let pings = |_| frame(PING, 0, 0, &[1; 8]);
    let settings = |_| frame(SETTINGS, 0, 0, &[]);
    // Pings and settings cost the node an answer each, which it may give, within its memory.
    let floods: [Flood<'_>; 5] = [
        ("requests taken back at once", true, &reset),
        ("headers without end", true, &continued),
        ("empty continuations", true, &empty),
        ("pings whose answers nobody reads", false, &pings),
        ("settings whose answers nobody reads", false, &settings),
    ];
    for (name, must_end, make) in floods {
        let before = node.resident_mib();
        node.forget_peak();
        let mut stream = connect(&node).await;
        let mut cut_off = false;
        for round in 0..200_u32 {
            let frames: Vec<u8> = (round * 100..(round + 1) * 100).flat_map(make).collect();
            // A server that no longer reads has had enough, too.
            match timeout(Duration::from_secs(2), stream.write_all(&frames)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => {
                    cut_off = true;
                    break;
                }
            }
        }
        // All frames may have been on their way before the refusal came back.
        if must_end && !cut_off {
            cut_off = ends(&mut stream).await;
        }
        drop(stream);
        let growth = node.peak_mib().saturating_sub(before);
        assert!(growth < GROWTH_MIB_MAX, "{name}: {growth} MiB");
        assert!(cut_off || !must_end, "{name}: never cut off");
        assert_eq!(s3(&node, Method::GET, "/bucket", b"").await.status(), StatusCode::OK, "after {name}");
    }
}

#[tokio::test]
async fn a_header_list_has_a_bound() {
    let node = Node::start(&["--tls", "--set", "gateway.header_bytes_max=8KiB"]);
    let mut stream = connect(&node).await;
    let pseudo = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "localhost")];
    let mut list: Vec<u8> = pseudo.iter().flat_map(|(name, value)| field(name, value)).collect();
    (0..100).for_each(|at| list.extend(field(&format!("x-{at}"), &"v".repeat(100))));
    stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &list)).await.unwrap();
    // `:status 431` as HPACK writes it, or the end of the stream or the connection; never an answer of the S3 API.
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(read @ 1..)) = timeout(Duration::from_secs(2), stream.read(&mut buffer)).await {
        received.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8_lossy(&received);
    assert!(!text.contains("<Code>"), "{text}");
    let _ = timeout(PATIENCE, stream.shutdown()).await;
    assert_eq!(s3(&node, Method::GET, "/", b"").await.status(), StatusCode::OK);
}
