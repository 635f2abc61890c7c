//! Bodies: what a request's body must prove, in the five modes of S3, and the decoder that proves it.
//! Amazon S3 API Reference, "x-amz-content-sha256". Invariant: nothing may be committed before `BodyDecoder::finish` has
//! said yes; what `decode` gives out is not proven yet.

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::s3_api::auth::chunked_body::{ChunkedDecoder, ChunkedMode, Trailers};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::headers::is_aws_chunked;

pub use crate::s3_api::auth::chunked_body::signer::ChunkSigner;

pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_CHUNKS_AND_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_CHUNKS_AND_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

#[derive(Clone, Debug)]
pub enum BodyIntegrity {
    Unsigned,
    Sha256([u8; 32]),
    /// aws-chunked framing; with a signer each chunk carries a signature that continues the request's.
    Chunked {
        signer: Option<ChunkSigner>,
        trailer: bool,
    },
}

impl BodyIntegrity {
    /// `payload_hash` is `x-amz-content-sha256` of a request whose signature has been verified.
    pub fn from_payload_hash(payload_hash: &str, signer: Option<ChunkSigner>) -> Result<Self> {
        match payload_hash {
            UNSIGNED_PAYLOAD => Ok(Self::Unsigned),
            SIGNED_CHUNKS => Ok(Self::Chunked { signer, trailer: false }),
            SIGNED_CHUNKS_AND_TRAILER => Ok(Self::Chunked { signer, trailer: true }),
            UNSIGNED_CHUNKS_AND_TRAILER => Ok(Self::Chunked { signer: None, trailer: true }),
            other if other.starts_with("STREAMING-AWS4-ECDSA") => Err(S3Error::not_implemented(other)),
            other => {
                let mut digest = [0; 32];
                hex::decode_to_slice(other, &mut digest).map_err(|_| {
                    let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
                    S3Error::invalid_argument(message, "x-amz-content-sha256", other)
                })?;
                Ok(Self::Sha256(digest))
            }
        }
    }
}

/// Takes a body piece by piece as it arrives, gives out the payload without copying it, and at the end says whether it was
/// what the request promised.
#[derive(Debug)]
pub struct BodyDecoder {
    payload_bytes: Option<u64>,
    framing: Framing,
}

#[derive(Debug)]
enum Framing {
    Plain { seen_bytes: u64, sha256: Option<(Box<Sha256>, [u8; 32])> },
    Chunked(Box<ChunkedDecoder>),
}

impl BodyDecoder {
    pub fn new(integrity: BodyIntegrity, headers: &HeaderMap) -> Result<Self> {
        match integrity {
            BodyIntegrity::Chunked { signer, trailer } => {
                let Some(payload_bytes) = length_header(headers, "x-amz-decoded-content-length")? else {
                    return Err(ErrorCode::MissingContentLength.into());
                };
                let mode = ChunkedMode { signer, trailer, announced: announced_trailers(headers) };
                let decoder = Box::new(ChunkedDecoder::new(mode, payload_bytes));
                Ok(Self { payload_bytes: Some(payload_bytes), framing: Framing::Chunked(decoder) })
            }
            // The framing would be stored as if it were the object.
            _ if is_aws_chunked(headers) => {
                Err(S3Error::not_implemented("Content-Encoding: aws-chunked without a STREAMING- x-amz-content-sha256"))
            }
            BodyIntegrity::Unsigned => Self::plain(headers, None),
            BodyIntegrity::Sha256(expected) => Self::plain(headers, Some((Box::default(), expected))),
        }
    }

    fn plain(headers: &HeaderMap, sha256: Option<(Box<Sha256>, [u8; 32])>) -> Result<Self> {
        let payload_bytes = length_header(headers, CONTENT_LENGTH.as_str())?;
        Ok(Self { payload_bytes, framing: Framing::Plain { seen_bytes: 0, sha256 } })
    }

    /// How long the payload says it is, framing not counted. `None`: `Transfer-Encoding: chunked` without a length;
    /// uploads of objects answer 411.
    pub fn payload_bytes(&self) -> Option<u64> {
        self.payload_bytes
    }

