//! Checksums: the algorithms of S3, their names and their bytes.
//! Owns: what a checksum looks like on the wire. Does not own: which checksum a request asks for (checksum::request), how
//! part checksums make an object's (decided in `apply`).

pub mod request;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};

pub const ALGORITHMS: [ChecksumAlgorithm; 5] = [
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32c,
    ChecksumAlgorithm::Crc64Nvme,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];

/// As in `x-amz-checksum-algorithm` and `<ChecksumAlgorithm>`.
pub fn algorithm_name(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "CRC32",
        ChecksumAlgorithm::Crc32c => "CRC32C",
        ChecksumAlgorithm::Crc64Nvme => "CRC64NVME",
        ChecksumAlgorithm::Sha1 => "SHA1",
        ChecksumAlgorithm::Sha256 => "SHA256",
    }
}

pub fn parse_algorithm(name: &str) -> Option<ChecksumAlgorithm> {
    ALGORITHMS.into_iter().find(|algorithm| algorithm_name(*algorithm).eq_ignore_ascii_case(name.trim()))
}

/// Of requests, replies and trailers.
pub fn header_name(algorithm: ChecksumAlgorithm) -> HeaderName {
    HeaderName::from_static(match algorithm {
        ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
        ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
        ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
        ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
    })
}

/// `<ChecksumCRC32>` and its neighbours.
pub fn element_name(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "ChecksumCRC32",
        ChecksumAlgorithm::Crc32c => "ChecksumCRC32C",
        ChecksumAlgorithm::Crc64Nvme => "ChecksumCRC64NVME",
        ChecksumAlgorithm::Sha1 => "ChecksumSHA1",
        ChecksumAlgorithm::Sha256 => "ChecksumSHA256",
    }
}

pub fn type_name(kind: ChecksumType) -> &'static str {
    match kind {
        ChecksumType::FullObject => "FULL_OBJECT",
        ChecksumType::Composite => "COMPOSITE",
    }
}

fn value_bytes(algorithm: ChecksumAlgorithm) -> usize {
    match algorithm {
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => 4,
        ChecksumAlgorithm::Crc64Nvme => 8,
        ChecksumAlgorithm::Sha1 => 20,
        ChecksumAlgorithm::Sha256 => 32,
    }
}

/// Base64; a composite value keeps its `-N`, without which clients would check it against the bytes.
pub fn text(checksum: &Checksum, parts: Option<u32>) -> String {
    let value = STANDARD.encode(&checksum.value);
    match (checksum.kind, parts) {
        (ChecksumType::Composite, Some(parts)) => format!("{value}-{parts}"),
        _ => value,
    }
}

/// `None`: not base64, or not the length of the algorithm's values.
pub fn parse_value(algorithm: ChecksumAlgorithm, text: &str) -> Option<Vec<u8>> {
    let value = STANDARD.decode(text.trim()).ok()?;
    (value.len() == value_bytes(algorithm)).then_some(value)
}

#[cfg(test)]
mod tests {
    use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};

    use super::{ALGORITHMS, algorithm_name, parse_algorithm, parse_value, text};
    use crate::services::ChecksumHasher;

    /// The check values of the CRC catalogue and of FIPS 180-4 for "123456789", in base64.
    #[test]
    fn check_values() {
        let expected = [
            "y/Q5Jg==",
            "4waSgw==",
            "rosUhgp5mIg=",
            "98O8HYCOBHMq32eZZczDTKeuNEE=",
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
        ];
        for (algorithm, expected) in ALGORITHMS.into_iter().zip(expected) {
            let mut hasher = ChecksumHasher::new(algorithm);
            hasher.update(b"1234");
            hasher.update(b"");
            hasher.update(b"56789");
            let checksum = hasher.finish();
            assert_eq!(text(&checksum, None), expected, "{}", algorithm_name(algorithm));
            assert_eq!(parse_value(algorithm, expected), Some(checksum.value));
            assert_eq!(parse_algorithm(algorithm_name(algorithm)), Some(algorithm));
        }
    }

    #[test]
    fn values_have_their_length() {
        for bad in ["", "AAAA", "AAAAAAAA", "!!!!!!==", "AAAAAA", "AAAAAA==-1"] {
            assert_eq!(parse_value(ChecksumAlgorithm::Crc32, bad), None, "{bad}");
        }
    }

    #[test]
    fn composite_values_keep_their_count() {
        let mut checksum =
            Checksum { algorithm: ChecksumAlgorithm::Crc32, kind: ChecksumType::Composite, value: vec![0; 4] };
        assert_eq!(text(&checksum, Some(3)), "AAAAAA==-3");
        checksum.kind = ChecksumType::FullObject;
        assert_eq!(text(&checksum, Some(3)), "AAAAAA==");
    }
}
