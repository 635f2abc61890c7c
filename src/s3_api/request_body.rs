//! Request bodies: from what hyper receives to what services store, or to a document in memory.
//! Owns: limits and lengths. Does not own: framing and signatures (auth::body), what a checksum must be (services).
//! Invariant: the connection is not read before one of these is polled: that is when hyper sends `100 Continue`.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::HeaderMap;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};

use crate::s3_api::auth::body::{BodyDecoder, BodyIntegrity};
use crate::s3_api::checksum::request::{BodyChecksum, ExpectedValue, content_md5, verify_document};
use crate::s3_api::checksum::{header_name, parse_value};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::services::{Body, BodyClaims, BodyPiece, BoxError, ChecksumClaim};

/// Of one PUT or one part (Amazon S3 User Guide, "Uploading objects").
pub const UPLOAD_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// 10,000 parts with SHA-256, or 1,000 keys of 1,024 bytes, and some air.
const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// As the gateway hands it over: nothing of it has been read.
pub type Incoming = BoxBody<Bytes, BoxError>;

pub struct RequestBody {
    incoming: Incoming,
    integrity: BodyIntegrity,
}

/// Whether a document must come with Content-MD5 or a checksum of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentProof {
    Required,
    NotNeeded,
}

impl RequestBody {
    pub fn new(incoming: Incoming, integrity: BodyIntegrity) -> Self {
        Self { incoming, integrity }
    }

    /// The bytes of an object or a part.
    pub fn into_upload(self, headers: &HeaderMap) -> Result<Body> {
        let checksum = BodyChecksum::parse(headers)?;
        let md5 = content_md5(headers)?;
        let decoder = BodyDecoder::new(self.integrity, headers)?;
        let bytes = decoder.payload_bytes().ok_or(ErrorCode::MissingContentLength)?;
        if bytes > UPLOAD_BYTES_MAX {
            return Err(S3Error::new(ErrorCode::EntityTooLarge)
                .field("ProposedSize", bytes.to_string())
                .field("MaxSizeAllowed", UPLOAD_BYTES_MAX.to_string()));
        }
        let claim = checksum_claim(checksum);
        let trailer = match &claim {
            ChecksumClaim::Trailer(algorithm) => Some(*algorithm),
            _ => None,
        };
        let reader = Reader { incoming: self.incoming, decoder, input: Bytes::new(), trailer };
        let pieces =
            futures::stream::try_unfold(Some(reader), next_piece).map(|piece| piece.map_err(BoxError::from)).boxed();
        Ok(Body { pieces, bytes: Some(bytes), claims: BodyClaims { md5, checksum: claim } })
    }

    /// A whole document, its integrity proven.
    pub async fn into_document(mut self, headers: &HeaderMap, proof: DocumentProof) -> Result<Bytes> {
        let mut decoder = BodyDecoder::new(self.integrity, headers)?;
        if decoder.payload_bytes().is_some_and(|bytes| bytes > DOCUMENT_BYTES_MAX as u64) {
            return Err(ErrorCode::MaxMessageLengthExceeded.into());
        }
        let mut document = BytesMut::new();
        while let Some(mut input) = next_data(&mut self.incoming).await? {
            while let Some(piece) = decoder.decode(&mut input)? {
                if document.len() + piece.len() > DOCUMENT_BYTES_MAX {
                    return Err(ErrorCode::MaxMessageLengthExceeded.into());
                }
                document.extend_from_slice(&piece);
            }
        }
        let trailers = decoder.finish()?;
        if proof == DocumentProof::Required {
            let checksum = BodyChecksum::parse(headers)?;
            let trailer = checksum.as_ref().and_then(|checksum| trailers.get(header_name(checksum.algorithm).as_str()));
            verify_document(headers, trailer, &document)?;
        }
        Ok(document.freeze())
    }
}

pub fn checksum_claim(checksum: Option<BodyChecksum>) -> ChecksumClaim {
    match checksum {
        None => ChecksumClaim::None,
        Some(BodyChecksum { algorithm, expected: ExpectedValue::Trailer }) => ChecksumClaim::Trailer(algorithm),
        Some(BodyChecksum { algorithm, expected: ExpectedValue::Header(value) }) => {
            ChecksumClaim::Value(Checksum { algorithm, kind: ChecksumType::FullObject, value })
        }
    }
}

struct Reader {
    incoming: Incoming,
    decoder: BodyDecoder,
    /// Received, not decoded yet.
    input: Bytes,
    trailer: Option<ChecksumAlgorithm>,
}

/// One step of the stream: a piece of payload; after the last, the trailer if one was announced.
async fn next_piece(reader: Option<Reader>) -> Result<Option<(BodyPiece, Option<Reader>)>> {
    let Some(mut reader) = reader else { return Ok(None) };
    loop {
        if let Some(piece) = reader.decoder.decode(&mut reader.input)? {
            return Ok(Some((BodyPiece::Data(piece), Some(reader))));
        }
        match next_data(&mut reader.incoming).await? {
            Some(input) => reader.input = input,
            None => break,
        }
    }
    let trailers = reader.decoder.finish()?;
    let Some(algorithm) = reader.trailer else { return Ok(None) };
    let text = trailers.get(header_name(algorithm).as_str()).ok_or(ErrorCode::MalformedTrailerError)?;
    let Some(value) = parse_value(algorithm, text) else {
        let message = format!("Value for {} trailing header is invalid.", header_name(algorithm));
        return Err(S3Error::invalid_request(message));
    };
    let checksum = Checksum { algorithm, kind: ChecksumType::FullObject, value };
    Ok(Some((BodyPiece::Trailer(checksum), None)))
}

/// A connection that ends early is an incomplete body: nobody may be there to read the answer, but nothing is stored.
async fn next_data(incoming: &mut Incoming) -> Result<Option<Bytes>> {
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| S3Error::new(ErrorCode::IncompleteBody))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
