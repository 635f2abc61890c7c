//! Frame: what stands on a connection, one after the other.
//! Owns: their bytes and their bound. Payloads are neither copied in nor out.
//!
//! ```text
//! frame    = length u32 of all that follows ‖ kind u8 ‖ call id u64 ‖ rest
//! rest     = hello record                      kind 0, call id 0, the first frame each way
//!          | method u16 ‖ payload              kind 1, request
//!          | payload                           kind 2, response
//!          | error kind u8 ‖ text              kind 3, failure; with call id 0 it is the connection that failed
//!          | nothing                           kind 4, goodbye: send nothing more here
//! ```

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::{Method, Payload, payload_bytes};
use crate::error::ErrorKind;

/// A chunk of the largest size that may be configured, 16 MiB, and what goes with it.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024 + 64 * 1024;
/// Before the other side has said who it is, not more than this.
pub const HELLO_BYTES_MAX: usize = 4096;
/// Longer texts are cut.
const TEXT_BYTES_MAX: usize = 2048;
const LENGTH_BYTES: usize = 4;
const READ_BYTES_MIN: usize = 16 * 1024;

const KIND_HELLO: u8 = 0;
const KIND_REQUEST: u8 = 1;
const KIND_RESPONSE: u8 = 2;
const KIND_FAILURE: u8 = 3;
const KIND_GOODBYE: u8 = 4;

#[derive(Debug, PartialEq)]
pub enum Frame {
    Hello(Bytes),
    Request { call: u64, method: Method, payload: Bytes },
    Response { call: u64, payload: Bytes },
    Failure { call: u64, kind: ErrorKind, text: String },
    Goodbye,
}

impl Frame {
    /// `bytes` is a frame without its length.
    pub fn decode(bytes: &Bytes) -> Result<Self> {
        let mut decoder = Decoder::new(bytes);
        let kind = decoder.u8()?;
        let call = decoder.u64()?;
        let rest = |decoder: &Decoder<'_>| bytes.slice(bytes.len() - decoder.remaining()..);
        Ok(match kind {
            KIND_HELLO => Self::Hello(rest(&decoder)),
            KIND_REQUEST => {
                let method = Method(decoder.u16()?);
                Self::Request { call, method, payload: rest(&decoder) }
            }
            KIND_RESPONSE => Self::Response { call, payload: rest(&decoder) },
            KIND_FAILURE => {
                let kind = error_kind(decoder.u8()?);
                Self::Failure { call, kind, text: String::from_utf8_lossy(&rest(&decoder)).into_owned() }
            }
            KIND_GOODBYE => Self::Goodbye,
            other => return Err(Error::corrupt(format!("read frame: kind {other} is not known"))),
        })
    }
}

/// A frame to be written: its front, and its payload in pieces.
pub struct Outgoing {
    pub front: Bytes,
    pub payload: Payload,
}

impl Outgoing {
    pub fn hello(record: &Bytes) -> Self {
        Self::new(KIND_HELLO, 0, &[], vec![record.clone()])
    }

    pub fn request(call: u64, method: Method, payload: Payload) -> Self {
        Self::new(KIND_REQUEST, call, &method.0.to_be_bytes(), payload)
    }

    pub fn response(call: u64, payload: Payload) -> Self {
        Self::new(KIND_RESPONSE, call, &[], payload)
    }

    pub fn failure(call: u64, kind: ErrorKind, text: &str) -> Self {
        let text = Bytes::copy_from_slice(&text.as_bytes()[..text.len().min(TEXT_BYTES_MAX)]);
        Self::new(KIND_FAILURE, call, &[error_number(kind)], vec![text])
    }

    pub fn goodbye() -> Self {
        Self::new(KIND_GOODBYE, 0, &[], Vec::new())
    }

    pub fn is_too_large(&self) -> bool {
        self.bytes() > LENGTH_BYTES + FRAME_BYTES_MAX
    }

    pub fn bytes(&self) -> usize {
        self.front.len() + payload_bytes(&self.payload)
    }

    fn new(kind: u8, call: u64, more: &[u8], payload: Payload) -> Self {
        let length = 1 + 8 + more.len() + payload_bytes(&payload);
        let mut front = Encoder::with_capacity(LENGTH_BYTES + 1 + 8 + more.len());
        // What is too long for a u32 is refused before it is written (`is_too_large`).
        front.u32(u32::try_from(length).unwrap_or(u32::MAX)).u8(kind).u64(call).raw(more);
        Self { front: front.finish(), payload }
    }
}

/// Takes frames off a connection.
pub struct FrameReader<R> {
    io: R,
    buffer: BytesMut,
    /// Between frames the reader waits for ever; within a frame no longer than this for the next byte.
    stall: Duration,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub fn new(io: R, stall: Duration) -> Self {
        Self { io, buffer: BytesMut::new(), stall }
    }

