//! What a request says about the checksum of its body: Content-MD5, `x-amz-checksum-*`, trailers.
//! Amazon S3 User Guide, "Checking object integrity". Owns: which combinations are legal, and the comparison.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use onggi_cluster::metadata::checksum::ChecksumHasher;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};
use sha2::Digest;
use subtle::ConstantTimeEq;

use crate::s3_api::checksum::{algorithm_name, header_name, parse_algorithm, parse_value, type_name};
use crate::s3_api::error::{ErrorCode, Result, S3Error};

/// Names in `x-amz-checksum-…` that carry no value of an algorithm.
const NOT_A_VALUE: &[&str] = &["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"];

/// The checksum that a body must have.
#[derive(Clone, Debug, PartialEq)]
pub struct BodyChecksum {
    pub algorithm: ChecksumAlgorithm,
    pub expected: ExpectedValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedValue {
    Header(Vec<u8>),
    /// Comes behind the body.
    Trailer,
}

impl BodyChecksum {
    /// `None`: the request brings no checksum.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>> {
        let in_header = header_value(headers)?;
        let in_trailer = announced_trailer(headers)?;
        let checksum = match (in_header, in_trailer) {
            (Some(_), Some(_)) => return Err(several_checksums()),
            (Some((algorithm, value)), None) => Some(Self { algorithm, expected: ExpectedValue::Header(value) }),
            (None, Some(algorithm)) => Some(Self { algorithm, expected: ExpectedValue::Trailer }),
            (None, None) => None,
        };
        check_sdk_algorithm(headers, checksum.as_ref())?;
        Ok(checksum)
    }

    /// Compares what was computed. `trailer` is the value that came behind the body, if one did.
    pub fn verify(&self, computed: &Checksum, trailer: Option<&str>) -> Result<()> {
        let expected = match (&self.expected, trailer) {
            (ExpectedValue::Header(value), _) => value.clone(),
            (ExpectedValue::Trailer, Some(text)) => {
                parse_value(self.algorithm, text).ok_or_else(|| invalid_value(&header_name(self.algorithm)))?
            }
            (ExpectedValue::Trailer, None) => return Err(ErrorCode::MalformedTrailerError.into()),
        };
        if expected != computed.value {
            let name = algorithm_name(self.algorithm);
            let header = header_name(self.algorithm);
            // The header is named because SDKs presign a checksum of nothing into URLs, and people wonder.
            let message = format!("The {name} you specified did not match the calculated checksum. ({header})");
            return Err(S3Error::with_message(ErrorCode::BadDigest, message));
        }
        Ok(())
    }
}

/// `Content-MD5`: base64 of 16 bytes (RFC 1864).
pub fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>> {
    let Some(value) = headers.get("content-md5") else { return Ok(None) };
    let digest = STANDARD.decode(value.as_bytes()).ok().and_then(|digest| <[u8; 16]>::try_from(digest).ok());
    match digest {
        Some(digest) => Ok(Some(digest)),
        None => Err(S3Error::with_message(ErrorCode::InvalidDigest, "The Content-MD5 you specified was invalid.")
            .field("Content-MD5", String::from_utf8_lossy(value.as_bytes()))),
    }
}

pub fn verify_content_md5(expected: &[u8; 16], computed: &[u8; 16]) -> Result<()> {
    if bool::from(expected.ct_eq(computed)) {
        return Ok(());
    }
    let message = "The Content-MD5 you specified did not match what we received.";
    Err(S3Error::with_message(ErrorCode::BadDigest, message)
        .field("ExpectedDigest", STANDARD.encode(expected))
        .field("CalculatedDigest", STANDARD.encode(computed)))
}

/// A request document that changes settings or deletes objects must prove its integrity one way or the other.
pub fn verify_document(headers: &HeaderMap, trailer: Option<&str>, document: &[u8]) -> Result<()> {
    let md5 = content_md5(headers)?;
    let checksum = BodyChecksum::parse(headers)?;
    if md5.is_none() && checksum.is_none() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(S3Error::invalid_request(message));
    }
    if let Some(expected) = md5 {
        verify_content_md5(&expected, &md5::Md5::digest(document).into())?;
    }
    if let Some(checksum) = checksum {
        let mut hasher = ChecksumHasher::new(checksum.algorithm);
        hasher.update(document);
        checksum.verify(&hasher.finish(), trailer)?;
    }
    Ok(())
}

