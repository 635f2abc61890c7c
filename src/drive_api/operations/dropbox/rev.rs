//! Revs: which revision of which entry, because all files of a folder that was copied have come with one change and have its number.
//! The text is what S3 names the same revision by. A condition ("if that is still the head") compares the number: there the entry stands
//! beside it.

use onggi_cluster::id::{EntryId, VersionId};

use crate::drive_api::error::Result;
use crate::drive_api::request;

pub fn text(entry: EntryId, rev: u64) -> String {
    VersionId::of_revision(rev, entry).to_string()
}

/// With its entry: what a rev by itself is looked up with.
pub fn parse(text: &str) -> Option<(EntryId, u64)> {
    let (rev, entry) = VersionId::parse(text)?.revision();
    Some((entry, rev))
}

/// The number. One that the drive's own API gave out is as good.
pub fn number(text: &str) -> Result<u64> {
    match parse(text) {
        Some((_, rev)) => Ok(rev),
        None => request::revision(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rev_names_its_entry() {
        assert_eq!(text(EntryId(255), 31), "000000000000001f00000000000000ff");
        assert_eq!(parse("000000000000001f00000000000000ff"), Some((EntryId(255), 31)));
        assert_eq!(parse("00000000000001f"), None);
        assert_eq!(number("000000000000001f00000000000000ff").unwrap(), 31);
        assert_eq!(number("00000000000001f").unwrap(), 31);
        for bad in ["", "head", "000000000000001f00000000000000f", "000000000000001F00000000000000FF"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