    /// The next piece of payload in `input`, which is advanced past it; `None` when `input` is used up.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>> {
        match &mut self.framing {
            Framing::Chunked(decoder) => decoder.decode(input),
            Framing::Plain { seen_bytes, sha256 } => {
                if !input.has_remaining() {
                    return Ok(None);
                }
                let piece = input.split_to(input.len());
                *seen_bytes += piece.len() as u64;
                if let Some((hasher, _)) = sha256 {
                    hasher.update(&piece);
                }
                Ok(Some(piece))
            }
        }
    }

    /// The body has ended. Gives the trailers that came behind it.
    pub fn finish(self) -> Result<Trailers> {
        match self.framing {
            Framing::Chunked(decoder) => decoder.finish(),
            Framing::Plain { seen_bytes, sha256 } => {
                if self.payload_bytes.is_some_and(|bytes| bytes != seen_bytes) {
                    return Err(ErrorCode::IncompleteBody.into());
                }
                if let Some((hasher, expected)) = sha256 {
                    let computed = <[u8; 32]>::from(hasher.finalize());
                    if !bool::from(computed.ct_eq(&expected)) {
                        return Err(S3Error::new(ErrorCode::XAmzContentSHA256Mismatch)
                            .field("ClientComputedContentSHA256", hex::encode(expected))
                            .field("S3ComputedContentSHA256", hex::encode(computed)));
                    }
                }
                Ok(Trailers::default())
            }
        }
    }
}

fn length_header(headers: &HeaderMap, name: &str) -> Result<Option<u64>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or("");
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(bytes) if digits => Ok(Some(bytes)),
        _ => Err(S3Error::invalid_argument("The length is not a number.", name, text)),
    }
}

/// The names in `x-amz-trailer`, lower case.
fn announced_trailers(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all("x-amz-trailer").iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{BodyDecoder, BodyIntegrity};
    use crate::s3_api::auth::signature::SHA256_OF_NOTHING;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    fn outcome(payload_hash: &str, pairs: &[(&'static str, &'static str)], body: &'static str) -> String {
        let decoded = BodyIntegrity::from_payload_hash(payload_hash, None)
            .and_then(|integrity| BodyDecoder::new(integrity, &headers(pairs)))
            .and_then(|mut decoder| {
                let mut input = Bytes::from_static(body.as_bytes());
                let mut payload = Vec::new();
                while let Some(piece) = decoder.decode(&mut input)? {
                    payload.extend_from_slice(&piece);
                }
                decoder.finish()?;
                Ok(String::from_utf8_lossy(&payload).into_owned())
            });
        decoded.unwrap_or_else(|error| error.code.as_str().to_owned())
    }

    #[test]
    fn plain_bodies() {
        let of_hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(outcome("UNSIGNED-PAYLOAD", &[("content-length", "5")], "hello"), "hello");
        assert_eq!(outcome("UNSIGNED-PAYLOAD", &[], "hello"), "hello");
        assert_eq!(outcome(of_hello, &[("content-length", "5")], "hello"), "hello");
        assert_eq!(outcome(&of_hello.to_uppercase(), &[], "hello"), "hello");
        assert_eq!(outcome(SHA256_OF_NOTHING, &[], ""), "");
        assert_eq!(outcome(SHA256_OF_NOTHING, &[], "hello"), "XAmzContentSHA256Mismatch");
        assert_eq!(outcome("UNSIGNED-PAYLOAD", &[("content-length", "6")], "hello"), "IncompleteBody");
        assert_eq!(outcome("UNSIGNED-PAYLOAD", &[("content-length", "five")], "hello"), "InvalidArgument");
        assert_eq!(outcome("sha256", &[], "hello"), "InvalidArgument");
        assert_eq!(outcome("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", &[], ""), "NotImplemented");
    }

    #[test]
    fn framing_is_never_taken_for_payload() {
        let chunked = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
        let framed = "5\r\nhello\r\n0\r\n\r\n";
        assert_eq!(outcome(chunked, &[("x-amz-decoded-content-length", "5")], framed), "hello");
        assert_eq!(outcome(chunked, &[("x-amz-decoded-content-length", "4")], framed), "IncompleteBody");
        assert_eq!(outcome(chunked, &[("content-length", "15")], framed), "MissingContentLength");
        assert_eq!(outcome("UNSIGNED-PAYLOAD", &[("content-encoding", "gzip,aws-chunked")], framed), "NotImplemented");
    }
}
