//! User metadata: `x-amz-meta-*`.
//! Amazon S3 User Guide, "User-defined object metadata": 2 KB in all, names in lower case, repeated names joined; values
//! that are not printable US-ASCII travel as RFC 2047 encoded words.

use http::{HeaderMap, HeaderName, HeaderValue};
use onggi_cluster::metadata::record::Pairs;

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::headers::{encoded_word, value_text};

const PREFIX: &str = "x-amz-meta-";
/// Sum of the bytes of names (without prefix) and values.
const BYTES_MAX: usize = 2048;

pub fn parse(headers: &HeaderMap) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        let value = encoded_word::decode(&value_text(value));
        match pairs.iter_mut().find(|(have, _)| have == name) {
            Some((_, joined)) => joined.extend([",", value.as_str()]),
            None => pairs.push((name.to_owned(), value)),
        }
    }
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > BYTES_MAX {
        return Err(S3Error::new(ErrorCode::MetadataTooLarge)
            .field("Size", bytes.to_string())
            .field("MaxSizeAllowed", BYTES_MAX.to_string()));
    }
    Ok(pairs)
}

pub fn write(pairs: &Pairs, reply: &mut HeaderMap) {
    for (name, value) in pairs {
        let name = HeaderName::try_from(format!("{PREFIX}{name}"));
        let value = HeaderValue::try_from(encoded_word::encode(value).as_ref());
        // Names came out of header names, and encoded values are printable.
        if let (Ok(name), Ok(value)) = (name, value) {
            reply.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{parse, write};
    use crate::s3_api::error::ErrorCode;

    fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn names_are_lower_case_and_repeats_are_joined() {
        let given =
            headers(&[("X-Amz-Meta-A", b" 1 "), ("x-amz-meta-b", b"x"), ("x-amz-meta-a", b"2"), ("x-other", b"")]);
        assert_eq!(parse(&given).unwrap(), [pair("a", "1,2"), pair("b", "x")]);
    }

    #[test]
    fn other_alphabets_come_back_as_encoded_words() {
        let given = headers(&[
            ("x-amz-meta-raw", "Grüße".as_bytes()),
            ("x-amz-meta-latin", b"Gr\xfc\xdfe"),
            ("x-amz-meta-word", b"=?UTF-8?B?R3LDvMOfZQ==?="),
        ]);
        let stored = parse(&given).unwrap();
        assert_eq!(stored, [pair("raw", "Grüße"), pair("latin", "Grüße"), pair("word", "Grüße")]);
        let mut reply = HeaderMap::new();
        write(&stored, &mut reply);
        for name in ["x-amz-meta-raw", "x-amz-meta-latin", "x-amz-meta-word"] {
            assert_eq!(reply[name], "=?UTF-8?B?R3LDvMOfZQ==?=");
        }
        assert_eq!(parse(&reply).unwrap(), stored);
    }

    #[test]
    fn a_decoded_line_break_cannot_split_the_reply() {
        let stored = parse(&headers(&[("x-amz-meta-a", b"=?UTF-8?Q?a=0D=0Ab?=")])).unwrap();
        assert_eq!(stored, [pair("a", "a\r\nb")]);
        let mut reply = HeaderMap::new();
        write(&stored, &mut reply);
        assert_eq!(reply["x-amz-meta-a"], "=?UTF-8?B?YQ0KYg==?=");
    }

    #[test]
    fn two_kilobytes_in_all() {
        let fits = vec![b'v'; 2044];
        assert!(parse(&headers(&[("x-amz-meta-name", &fits)])).is_ok());
        let over = headers(&[("x-amz-meta-name", &fits), ("x-amz-meta-b", b"")]);
        assert_eq!(parse(&over).unwrap_err().code, ErrorCode::MetadataTooLarge);
    }
}
