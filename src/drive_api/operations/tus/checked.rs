//! Upload-Checksum: a piece that is stored only if it is what the client meant to send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onggi_cluster::metadata::checksum::ChecksumHasher;
use onggi_cluster::metadata::record::ChecksumAlgorithm;

use crate::services::drive::checked_pieces::Claim;

/// What the capabilities announce.
pub const ALGORITHMS: &str = "sha1,sha256,crc32";

/// `sha1 <base64>`; `None` if it is not understood.
pub fn parse(header: &str) -> Option<Claim> {
    let (name, value) = header.split_once(' ')?;
    let algorithm = match name {
        "sha1" => ChecksumAlgorithm::Sha1,
        "sha256" => ChecksumAlgorithm::Sha256,
        "crc32" => ChecksumAlgorithm::Crc32,
        _ => return None,
    };
    let hasher = Box::new(ChecksumHasher::new(algorithm));
    Some(Claim::Checksum { hasher, value: STANDARD.decode(value.trim()).ok()? })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_is_understood() {
        assert!(parse("sha1 98O8HYCOBHMq32eZZczDTKeuNEE=").is_some());
        for bad in ["md4 AAAA", "sha1 !", "sha1", ""] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
