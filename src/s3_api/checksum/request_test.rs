//! What requests may say about checksums, and what they may not.

use http::{HeaderMap, HeaderName, HeaderValue};
use onggi_cluster::metadata::checksum::ChecksumHasher;
use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType};

use super::{
    BodyChecksum, ExpectedValue, completed_checksum, content_md5, upload_checksum, verify_content_md5, verify_document,
};
use crate::s3_api::error::{ErrorCode, Result};

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn outcome<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{}: {}", error.code.as_str(), error.message),
    }
}

#[test]
fn header_or_trailer_but_one() {
    let parse = |pairs: &[(&str, &str)]| BodyChecksum::parse(&headers(pairs));
    assert_eq!(parse(&[("content-type", "x")]).unwrap(), None);
    let crc =
        parse(&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-sdk-checksum-algorithm", "CRC32")]).unwrap().unwrap();
    assert_eq!(crc.expected, ExpectedValue::Header(vec![0xcb, 0xf4, 0x39, 0x26]));
    let trailer = parse(&[("x-amz-trailer", " X-Amz-Checksum-CRC64NVME ")]).unwrap().unwrap();
    assert_eq!(trailer, BodyChecksum { algorithm: ChecksumAlgorithm::Crc64Nvme, expected: ExpectedValue::Trailer });
    assert_eq!(parse(&[("x-amz-checksum-mode", "ENABLED"), ("x-amz-checksum-type", "COMPOSITE")]).unwrap(), None);

    for (pairs, code) in [
        (&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-crc32c", "y/Q5Jg==")][..], "InvalidRequest"),
        (&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-crc32", "y/Q5Jg==")], "InvalidRequest"),
        (&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-trailer", "x-amz-checksum-crc32")], "InvalidRequest"),
        (&[("x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-sha1")], "InvalidRequest"),
        (&[("x-amz-trailer", "x-other")], "InvalidRequest"),
        (&[("x-amz-sdk-checksum-algorithm", "CRC32")], "InvalidRequest"),
        (&[("x-amz-sdk-checksum-algorithm", "SHA1"), ("x-amz-checksum-crc32", "y/Q5Jg==")], "InvalidRequest"),
        (&[("x-amz-checksum-crc32", "nonsense")], "InvalidRequest: Value for x-amz-checksum-crc32 header is invalid."),
        (&[("x-amz-checksum-sha256", "y/Q5Jg==")], "InvalidRequest"),
        (&[("x-amz-checksum-crc16", "AAAA")], "NotImplemented"),
    ] {
        assert!(outcome(parse(pairs)).starts_with(code), "{pairs:?} {}", outcome(parse(pairs)));
    }
}

#[test]
fn comparison() {
    let mut hasher = ChecksumHasher::new(ChecksumAlgorithm::Crc32);
    hasher.update(b"123456789");
    let computed = hasher.finish();
    let of_header = BodyChecksum::parse(&headers(&[("x-amz-checksum-crc32", "AAAAAA==")])).unwrap().unwrap();
    assert_eq!(
        outcome(of_header.verify(&computed, None)),
        "BadDigest: The CRC32 you specified did not match the calculated checksum. (x-amz-checksum-crc32)"
    );
    let of_trailer = BodyChecksum::parse(&headers(&[("x-amz-trailer", "x-amz-checksum-crc32")])).unwrap().unwrap();
    assert!(of_trailer.verify(&computed, Some("y/Q5Jg==")).is_ok());
    assert_eq!(of_trailer.verify(&computed, Some("AAAAAA==")).unwrap_err().code, ErrorCode::BadDigest);
    assert_eq!(of_trailer.verify(&computed, Some("?")).unwrap_err().code, ErrorCode::InvalidRequest);
    assert_eq!(of_trailer.verify(&computed, None).unwrap_err().code, ErrorCode::MalformedTrailerError);
}

#[test]
fn content_md5_forms() {
    let of = |value: &str| content_md5(&headers(&[("content-md5", value)]));
    assert_eq!(content_md5(&HeaderMap::new()).unwrap(), None);
    let digest = of("1B2M2Y8AsgTpgAmY7PhCfg==").unwrap().unwrap();
    assert!(verify_content_md5(&digest, &digest).is_ok());
    assert_eq!(verify_content_md5(&digest, &[0; 16]).unwrap_err().code, ErrorCode::BadDigest);
    for bad in ["", "short", "1B2M2Y8AsgTpgAmY7PhCfg", "AAAA"] {
        assert_eq!(of(bad).unwrap_err().code, ErrorCode::InvalidDigest, "{bad}");
    }
}

#[test]
fn documents_must_prove_their_integrity() {
    let verify = |pairs: &[(&str, &str)], trailer| verify_document(&headers(pairs), trailer, b"123456789");
    assert!(verify(&[("x-amz-checksum-crc32", "y/Q5Jg==")], None).is_ok());
    assert!(verify(&[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], None).is_ok());
    assert!(verify(&[("x-amz-trailer", "x-amz-checksum-crc32")], Some("y/Q5Jg==")).is_ok());
    assert_eq!(verify(&[], None).unwrap_err().code, ErrorCode::InvalidRequest);
    assert_eq!(verify(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")], None).unwrap_err().code, ErrorCode::BadDigest);
}

#[test]
fn types_of_multipart_checksums() {
    let of = |pairs: &[(&str, &str)]| upload_checksum(&headers(pairs));
    let (algorithm, kind) = ("x-amz-checksum-algorithm", "x-amz-checksum-type");
    assert_eq!(of(&[]).unwrap(), None);
    assert_eq!(of(&[(algorithm, "CRC32")]).unwrap(), Some((ChecksumAlgorithm::Crc32, ChecksumType::Composite)));
    assert_eq!(
        of(&[(algorithm, "CRC64NVME")]).unwrap(),
        Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject))
    );
    let full = of(&[(algorithm, "CRC32C"), (kind, "FULL_OBJECT")]).unwrap();
    assert_eq!(full, Some((ChecksumAlgorithm::Crc32c, ChecksumType::FullObject)));
    for pairs in [
        &[(kind, "COMPOSITE")][..],
        &[(algorithm, "CRC64NVME"), (kind, "COMPOSITE")],
        &[(algorithm, "SHA256"), (kind, "FULL_OBJECT")],
        &[(algorithm, "CRC32"), (kind, "whole")],
        &[(algorithm, "XXHASH128"), (kind, "FULL_OBJECT")],
        &[(algorithm, "CRC16")],
    ] {
        assert_eq!(of(pairs).unwrap_err().code, ErrorCode::InvalidRequest, "{pairs:?}");
    }
}

#[test]
fn checksum_of_a_completed_upload() {
    let of = |pairs: &[(&str, &str)]| completed_checksum(&headers(pairs));
    assert_eq!(of(&[]).unwrap(), (None, None));
    let composite = of(&[("x-amz-checksum-crc32", "y/Q5Jg==-2")]).unwrap().0.unwrap();
    assert_eq!(composite.kind, ChecksumType::Composite);
    let full = of(&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-type", "FULL_OBJECT")]).unwrap();
    assert_eq!(full.0.unwrap().kind, ChecksumType::FullObject);
    assert_eq!(full.1, Some(ChecksumType::FullObject));
    assert!(of(&[("x-amz-checksum-crc32", "zz-2")]).is_err());
}
