//! Whole checksum: the checksum of an object, from those of its parts.
//! Owns: the arithmetic (Amazon S3: "Checking object integrity"), and whether what the client gave agrees with it.
//! A full-object CRC is combined from the parts' CRCs and sizes; a composite one is the checksum of the parts' checksums.

mod crc_polynomial;

use crc_fast::CrcAlgorithm;
use crc_polynomial::CrcPolynomial;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::complete_upload::Completion;
use crate::metadata::outcome::Refusal;
use crate::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, PartRecord, UploadRecord};

/// The object's checksum, if the upload was bound to one or the client asks for one. Without either, it has one if all
/// its parts have: full-object where that can be computed, as with CRCs.
pub(super) fn checked(
    upload: &UploadRecord,
    complete: &Completion<'_>,
    parts: &[PartRecord],
) -> Result<Option<Checksum>, Refusal> {
    let given = complete.checksum;
    let asked_kind = complete.checksum_type.or(given.map(|given| given.kind));
    let of_parts = common_algorithm(parts);
    let (algorithm, kind) = match (upload.checksum, given.map(|given| given.algorithm).or(of_parts)) {
        (Some(bound), _) => bound,
        (None, Some(algorithm)) => (algorithm, asked_kind.unwrap_or(default_type(algorithm))),
        (None, None) => return Ok(None),
    };
    let is_asked_one =
        given.is_none_or(|given| given.algorithm == algorithm) && asked_kind.is_none_or(|asked| asked == kind);
    if !is_asked_one || of_parts != Some(algorithm) {
        return Err(Refusal::ChecksumAlgorithmMismatch);
    }
    let values = parts.iter().filter_map(|part| Some((part.checksum.as_ref()?.value.as_slice(), part.bytes)));
    let Some(value) = combine(algorithm, kind, values) else {
        return Err(Refusal::ChecksumAlgorithmMismatch);
    };
    if given.is_some_and(|given| given.value != value) {
        return Err(Refusal::ChecksumMismatch);
    }
    Ok(Some(Checksum { algorithm, kind, value }))
}

fn common_algorithm(parts: &[PartRecord]) -> Option<ChecksumAlgorithm> {
    let algorithm_of = |part: &PartRecord| part.checksum.as_ref().map(|checksum| checksum.algorithm);
    let first = algorithm_of(parts.first()?)?;
    parts.iter().all(|part| algorithm_of(part) == Some(first)).then_some(first)
}

fn default_type(algorithm: ChecksumAlgorithm) -> ChecksumType {
    match algorithm {
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c | ChecksumAlgorithm::Crc64Nvme => ChecksumType::FullObject,
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => ChecksumType::Composite,
    }
}

/// `None`: this algorithm has no such type, or a part's checksum has not its length.
fn combine<'p>(
    algorithm: ChecksumAlgorithm,
    kind: ChecksumType,
    parts: impl Iterator<Item = (&'p [u8], u64)>,
) -> Option<Vec<u8>> {
    match (kind, Crc::of(algorithm)) {
        (ChecksumType::FullObject, Some(crc)) => crc.of_whole(parts),
        (ChecksumType::FullObject, None) => None,
        // S3 has no composite CRC64NVME.
        (ChecksumType::Composite, _) if algorithm == ChecksumAlgorithm::Crc64Nvme => None,
        (ChecksumType::Composite, crc) => {
            let joined: Vec<u8> = parts.flat_map(|(value, _)| value.iter().copied()).collect();
            Some(match (crc, algorithm) {
                (Some(crc), _) => crc.to_bytes(crc_fast::checksum(crc.algorithm, &joined)),
                (None, ChecksumAlgorithm::Sha1) => Sha1::digest(&joined).to_vec(),
                (None, _) => Sha256::digest(&joined).to_vec(),
            })
        }
    }
}

struct Crc {
    algorithm: CrcAlgorithm,
    polynomial: CrcPolynomial,
    bytes: usize,
}

