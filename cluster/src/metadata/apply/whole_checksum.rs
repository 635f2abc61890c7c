//! Whole checksum: the checksum of an object, from those of its parts.
//! Owns: the arithmetic (Amazon S3: "Checking object integrity"), and whether what the client gave agrees with it.
//! A full-object CRC is combined from the parts' CRCs and sizes; a composite one is the checksum of the parts' checksums.

mod crc_polynomial;

use crc_polynomial::CrcPolynomial;

use super::complete_upload::Completion;
use crate::metadata::checksum::ChecksumHasher;
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
    let can_be_full = algorithm.has_type(ChecksumType::FullObject);
    if can_be_full { ChecksumType::FullObject } else { ChecksumType::Composite }
}

/// `None`: this algorithm has no such type, or a part's checksum has not its length.
fn combine<'p>(
    algorithm: ChecksumAlgorithm,
    kind: ChecksumType,
    parts: impl Iterator<Item = (&'p [u8], u64)>,
) -> Option<Vec<u8>> {
    if !algorithm.has_type(kind) {
        return None;
    }
    match kind {
        ChecksumType::FullObject => crc_of_whole(algorithm, parts),
        ChecksumType::Composite => {
            let mut hasher = ChecksumHasher::new(algorithm);
            parts.for_each(|(value, _)| hasher.update(value));
            Some(hasher.finish().value)
        }
    }
}

fn crc_of_whole<'p>(algorithm: ChecksumAlgorithm, parts: impl Iterator<Item = (&'p [u8], u64)>) -> Option<Vec<u8>> {
    let polynomial = CrcPolynomial::of(algorithm)?;
    let unused = 8 - algorithm.value_bytes();
    // The CRC of nothing.
    let mut whole = 0;
    for (value, bytes) in parts {
        let mut padded = [0; 8];
        padded[unused..].copy_from_slice(Some(value).filter(|value| value.len() + unused == 8)?);
        whole = polynomial.combine(whole, u64::from_be_bytes(padded), bytes);
    }
    Some(whole.to_be_bytes()[unused..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(algorithm: ChecksumAlgorithm, data: &[u8]) -> Vec<u8> {
        let mut hasher = ChecksumHasher::new(algorithm);
        hasher.update(data);
        hasher.finish().value
    }

    fn of_parts(algorithm: ChecksumAlgorithm, kind: ChecksumType, parts: &[&[u8]]) -> Option<Vec<u8>> {
        let values: Vec<Vec<u8>> = parts.iter().map(|part| value(algorithm, part)).collect();
        let listed = values.iter().zip(parts).map(|(value, part)| (value.as_slice(), part.len() as u64));
        combine(algorithm, kind, listed)
    }

    #[test]
    fn every_algorithm_has_the_types_that_s3_has() {
        let parts = [&b"one"[..], b"", b"and two", b"3"];
        for algorithm in ChecksumAlgorithm::ALL {
            let values: Vec<u8> = parts.iter().flat_map(|part| value(algorithm, part)).collect();
            let (of_joined, of_values) = (value(algorithm, &parts.concat()), value(algorithm, &values));
            let expected = match algorithm {
                ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => (Some(of_joined), Some(of_values)),
                ChecksumAlgorithm::Crc64Nvme => (Some(of_joined), None),
                _ => (None, Some(of_values)),
            };
            let full = of_parts(algorithm, ChecksumType::FullObject, &parts);
            let composite = of_parts(algorithm, ChecksumType::Composite, &parts);
            assert_eq!((full, composite), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn a_value_of_another_length_is_refused() {
        for value in [&[1][..], &[1; 5], &[1; 9]] {
            let parts = [(value, 1)].into_iter();
            assert_eq!(combine(ChecksumAlgorithm::Crc32, ChecksumType::FullObject, parts), None);
        }
    }
}
