//! Timestamps: the three forms that S3 puts on the wire, all of them cut to whole seconds, as AWS does, so that
//! `Last-Modified`, listings and date conditions agree.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const ISO_8601: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");
const ISO_8601_BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// `Sun, 06 Nov 1994 08:49:37 GMT`, for headers (RFC 9110 §5.6.7).
pub fn http_date(unix_ms: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix_ms / 1000))
}

/// All three forms that RFC 9110 asks servers to read; in seconds.
pub fn parse_http_date(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    Some(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// `2009-10-12T17:50:30.000Z`, for XML.
pub fn iso_8601(unix_ms: u64) -> String {
    let time = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(unix_ms / 1000);
    // A year past 9999 is the only failure, and no clock gets there.
    time.format(ISO_8601).unwrap_or_default()
}

/// `20130524T000000Z`, of `x-amz-date`; in seconds.
pub fn parse_iso_8601_basic(text: &str) -> Option<u64> {
    let time = time::PrimitiveDateTime::parse(text, ISO_8601_BASIC).ok()?;
    u64::try_from(time.assume_utc().unix_timestamp()).ok()
}

pub fn unix_seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::{http_date, iso_8601, parse_http_date, parse_iso_8601_basic};

    #[test]
    fn forms() {
        assert_eq!(http_date(784_111_777_999), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(iso_8601(1_255_369_830_999), "2009-10-12T17:50:30.000Z");
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse_http_date("yesterday"), None);
        assert_eq!(parse_iso_8601_basic("20130524T000000Z"), Some(1_369_353_600));
        for bad in ["2013-05-24T00:00:00Z", "20130524", "20131324T000000Z", "", "20130524T000000"] {
            assert_eq!(parse_iso_8601_basic(bad), None, "{bad}");
        }
    }
}
