//! A request as it stands on the wire, easy to change, and the connection that sends it.

use std::net::SocketAddr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[derive(Clone, Debug, Default)]
pub struct Wire {
    pub method: String,
    /// As it stands in the request line.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Wire {
    pub fn query_text(&self) -> String {
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(have, _)| have != name);
        self.headers.push((name.to_owned(), value.into()));
    }

    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(have, _)| have != name);
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub fn set_parameter(&mut self, name: &str, value: impl Into<String>) {
        self.query.retain(|(have, _)| have != name);
        self.query.push((name.to_owned(), value.into()));
    }

    fn bytes(&self) -> Vec<u8> {
        let query = self.query_text();
        let separator = if query.is_empty() { "" } else { "?" };
        let mut text = format!("{} {}{separator}{query} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n", self.body.len());
        [text.as_bytes(), &self.body].concat()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The `<Code>` of an error; empty if there is none.
    pub code: String,
}

/// Kept open from request to request as long as the server lets us.
pub struct Connection {
    address: SocketAddr,
    open: Option<TcpStream>,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    pub async fn send(&mut self, wire: &Wire) -> Answer {
        // The server may have closed the connection after the request before; a new one must do.
        if let Some(stream) = self.open.take()
            && let Some(answer) = self.exchange(stream, wire).await
        {
            return answer;
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        self.exchange(stream, wire).await.unwrap_or_else(|| panic!("no answer to {wire:?}"))
    }

    async fn exchange(&mut self, mut stream: TcpStream, wire: &Wire) -> Option<Answer> {
        // An answer may come before the body is written.
        let _ = stream.write_all(&wire.bytes()).await;
        let mut received = Vec::new();
        let head_end = loop {
            if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.read(&mut stream, &mut received).await?;
        };
        let head = String::from_utf8_lossy(&received[..head_end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let no_body = wire.method == "HEAD" || status == 204 || status == 304;
        let body_bytes = if no_body { Some(0) } else { length.map(|length| length.parse::<usize>().unwrap()) };
        while body_bytes.is_none_or(|bytes| received.len() < head_end + bytes) {
            if self.read(&mut stream, &mut received).await.is_none() || received.ends_with(b"0\r\n\r\n") {
                break;
            }
        }
        if body_bytes.is_some() && !head.contains("connection: close") {
            self.open = Some(stream);
        }
        let body = String::from_utf8_lossy(&received[head_end..]);
        let code = body.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or("");
        Some(Answer { status, code: code.to_owned() })
    }

    async fn read(&self, stream: &mut TcpStream, into: &mut Vec<u8>) -> Option<()> {
        let read = timeout(PATIENCE, stream.read_buf(into)).await.expect("an answer");
        matches!(read, Ok(1..)).then_some(())
    }
}
