//! Entity tags on the wire: quoted in headers and most documents, bare in GetObjectAttributes.

use std::fmt::Write;

use onggi_cluster::metadata::record::ETag;

/// `"9bb58f26192e4ba00f01e2e7b136bbd8"`, or with `-N` for N parts.
pub fn quoted(etag: &ETag) -> String {
    format!("\"{}\"", bare(etag))
}

pub fn bare(etag: &ETag) -> String {
    let mut text = hex::encode(etag.md5);
    if let Some(parts) = etag.parts {
        // Writing to a String cannot fail.
        let _ = write!(text, "-{parts}");
    }
    text
}

/// Quoted, bare or with a weak prefix: clients send all three. `None` is a tag that we never gave.
pub fn parse(text: &str) -> Option<ETag> {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let (digest, parts) = match text.split_once('-') {
        Some((digest, count)) => (digest, Some(parse_count(count)?)),
        None => (text, None),
    };
    let mut md5 = [0; 16];
    hex::decode_to_slice(digest, &mut md5).ok()?;
    Some(ETag { md5, parts })
}

/// Without sign or leading zero: `-01` is not `-1`.
fn parse_count(text: &str) -> Option<u32> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// The value of an If-Match or If-None-Match header.
#[derive(Clone, Debug, PartialEq)]
pub enum ETagList {
    Any,
    /// Tags that we never gave are left out: they match nothing.
    Tags(Vec<ETag>),
}

impl ETagList {
    pub fn parse(text: &str) -> Self {
        if text.trim() == "*" { Self::Any } else { Self::Tags(text.split(',').filter_map(parse).collect()) }
    }

    pub fn matches(&self, etag: &ETag) -> bool {
        match self {
            ETagList::Any => true,
            ETagList::Tags(tags) => tags.contains(etag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ETagList, bare, parse, quoted};

    const DIGEST: &str = "9bb58f26192e4ba00f01e2e7b136bbd8";

    #[test]
    fn all_forms_that_clients_send() {
        let simple = parse(DIGEST).unwrap();
        assert_eq!(bare(&simple), DIGEST);
        assert_eq!(parse(&quoted(&simple)), Some(simple));
        assert_eq!(parse(&format!("W/\"{DIGEST}\"")), Some(simple));
        assert_eq!(parse(&DIGEST.to_uppercase()), Some(simple));
        let multipart = parse(&format!("\"{DIGEST}-12\"")).unwrap();
        assert_eq!(multipart.parts, Some(12));
        assert_eq!(quoted(&multipart), format!("\"{DIGEST}-12\""));
        assert_ne!(simple, multipart);
        for bad in [
            "",
            "\"\"",
            "abc",
            &DIGEST[1..],
            &format!("{DIGEST}-"),
            &format!("{DIGEST}-x"),
            &format!("{DIGEST}-01"),
            &format!("{DIGEST}-+1"),
            &format!("{DIGEST}00"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn lists() {
        let etag = parse(DIGEST).unwrap();
        assert!(ETagList::parse(" * ").matches(&etag));
        assert!(ETagList::parse(&format!("\"zzz\", W/\"{DIGEST}\"")).matches(&etag));
        assert!(!ETagList::parse("\"zzz\"").matches(&etag));
        assert!(!ETagList::parse(&format!("\"{DIGEST}-1\"")).matches(&etag));
    }
}