/// The algorithm and type that CreateMultipartUpload binds for its parts.
pub fn upload_checksum(headers: &HeaderMap) -> Result<Option<(ChecksumAlgorithm, ChecksumType)>> {
    let kind = requested_type(headers)?;
    let Some(algorithm) = requested_algorithm(headers)? else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(S3Error::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let kind = kind.unwrap_or(default_type(algorithm));
    check_type(algorithm, kind)?;
    Ok(Some((algorithm, kind)))
}

/// `x-amz-checksum-algorithm` of CreateMultipartUpload and CopyObject.
pub fn requested_algorithm(headers: &HeaderMap) -> Result<Option<ChecksumAlgorithm>> {
    let name = HeaderName::from_static("x-amz-checksum-algorithm");
    let Some(value) = headers.get(&name) else { return Ok(None) };
    let algorithm = value.to_str().ok().and_then(parse_algorithm);
    algorithm.map(Some).ok_or_else(|| {
        let valid = ChecksumAlgorithm::ALL.map(algorithm_name).join(", ");
        S3Error::invalid_request(format!(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        ))
    })
}

/// The checksum of the whole object and its type, as CompleteMultipartUpload gives them. A composite value may carry `-N`.
pub fn completed_checksum(headers: &HeaderMap) -> Result<(Option<Checksum>, Option<ChecksumType>)> {
    let kind = requested_type(headers)?;
    let Some((algorithm, text)) = single_value(headers)? else { return Ok((None, kind)) };
    let (text, counted) = match text.split_once('-') {
        Some((text, _count)) => (text, true),
        None => (text, false),
    };
    let value = parse_value(algorithm, text).ok_or_else(|| invalid_value(&header_name(algorithm)))?;
    let assumed = if counted { ChecksumType::Composite } else { default_type(algorithm) };
    let kind_of_value = kind.unwrap_or(assumed);
    check_type(algorithm, kind_of_value)?;
    Ok((Some(Checksum { algorithm, kind: kind_of_value, value }), kind))
}

fn requested_type(headers: &HeaderMap) -> Result<Option<ChecksumType>> {
    let name = HeaderName::from_static("x-amz-checksum-type");
    match headers.get(&name).map(|value| value.as_bytes()) {
        None => Ok(None),
        Some(b"COMPOSITE") => Ok(Some(ChecksumType::Composite)),
        Some(b"FULL_OBJECT") => Ok(Some(ChecksumType::FullObject)),
        Some(_) => Err(invalid_value(&name)),
    }
}

fn default_type(algorithm: ChecksumAlgorithm) -> ChecksumType {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => ChecksumType::FullObject,
        _ => ChecksumType::Composite,
    }
}

fn check_type(algorithm: ChecksumAlgorithm, kind: ChecksumType) -> Result<()> {
    if algorithm.has_type(kind) {
        return Ok(());
    }
    let (kind, algorithm) = (type_name(kind), algorithm_name(algorithm).to_ascii_lowercase());
    Err(S3Error::invalid_request(format!(
        "The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
    )))
}

fn header_value(headers: &HeaderMap) -> Result<Option<(ChecksumAlgorithm, Vec<u8>)>> {
    let Some((algorithm, text)) = single_value(headers)? else { return Ok(None) };
    let value = parse_value(algorithm, text).ok_or_else(|| invalid_value(&header_name(algorithm)))?;
    Ok(Some((algorithm, value)))
}

/// The one header that carries a value.
fn single_value(headers: &HeaderMap) -> Result<Option<(ChecksumAlgorithm, &str)>> {
    let mut found = None;
    for (name, value) in headers {
        if !name.as_str().starts_with("x-amz-checksum-") || NOT_A_VALUE.contains(&name.as_str()) {
            continue;
        }
        let Some(algorithm) = ChecksumAlgorithm::ALL.into_iter().find(|algorithm| header_name(*algorithm) == *name)
        else {
            return Err(S3Error::header_not_implemented(name.as_str()));
        };
        let text = value.to_str().map_err(|_| invalid_value(name))?;
        if found.replace((algorithm, text)).is_some() {
            return Err(several_checksums());
        }
    }
    Ok(found)
}

/// The checksum that `x-amz-trailer` announces. Its names are case-insensitive and may carry spaces.
fn announced_trailer(headers: &HeaderMap) -> Result<Option<ChecksumAlgorithm>> {
    let mut found = None;
    for value in headers.get_all("x-amz-trailer") {
        let names = value.to_str().unwrap_or("?").split(',').map(str::trim).filter(|name| !name.is_empty());
        for name in names {
            let algorithm =
                ChecksumAlgorithm::ALL.into_iter().find(|a| header_name(*a).as_str().eq_ignore_ascii_case(name));
            let Some(algorithm) = algorithm else {
                let message = "The value specified in the x-amz-trailer header is not supported";
                return Err(S3Error::invalid_request(message));
            };
            if found.replace(algorithm).is_some() {
                return Err(several_checksums());
            }
        }
    }
    Ok(found)
}

/// `x-amz-sdk-checksum-algorithm` must be borne out by a value.
fn check_sdk_algorithm(headers: &HeaderMap, checksum: Option<&BodyChecksum>) -> Result<()> {
    let name = HeaderName::from_static("x-amz-sdk-checksum-algorithm");
    let Some(announced) = headers.get(&name) else { return Ok(()) };
    let Some(checksum) = checksum else {
        return Err(S3Error::invalid_request(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        ));
    };
    let announced = announced.to_str().ok().and_then(parse_algorithm);
    if announced == Some(checksum.algorithm) { Ok(()) } else { Err(invalid_value(&name)) }
}

fn several_checksums() -> S3Error {
    S3Error::invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}

fn invalid_value(header: &impl fmt::Display) -> S3Error {
    S3Error::invalid_request(format!("Value for {header} header is invalid."))
}

#[cfg(test)]
#[path = "request_test.rs"]
mod tests;