    /// `None` at a clean end. Cancel-safe: what was read stays in the buffer.
    pub async fn next(&mut self, bytes_max: usize) -> io::Result<Option<Frame>> {
        loop {
            let missing = match self.buffer.first_chunk::<LENGTH_BYTES>() {
                None => LENGTH_BYTES - self.buffer.len(),
                Some(length) => {
                    let length = u32::from_be_bytes(*length) as usize;
                    if length > bytes_max {
                        return Err(invalid(format!("a frame of {length} bytes, {bytes_max} are allowed")));
                    }
                    if self.buffer.len() >= LENGTH_BYTES + length {
                        self.buffer.advance(LENGTH_BYTES);
                        let frame = self.buffer.split_to(length).freeze();
                        return Frame::decode(&frame).map(Some).map_err(|error| invalid(error.to_string()));
                    }
                    LENGTH_BYTES + length - self.buffer.len()
                }
            };
            self.buffer.reserve(missing.max(READ_BYTES_MIN));
            let in_frame = !self.buffer.is_empty();
            let read = self.io.read_buf(&mut self.buffer);
            let bytes = if in_frame { timeout(self.stall, read).await?? } else { read.await? };
            if bytes == 0 {
                return if in_frame { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
            }
        }
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The numbers never change their meaning.
fn error_number(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotFound => 1,
        ErrorKind::Conflict => 2,
        ErrorKind::NotLeader => 3,
        ErrorKind::Unavailable => 4,
        ErrorKind::Overloaded => 5,
        ErrorKind::OutcomeUnknown => 6,
        ErrorKind::Full => 7,
        ErrorKind::Corrupt => 8,
        ErrorKind::Internal => 9,
    }
}

/// One that this release does not know is taken for the most careful one.
fn error_kind(number: u8) -> ErrorKind {
    match number {
        1 => ErrorKind::NotFound,
        2 => ErrorKind::Conflict,
        3 => ErrorKind::NotLeader,
        4 => ErrorKind::Unavailable,
        5 => ErrorKind::Overloaded,
        7 => ErrorKind::Full,
        8 => ErrorKind::Corrupt,
        9 => ErrorKind::Internal,
        _ => ErrorKind::OutcomeUnknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(frame: &Outgoing) -> Vec<u8> {
        [&frame.front[..], &frame.payload.concat()].concat()
    }

    async fn read(input: &[u8]) -> io::Result<Vec<Frame>> {
        let mut reader = FrameReader::new(input, Duration::from_secs(1));
        let mut frames = Vec::new();
        while let Some(frame) = reader.next(100).await? {
            frames.push(frame);
        }
        Ok(frames)
    }

    /// What the first release writes: it must be read for ever.
    #[tokio::test]
    async fn bytes_of_version_1() {
        let payload = || vec![Bytes::from_static(b"pay"), Bytes::from_static(b"load")];
        let request = bytes(&Outgoing::request(258, Method::PROPOSE, payload()));
        assert_eq!(request, b"\0\0\0\x12\x01\0\0\0\0\0\0\x01\x02\0\x20payload");
        let response = bytes(&Outgoing::response(258, payload()));
        assert_eq!(response, b"\0\0\0\x10\x02\0\0\0\0\0\0\x01\x02payload");
        let failure = bytes(&Outgoing::failure(258, ErrorKind::Full, "full"));
        assert_eq!(failure, b"\0\0\0\x0e\x03\0\0\0\0\0\0\x01\x02\x07full");
        let hello = bytes(&Outgoing::hello(&Bytes::from_static(b"hello")));
        assert_eq!(hello, b"\0\0\0\x0e\0\0\0\0\0\0\0\0\0hello");
        assert_eq!(bytes(&Outgoing::goodbye()), b"\0\0\0\x09\x04\0\0\0\0\0\0\0\0");

        let all = [hello, request, response, failure].concat();
        let payload = Bytes::from_static(b"payload");
        let expected = [
            Frame::Hello(Bytes::from_static(b"hello")),
            Frame::Request { call: 258, method: Method::PROPOSE, payload: payload.clone() },
            Frame::Response { call: 258, payload },
            Frame::Failure { call: 258, kind: ErrorKind::Full, text: "full".to_owned() },
        ];
        assert_eq!(read(&all).await.expect("reads"), expected);
        for end in 1..all.len() {
            let whole_frames = read(&all[..end]).await.map(|frames| frames.len());
            assert!(whole_frames.is_err() || all[..end].len() > 17, "cut at {end}");
        }
    }

    #[tokio::test]
    async fn what_is_too_long_or_no_frame_is_refused_before_it_is_read() {
        assert!(read(b"\0\0\0\x65").await.is_err());
        assert!(read(b"\xff\xff\xff\xff").await.is_err());
        assert!(read(b"GET / HTTP/1.1\r\n\r\n").await.is_err());
        assert!(read(b"\0\0\0\x09\x05\0\0\0\0\0\0\0\0").await.is_err(), "an unknown kind");
        assert!(read(b"\0\0\0\x08\x01\0\0\0\0\0\0\0").await.is_err(), "too short for its kind");
        assert!(Outgoing::response(1, vec![Bytes::from(vec![0; FRAME_BYTES_MAX])]).is_too_large());
        assert!(!Outgoing::response(1, vec![Bytes::from(vec![0; FRAME_BYTES_MAX - 9])]).is_too_large());
    }

    #[test]
    fn every_kind_of_error_comes_back() {
        for number in 1..=9 {
            assert_eq!(error_number(error_kind(number)), number);
        }
        assert_eq!(error_kind(200), ErrorKind::OutcomeUnknown);
    }
}
