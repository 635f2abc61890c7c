//! A PUT by hand: signed headers first, the bytes when the test wants.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use http::Method;

use crate::http::signed;
use crate::node::{ACCESS_KEY, Node, SECRET_KEY};

/// As the root user.
pub fn begin_put(node: &Node, path: &str, body: &[u8]) -> TcpStream {
    begin_put_as(node, path, body, (ACCESS_KEY, SECRET_KEY))
}

/// All but the bytes of `body` is sent.
pub fn begin_put_as(node: &Node, path: &str, body: &[u8], (access_key, secret_key): (&str, &str)) -> TcpStream {
    let request = signed(Method::PUT, &format!("{}{path}", node.s3), body, access_key, secret_key);
    let mut head = format!("PUT {path} HTTP/1.1\r\n");
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut stream = TcpStream::connect(node.s3.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream
}

/// Of the answer, once it has come.
pub fn status_line(stream: &mut TcpStream) -> String {
    let (mut answer, mut some) = (Vec::new(), [0; 1024]);
    while !answer.windows(2).any(|end| end == b"\r\n") {
        match stream.read(&mut some) {
            Ok(bytes @ 1..) => answer.extend_from_slice(&some[..bytes]),
            Ok(0) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&answer).lines().next().unwrap_or("").to_string()
}
