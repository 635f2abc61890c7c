//! Checksums: the algorithms of S3, their names and their bytes.
//! Owns: what a checksum looks like on the wire. Does not own: which checksum a request asks for (checksum::request), how
//! part checksums make an object's (decided in `apply`).

pub mod request;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};

/// As in `x-amz-checksum-algorithm` and `<ChecksumAlgorithm>`.
pub fn algorithm_name(algorithm: ChecksumAlgorithm) -> &'static str {
    names(algorithm).0
}

pub fn parse_algorithm(name: &str) -> Option<ChecksumAlgorithm> {
    ChecksumAlgorithm::ALL.into_iter().find(|algorithm| algorithm_name(*algorithm).eq_ignore_ascii_case(name.trim()))
}

/// Of requests, replies and trailers.
pub fn header_name(algorithm: ChecksumAlgorithm) -> HeaderName {
    HeaderName::from_static(names(algorithm).1)
}

/// `<ChecksumCRC32>` and its neighbours.
pub fn element_name(algorithm: ChecksumAlgorithm) -> &'static str {
    names(algorithm).2
}

/// The algorithm's own, its header's and its element's.
fn names(algorithm: ChecksumAlgorithm) -> (&'static str, &'static str, &'static str) {
    match algorithm {
        ChecksumAlgorithm::Crc32 => ("CRC32", "x-amz-checksum-crc32", "ChecksumCRC32"),
        ChecksumAlgorithm::Crc32c => ("CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C"),
        ChecksumAlgorithm::Crc64Nvme => ("CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"),
        ChecksumAlgorithm::Sha1 => ("SHA1", "x-amz-checksum-sha1", "ChecksumSHA1"),
        ChecksumAlgorithm::Sha256 => ("SHA256", "x-amz-checksum-sha256", "ChecksumSHA256"),
        ChecksumAlgorithm::Sha512 => ("SHA512", "x-amz-checksum-sha512", "ChecksumSHA512"),
        ChecksumAlgorithm::Md5 => ("MD5", "x-amz-checksum-md5", "ChecksumMD5"),
        ChecksumAlgorithm::XxHash64 => ("XXHASH64", "x-amz-checksum-xxhash64", "ChecksumXXHASH64"),
        ChecksumAlgorithm::XxHash3 => ("XXHASH3", "x-amz-checksum-xxhash3", "ChecksumXXHASH3"),
        ChecksumAlgorithm::XxHash128 => ("XXHASH128", "x-amz-checksum-xxhash128", "ChecksumXXHASH128"),
    }
}

pub fn type_name(kind: ChecksumType) -> &'static str {
    match kind {
        ChecksumType::FullObject => "FULL_OBJECT",
        ChecksumType::Composite => "COMPOSITE",
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
    (value.len() == algorithm.value_bytes()).then_some(value)
}

#[cfg(test)]
mod tests {
    use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};

    use super::{element_name, header_name, parse_algorithm, parse_value, text};

    #[test]
    fn names_agree() {
        for algorithm in ChecksumAlgorithm::ALL {
            let name = super::algorithm_name(algorithm);
            assert_eq!(parse_algorithm(name), Some(algorithm));
            assert_eq!(header_name(algorithm).as_str(), format!("x-amz-checksum-{}", name.to_ascii_lowercase()));
            assert_eq!(element_name(algorithm), format!("Checksum{name}"));
        }
    }

    #[test]
    fn values_are_base64() {
        let (algorithm, kind) = (ChecksumAlgorithm::Crc32, ChecksumType::FullObject);
        let checksum = Checksum { algorithm, kind, value: vec![0xcb, 0xf4, 0x39, 0x26] };
        assert_eq!(text(&checksum, None), "y/Q5Jg==");
        assert_eq!(parse_value(algorithm, "y/Q5Jg=="), Some(checksum.value));
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
