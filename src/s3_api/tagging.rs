//! Tags: the `x-amz-tagging` header and the rules for every tag set.
//! Amazon S3 User Guide, "Categorizing your objects using tags"; AWS Billing, "User-defined tag restrictions".

use onggi_cluster::metadata::record::Pairs;

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::router::query::Query;

pub const OBJECT_TAGS_MAX: usize = 10;
pub const BUCKET_TAGS_MAX: usize = 50;
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

/// `k1=v1&k2=v2`, percent-encoded; a value may hold `=`.
pub fn parse_header(header: &str) -> Result<Pairs> {
    let Ok(query) = Query::parse(header) else {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
        return Err(S3Error::invalid_argument(message, "x-amz-tagging", header));
    };
    let tags = query.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    check_object_tags(&tags)?;
    Ok(tags)
}

pub fn check_object_tags(tags: &Pairs) -> Result<()> {
    check(tags, OBJECT_TAGS_MAX, "Object")
}

pub fn check_bucket_tags(tags: &Pairs) -> Result<()> {
    check(tags, BUCKET_TAGS_MAX, "Bucket")
}

fn check(tags: &Pairs, count_max: usize, what: &str) -> Result<()> {
    if tags.len() > count_max {
        let message = format!("{what} tags cannot be greater than {count_max}");
        return Err(S3Error::with_message(ErrorCode::BadRequest, message));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        if !is_valid(key, KEY_CHARACTERS_MAX) || key.is_empty() {
            return Err(invalid_tag("The TagKey you have provided is invalid", key));
        }
        if key.starts_with("aws:") {
            return Err(invalid_tag("System tags cannot be added/updated by requester", key));
        }
        if !is_valid(value, VALUE_CHARACTERS_MAX) {
            return Err(invalid_tag("The TagValue you have provided is invalid", key));
        }
        // At most 50 tags: quadratic is nothing here.
        if tags[..at].iter().any(|(earlier, _)| earlier == key) {
            return Err(invalid_tag("Cannot provide multiple Tags with the same key", key));
        }
    }
    Ok(())
}

fn is_valid(text: &str, characters_max: usize) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "+-=._:/@".contains(c);
    text.chars().count() <= characters_max && text.chars().all(allowed)
}

fn invalid_tag(message: &'static str, key: &str) -> S3Error {
    S3Error::with_message(ErrorCode::InvalidTag, message).field("TagKey", key)
}

#[cfg(test)]
mod tests {
    use super::{check_bucket_tags, parse_header};

    fn parsed(header: &str) -> String {
        match parse_header(header) {
            Ok(tags) => format!("{tags:?}"),
            Err(error) => error.code.as_str().to_owned(),
        }
    }

    #[test]
    fn header_forms() {
        assert_eq!(parsed(""), "[]");
        assert_eq!(parsed("a=1&b="), r#"[("a", "1"), ("b", "")]"#);
        assert_eq!(parsed("a&b=x=y"), r#"[("a", ""), ("b", "x=y")]"#);
        assert_eq!(parsed("a%2Fb=c%3Dd+e%20f"), r#"[("a/b", "c=d e f")]"#);
        assert_eq!(parsed("k%C3%A9y=%E5%80%A4"), r#"[("kéy", "値")]"#);
    }

    #[test]
    fn rules() {
        assert_eq!(parsed("=v"), "InvalidTag");
        assert_eq!(parsed("a=1&a=2"), "InvalidTag");
        assert_eq!(parsed("aws:x=1"), "InvalidTag");
        assert_eq!(parsed("a=%00"), "InvalidTag");
        assert_eq!(parsed("a=%0A"), "InvalidTag");
        assert_eq!(parsed("a=<b>"), "InvalidTag");
        assert_eq!(parsed("a=%zz"), "InvalidArgument");
        assert_eq!(parsed(&format!("{}=1", "k".repeat(129))), "InvalidTag");
        assert_eq!(parsed(&format!("k={}", "v".repeat(257))), "InvalidTag");
        assert!(parsed(&format!("{}={}", "k".repeat(128), "v".repeat(256))).starts_with('['));
        let header = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        assert!(parsed(&header(10)).starts_with('['));
        assert_eq!(parsed(&header(11)), "BadRequest");
        let tags = |count: usize| (0..count).map(|n| (format!("k{n}"), String::new())).collect();
        assert!(check_bucket_tags(&tags(50)).is_ok());
        assert!(check_bucket_tags(&tags(51)).is_err());
    }
}
