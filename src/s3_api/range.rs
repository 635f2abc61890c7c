//! Byte ranges: the Range header of reads and the range of UploadPartCopy.
//! RFC 9110 §14: a Range that cannot be understood is ignored; one that cannot be satisfied is 416.

use std::ops::Range;

use http::HeaderValue;
use http::header::CONTENT_RANGE;

use crate::s3_api::error::{ErrorCode, Result, S3Error};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// `bytes=first-`
    From { first: u64 },
    /// `bytes=first-last`, last included.
    FromTo { first: u64, last: u64 },
    /// `bytes=-count`
    Suffix { count: u64 },
}

impl ByteRange {
    /// `None`: malformed, or several ranges (which S3 does not serve): the whole object is the answer.
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, spec) = header.trim().split_once('=')?;
        let (first, last) = spec.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (first.trim(), last.trim()) {
            ("", "") => None,
            ("", count) => Some(Self::Suffix { count: parse_offset(count)? }),
            (first, "") => Some(Self::From { first: parse_offset(first)? }),
            (first, last) => {
                let (first, last) = (parse_offset(first)?, parse_offset(last)?);
                (first <= last).then_some(Self::FromTo { first, last })
            }
        }
    }

    /// The half-open range of an object of `bytes` bytes.
    pub fn resolve(self, bytes: u64) -> Result<Range<u64>> {
        let range = match self {
            Self::From { first } => first..bytes,
            Self::FromTo { first, last } => first..last.saturating_add(1).min(bytes),
            Self::Suffix { count } => bytes.saturating_sub(count)..bytes,
        };
        if range.start >= range.end {
            return Err(not_satisfiable(self, bytes));
        }
        Ok(range)
    }
}

impl std::fmt::Display for ByteRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::From { first } => write!(f, "bytes={first}-"),
            Self::FromTo { first, last } => write!(f, "bytes={first}-{last}"),
            Self::Suffix { count } => write!(f, "bytes=-{count}"),
        }
    }
}

/// `x-amz-copy-source-range`: one closed range that lies within the source.
pub fn copy_source_range(header: &str, source_bytes: u64) -> Result<Range<u64>> {
    let Some(ByteRange::FromTo { first, last }) = ByteRange::parse(header) else {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        return Err(S3Error::invalid_argument(message, "x-amz-copy-source-range", header));
    };
    if last >= source_bytes {
        let message = format!("Range specified is not valid for source object of size: {source_bytes}");
        return Err(S3Error::invalid_argument(message, "x-amz-copy-source-range", header));
    }
    Ok(first..last + 1)
}

/// `bytes first-last/whole`; the range is not empty.
pub fn content_range(range: &Range<u64>, bytes: u64) -> String {
    format!("bytes {}-{}/{bytes}", range.start, range.end.saturating_sub(1))
}

/// Digits only. Past u64 it is past every object, so saturating keeps the meaning.
fn parse_offset(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn not_satisfiable(range: ByteRange, bytes: u64) -> S3Error {
    let error = S3Error::new(ErrorCode::InvalidRange)
        .field("RangeRequested", range.to_string())
        .field("ActualObjectSize", bytes.to_string());
    match HeaderValue::from_str(&format!("bytes */{bytes}")) {
        Ok(value) => error.header(CONTENT_RANGE, value),
        Err(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteRange, content_range, copy_source_range};

    fn resolved(header: &str, bytes: u64) -> String {
        match ByteRange::parse(header) {
            None => "whole".to_owned(),
            Some(range) => match range.resolve(bytes) {
                Ok(range) => content_range(&range, bytes),
                Err(error) => format!("{} {:?}", error.code.as_str(), error.headers[0].1),
            },
        }
    }

    #[test]
    fn ranges_of_ten_bytes() {
        assert_eq!(resolved("bytes=0-0", 10), "bytes 0-0/10");
        assert_eq!(resolved("bytes=2-", 10), "bytes 2-9/10");
        assert_eq!(resolved("bytes=2-99", 10), "bytes 2-9/10");
        assert_eq!(resolved("bytes=-3", 10), "bytes 7-9/10");
        assert_eq!(resolved("bytes=-30", 10), "bytes 0-9/10");
        assert_eq!(resolved("BYTES = 1 - 2", 10), "bytes 1-2/10");
        assert_eq!(resolved("bytes=-18446744073709551616", 10), "bytes 0-9/10");
        assert_eq!(resolved("bytes=0-18446744073709551615", 10), "bytes 0-9/10");
        assert_eq!(resolved("bytes=10-", 10), "InvalidRange \"bytes */10\"");
        assert_eq!(resolved("bytes=99999999999999999999-", 10), "InvalidRange \"bytes */10\"");
        assert_eq!(resolved("bytes=-0", 10), "InvalidRange \"bytes */10\"");
        assert_eq!(resolved("bytes=0-", 0), "InvalidRange \"bytes */0\"");
        assert_eq!(resolved("bytes=-5", 0), "InvalidRange \"bytes */0\"");
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=3-2",
            "bytes=0-1,4-5",
            "items=0-1",
            "bytes=+1-2",
            "bytes=1--2",
        ] {
            assert_eq!(resolved(header, 10), "whole", "{header}");
        }
    }

    #[test]
    fn copy_ranges_are_closed_and_within() {
        assert_eq!(copy_source_range("bytes=0-9", 10).unwrap(), 0..10);
        for bad in ["bytes=0-10", "bytes=0-", "bytes=-1", "bytes=2-1", "0-1", "bytes=0-1,2-3"] {
            assert!(copy_source_range(bad, 10).is_err(), "{bad}");
        }
    }
}
