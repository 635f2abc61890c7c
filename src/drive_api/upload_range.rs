//! Content-Range of resumable uploads, both ways (Google, "Perform a resumable upload"; RFC 9110 §14.4 for the syntax).

/// What one PUT on a session says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadRange {
    /// `bytes 0-99/*`: bytes of the file, and its length if it is known.
    Piece { first: u64, last: u64, total: Option<u64> },
    /// `bytes */1000`: no bytes, the question how far the upload is. Ends the upload if it is whole.
    Query { total: Option<u64> },
}

impl UploadRange {
    /// `None`: not understood, and then nothing of the body may be stored.
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, spec) = header.trim().split_once([' ', '='])?;
        let (range, total) = spec.trim().split_once('/')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let total = match total.trim() {
            "*" => None,
            digits => Some(number(digits)?),
        };
        if range.trim() == "*" {
            return Some(Self::Query { total });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first.trim())?, number(last.trim())?);
        let fits = first <= last && last < u64::MAX && total.is_none_or(|total| last < total);
        fits.then_some(Self::Piece { first, last, total })
    }
}

/// The `Range` of a 308: what is stored. Without it nothing is.
pub fn stored_range(received: u64) -> Option<String> {
    Some(format!("bytes=0-{}", received.checked_sub(1)?))
}

fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_google_clients_send() {
        let piece = |first, last, total| Some(UploadRange::Piece { first, last, total });
        assert_eq!(UploadRange::parse("bytes 0-262143/1000000"), piece(0, 262_143, Some(1_000_000)));
        assert_eq!(UploadRange::parse("bytes 262144-999999/1000000"), piece(262_144, 999_999, Some(1_000_000)));
        assert_eq!(UploadRange::parse("bytes 0-262143/*"), piece(0, 262_143, None));
        assert_eq!(UploadRange::parse("bytes */1000000"), Some(UploadRange::Query { total: Some(1_000_000) }));
        assert_eq!(UploadRange::parse("bytes */*"), Some(UploadRange::Query { total: None }));
        assert_eq!(UploadRange::parse("bytes */0"), Some(UploadRange::Query { total: Some(0) }));
    }

    #[test]
    fn what_is_refused() {
        for bad in [
            "",
            "bytes",
            "bytes 0-5",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes -5/10",
            "bytes 0-/10",
            "items 0-1/2",
            "bytes 0-1/x",
            "bytes +0-1/2",
            "bytes 0-18446744073709551615/*",
            "bytes 0-99999999999999999999/*",
        ] {
            assert_eq!(UploadRange::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_stored_is_said_in_bytes_from_zero() {
        assert_eq!(stored_range(0), None);
        assert_eq!(stored_range(262_144).unwrap(), "bytes=0-262143");
    }
}
