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