impl Crc {
    fn of(algorithm: ChecksumAlgorithm) -> Option<Self> {
        let (algorithm, polynomial, bytes) = match algorithm {
            ChecksumAlgorithm::Crc32 => (CrcAlgorithm::Crc32IsoHdlc, CrcPolynomial::CRC32, 4),
            ChecksumAlgorithm::Crc32c => (CrcAlgorithm::Crc32Iscsi, CrcPolynomial::CRC32C, 4),
            ChecksumAlgorithm::Crc64Nvme => (CrcAlgorithm::Crc64Nvme, CrcPolynomial::CRC64_NVME, 8),
            ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => return None,
        };
        Some(Self { algorithm, polynomial, bytes })
    }

    fn of_whole<'p>(&self, parts: impl Iterator<Item = (&'p [u8], u64)>) -> Option<Vec<u8>> {
        let mut whole = crc_fast::checksum(self.algorithm, b"");
        for (value, bytes) in parts {
            whole = self.polynomial.combine(whole, self.parse(value)?, bytes);
        }
        Some(self.to_bytes(whole))
    }

    fn parse(&self, value: &[u8]) -> Option<u64> {
        let mut padded = [0; 8];
        padded
            .get_mut(8 - self.bytes..)?
            .copy_from_slice(value.get(..self.bytes).filter(|_| value.len() == self.bytes)?);
        Some(u64::from_be_bytes(padded))
    }

    fn to_bytes(&self, crc: u64) -> Vec<u8> {
        crc.to_be_bytes()[8 - self.bytes..].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc(algorithm: ChecksumAlgorithm, data: &[u8]) -> Vec<u8> {
        let crc = Crc::of(algorithm).unwrap();
        crc.to_bytes(crc_fast::checksum(crc.algorithm, data))
    }

    #[test]
    fn the_crcs_are_those_of_s3() {
        // The catalogue's check values, for "123456789".
        assert_eq!(crc(ChecksumAlgorithm::Crc32, b"123456789"), 0xcbf4_3926_u32.to_be_bytes());
        assert_eq!(crc(ChecksumAlgorithm::Crc32c, b"123456789"), 0xe306_9283_u32.to_be_bytes());
        assert_eq!(crc(ChecksumAlgorithm::Crc64Nvme, b"123456789"), 0xae8b_1486_0a79_9888_u64.to_be_bytes());
    }

    #[test]
    fn combined_crcs_are_those_of_the_joined_bytes() {
        let parts = [&b"one"[..], b"", b"and two", b"3"];
        for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc64Nvme] {
            let values: Vec<Vec<u8>> = parts.iter().map(|part| crc(algorithm, part)).collect();
            let listed = values.iter().zip(parts).map(|(value, part)| (value.as_slice(), part.len() as u64));
            let whole = combine(algorithm, ChecksumType::FullObject, listed);
            assert_eq!(whole, Some(crc(algorithm, &parts.concat())), "{algorithm:?}");
        }
    }

    #[test]
    fn composite_is_the_checksum_of_the_checksums() {
        let parts = [Sha256::digest(b"a").to_vec(), Sha256::digest(b"b").to_vec()];
        let listed = parts.iter().map(|part| (part.as_slice(), 1));
        let composite = combine(ChecksumAlgorithm::Sha256, ChecksumType::Composite, listed);
        assert_eq!(composite, Some(Sha256::digest(parts.concat()).to_vec()));
    }

    #[test]
    fn what_s3_does_not_have_is_refused() {
        let none = || std::iter::empty();
        assert_eq!(combine(ChecksumAlgorithm::Sha1, ChecksumType::FullObject, none()), None);
        assert_eq!(combine(ChecksumAlgorithm::Crc64Nvme, ChecksumType::Composite, none()), None);
        let short = [(&[1u8][..], 1)];
        assert_eq!(combine(ChecksumAlgorithm::Crc32, ChecksumType::FullObject, short.into_iter()), None);
    }
}
