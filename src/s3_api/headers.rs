//! Headers of objects: what is stored with an object, what comes back, what may replace it in one reply.
//! Owns: which request headers are stored and which are refused. Invariant: a header that would change how an object is
//! protected, placed or shown is enforced or refused, never ignored.

pub mod encoded_word;
pub mod hoisted;
pub mod unimplemented;
pub mod user_metadata;

use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES};
use http::{HeaderMap, HeaderName, HeaderValue};
use onggi_cluster::metadata::record::ObjectHeaders;

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::router::Query;

/// What AWS answers for an object stored without a Content-Type.
pub const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";
const WEBSITE_REDIRECT: HeaderName = HeaderName::from_static("x-amz-website-redirect-location");

/// The headers that PutObject, CreateMultipartUpload, a replacing CopyObject and the form upload store.
pub fn object_headers(headers: &HeaderMap) -> Result<ObjectHeaders> {
    let website_redirect_location = text(headers, &WEBSITE_REDIRECT);
    if let Some(location) = &website_redirect_location
        && !["/", "http://", "https://"].iter().any(|prefix| location.starts_with(prefix))
    {
        return Err(S3Error::new(ErrorCode::InvalidRedirectLocation));
    }
    Ok(ObjectHeaders {
        content_type: text(headers, &CONTENT_TYPE),
        content_encoding: text(headers, &CONTENT_ENCODING).and_then(|value| without_aws_chunked(&value)),
        content_language: text(headers, &CONTENT_LANGUAGE),
        content_disposition: text(headers, &CONTENT_DISPOSITION),
        cache_control: text(headers, &CACHE_CONTROL),
        expires: text(headers, &EXPIRES),
        website_redirect_location,
        user_metadata: user_metadata::parse(headers)?,
    })
}

/// Puts the stored headers on a reply of GetObject or HeadObject.
pub fn write_object_headers(stored: &ObjectHeaders, reply: &mut HeaderMap) {
    let content_type = stored.content_type.as_deref().unwrap_or(DEFAULT_CONTENT_TYPE);
    insert(reply, CONTENT_TYPE, Some(content_type));
    insert(reply, CONTENT_ENCODING, stored.content_encoding.as_deref());
    insert(reply, CONTENT_LANGUAGE, stored.content_language.as_deref());
    insert(reply, CONTENT_DISPOSITION, stored.content_disposition.as_deref());
    insert(reply, CACHE_CONTROL, stored.cache_control.as_deref());
    insert(reply, EXPIRES, stored.expires.as_deref());
    insert(reply, WEBSITE_REDIRECT, stored.website_redirect_location.as_deref());
    user_metadata::write(&stored.user_metadata, reply);
}

/// `response-content-type=…` and its five neighbours: they replace the stored header in this one reply.
pub fn override_from_query(query: &Query, reply: &mut HeaderMap) -> Result<()> {
    let overrides = [
        ("response-content-type", CONTENT_TYPE),
        ("response-content-language", CONTENT_LANGUAGE),
        ("response-expires", EXPIRES),
        ("response-cache-control", CACHE_CONTROL),
        ("response-content-disposition", CONTENT_DISPOSITION),
        ("response-content-encoding", CONTENT_ENCODING),
    ];
    for (parameter, header) in overrides {
        let Some(value) = query.get(parameter) else { continue };
        // Control characters would split the reply.
        let Ok(header_value) = HeaderValue::from_bytes(value.as_bytes()) else {
            return Err(S3Error::invalid_argument("The value is not valid for a header.", parameter, value));
        };
        reply.insert(header, header_value);
    }
    Ok(())
}

/// The content codings of the object itself: `aws-chunked` is how the body travelled. Nothing left is no header at all.
pub fn without_aws_chunked(value: &str) -> Option<String> {
    let codings = value.split(',').map(str::trim);
    let kept: Vec<_> =
        codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked")).collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

pub fn is_aws_chunked(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("aws-chunked"))
}

/// The value as text: UTF-8 where it is, else byte by byte as ISO 8859-1. Repeated headers are one list; empty is none.
pub fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(value_text).collect();
    let value = values.join(",");
    (!value.is_empty()).then_some(value)
}

fn value_text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => value.as_bytes().iter().map(|&byte| char::from(byte)).collect::<String>().trim().to_owned(),
    }
}

fn insert(reply: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    // Everything stored came out of a header, so the conversion holds.
    if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
        reply.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use http::{HeaderMap, HeaderValue};

    use super::{is_aws_chunked, object_headers, override_from_query, without_aws_chunked, write_object_headers};
    use crate::s3_api::router::Query;

    #[test]
    fn stored_headers_come_back() {
        let mut request = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-encoding", "gzip, aws-chunked"),
            ("cache-control", "max-age=3600"),
            ("cache-control", "private"),
            ("content-disposition", "attachment; filename=\"a b\""),
            ("content-language", ""),
            ("expires", "not a date at all"),
            ("x-amz-meta-colour", "green"),
            ("authorization", "AWS4-HMAC-SHA256 …"),
        ] {
            request.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let mut reply = HeaderMap::new();
        write_object_headers(&object_headers(&request).unwrap(), &mut reply);
        let mut lines: Vec<_> =
            reply.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect();
        lines.sort();
        expect![[r#"
            cache-control: max-age=3600,private
            content-disposition: attachment; filename="a b"
            content-encoding: gzip
            content-type: text/plain; charset=utf-8
            expires: not a date at all
            x-amz-meta-colour: green
        "#]]
        .assert_eq(&lines.concat());
    }

    #[test]
    fn nothing_stored_is_the_default_type_alone() {
        let mut reply = HeaderMap::new();
        write_object_headers(&object_headers(&HeaderMap::new()).unwrap(), &mut reply);
        assert_eq!(reply.len(), 1);
        assert_eq!(reply["content-type"], "binary/octet-stream");
    }

    #[test]
    fn framing_is_not_a_coding_of_the_object() {
        assert_eq!(without_aws_chunked("aws-chunked"), None);
        assert_eq!(without_aws_chunked("AWS-Chunked, ,"), None);
        assert_eq!(without_aws_chunked("gzip,aws-chunked").as_deref(), Some("gzip"));
        assert_eq!(without_aws_chunked("aws-chunked, gzip, br").as_deref(), Some("gzip,br"));
        let mut headers = HeaderMap::new();
        headers.append("content-encoding", HeaderValue::from_static("gzip"));
        assert!(!is_aws_chunked(&headers));
        headers.append("content-encoding", HeaderValue::from_static("aws-chunked"));
        assert!(is_aws_chunked(&headers));
    }

    #[test]
    fn overrides_replace_and_cannot_split() {
        let mut reply = HeaderMap::new();
        write_object_headers(&object_headers(&HeaderMap::new()).unwrap(), &mut reply);
        let query = Query::parse("response-content-type=text%2Fhtml&response-expires=never").unwrap();
        override_from_query(&query, &mut reply).unwrap();
        assert_eq!(reply["content-type"], "text/html");
        assert_eq!(reply["expires"], "never");
        let query = Query::parse("response-content-type=a%0D%0Aset-cookie%3Ab").unwrap();
        assert!(override_from_query(&query, &mut reply).is_err());
    }

    #[test]
    fn redirect_locations() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-website-redirect-location", HeaderValue::from_static("/other"));
        assert_eq!(object_headers(&headers).unwrap().website_redirect_location.as_deref(), Some("/other"));
        headers.insert("x-amz-website-redirect-location", HeaderValue::from_static("javascript:1"));
        assert!(object_headers(&headers).is_err());
    }
}
