//! How ids, revisions and times are written on the wire, and read back.

use std::time::Duration;

use onggi_cluster::id::EntryId;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
/// Dropbox's SDKs ask for nine digits at least; fifteen outlast every tree.
const REVISION_DIGITS: usize = 15;

pub fn revision(rev: u64) -> String {
    format!("{rev:0REVISION_DIGITS$x}")
}

/// Leading zeros may be left out.
pub fn parse_revision(text: &str) -> Option<u64> {
    let digits = (1..=16).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

pub fn entry_id(id: EntryId) -> String {
    format!("id:{:016x}", id.0)
}

pub fn parse_entry_id(text: &str) -> Option<EntryId> {
    let digits = text.strip_prefix("id:")?;
    let well_formed = digits.len() == 16 && !digits.starts_with('+');
    well_formed.then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(EntryId)
}

/// `2026-11-22T20:00:00.123Z`
pub fn time(unix_ms: u64) -> String {
    moment(unix_ms).format(MILLISECONDS).unwrap_or_default()
}

/// `2026-11-22T20:00:00Z`: Dropbox's SDKs take no fractions.
pub fn time_in_seconds(unix_ms: u64) -> String {
    moment(unix_ms).format(SECONDS).unwrap_or_default()
}

/// RFC 3339, or unix seconds or milliseconds. Times before 1970 are the first moment of it, as a file that says so is no reason to refuse it.
pub fn parse_time(text: &str) -> Option<u64> {
    if let Ok(number) = text.parse::<f64>() {
        // Seconds reach this in the year 5138.
        let ms = if number < 1e11 { number * 1000.0 } else { number };
        return number.is_finite().then_some(ms.max(0.0) as u64);
    }
    let time = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    Some(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
}

/// The last moment of the year 9999 for what is later: a client may claim any time.
fn moment(unix_ms: u64) -> OffsetDateTime {
    const LATEST_MS: u64 = 253_402_300_799_999;
    OffsetDateTime::UNIX_EPOCH + Duration::from_millis(unix_ms.min(LATEST_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions() {
        assert_eq!(revision(31), "00000000000001f");
        assert_eq!(parse_revision("00000000000001f"), Some(31));
        assert_eq!(parse_revision("1f"), Some(31));
        assert_eq!(parse_revision(&revision(u64::MAX)), Some(u64::MAX));
        for bad in ["", "g", "1F", "+1", " 1", "00000000000000001"] {
            assert_eq!(parse_revision(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids() {
        assert_eq!(entry_id(EntryId(255)), "id:00000000000000ff");
        assert_eq!(parse_entry_id("id:00000000000000ff"), Some(EntryId(255)));
        for bad in ["", "id:", "id:ff", "00000000000000ff", "id:+0000000000000ff", "id:000000000000000g"] {
            assert_eq!(parse_entry_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time(1_795_377_600_123), "2026-11-22T20:00:00.123Z");
        assert_eq!(time_in_seconds(1_795_377_600_999), "2026-11-22T20:00:00Z");
        assert_eq!(time(u64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(parse_time("2026-11-22T20:00:00.123Z"), Some(1_795_377_600_123));
        assert_eq!(parse_time("2026-11-22T21:00:00+01:00"), Some(1_795_377_600_000));
        assert_eq!(parse_time("1795377600"), Some(1_795_377_600_000));
        assert_eq!(parse_time("1795377600123"), Some(1_795_377_600_123));
        assert_eq!(parse_time("1901-01-01T00:00:00Z"), Some(0));
        for bad in ["", "yesterday", "2026-11-22", "NaN", "inf"] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
