//! Query strings: names and values, decoded exactly once, in the order given.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::s3_api::error::{ErrorCode, Result, S3Error};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub fn parse(raw: &str) -> Result<Self> {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode_form(name)?, decode_form(value)?));
        }
        Ok(Self { pairs })
    }

    /// The first value of this name; empty for a name without `=`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// For names of headers that stand in the query: SDKs write them in either case.
    pub fn get_ignore_case(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Percent-decodes once. A `%` that begins no escape is a broken URI, not a literal.
pub fn decode(raw: &str) -> Result<String> {
    let mut rest = raw.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let escape = rest.get(at + 1..at + 3).unwrap_or_default();
        let well_formed = escape.len() == 2 && escape.iter().all(u8::is_ascii_hexdigit);
        if !well_formed {
            return Err(S3Error::new(ErrorCode::InvalidURI).field("URI", raw));
        }
        rest = &rest[at + 3..];
    }
    match percent_decode_str(raw).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(S3Error::invalid_argument("The URI is not valid UTF-8.", "URI", raw)),
    }
}

/// As `decode`, and `+` is a space (HTML form encoding), which is how AWS reads a query.
fn decode_form(raw: &str) -> Result<String> {
    let spaced = if raw.contains('+') { Cow::Owned(raw.replace('+', " ")) } else { Cow::Borrowed(raw) };
    decode(&spaced)
}

#[cfg(test)]
mod tests {
    use super::{Query, decode};
    use crate::s3_api::error::ErrorCode;

    #[test]
    fn pairs_in_order_decoded_once() {
        let query = Query::parse("prefix=a%2520b+c&uploads&marker=&&x=1=2&prefix=second").unwrap();
        let pairs: Vec<_> = query.iter().collect();
        assert_eq!(pairs, [("prefix", "a%20b c"), ("uploads", ""), ("marker", ""), ("x", "1=2"), ("prefix", "second")]);
        assert_eq!(query.get("prefix"), Some("a%20b c"));
        assert!(query.has("uploads") && !query.has("upload"));
    }

    #[test]
    fn broken_escapes_and_broken_utf8_are_refused() {
        for raw in ["%", "a%2", "%zz", "%%20", "ok%20%g0"] {
            assert_eq!(decode(raw).unwrap_err().code, ErrorCode::InvalidURI, "{raw}");
        }
        for raw in ["%ff", "%C3", "%ED%A0%80"] {
            assert_eq!(decode(raw).unwrap_err().code, ErrorCode::InvalidArgument, "{raw}");
        }
        assert_eq!(decode("a+b%2Bc%2f").unwrap(), "a+b+c/");
    }
}
