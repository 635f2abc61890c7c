//! Canonical requests: the one form of a request that both sides sign.
//! AWS IAM User Guide, "Create a canonical request"; for S3 each path segment is encoded once and never normalised.

use std::borrow::Cow;

use http::header::HOST;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::s3_api::auth::SignedRequest;
use crate::s3_api::router::host_of;

/// Everything but the unreserved characters of RFC 3986 §2.3.
pub const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `signed_headers` as the client listed them; `skip_parameter` is the signature itself, when it stands in the query.
pub fn canonical_request(
    request: &SignedRequest<'_>,
    signed_headers: &[String],
    skip_parameter: Option<&str>,
    payload_hash: &str,
) -> String {
    let mut out = String::with_capacity(512);
    out.extend([request.method.as_str(), "\n"]);
    push_path(&mut out, request.uri.path());
    out.push('\n');
    push_query(&mut out, request, skip_parameter);
    out.push('\n');
    for name in signed_headers {
        out.extend([name.as_str(), ":", &header_value(request, name), "\n"]);
    }
    out.extend(["\n", &signed_headers.join(";"), "\n", payload_hash]);
    out
}

/// Decodes and encodes again segment by segment, so that clients may leave what they like unencoded, and `%2F` is no
/// separator.
fn push_path(out: &mut String, raw: &str) {
    for (at, segment) in raw.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        // The router has refused what is not UTF-8.
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        out.extend(utf8_percent_encode(&decoded, RESERVED));
    }
}

fn push_query(out: &mut String, request: &SignedRequest<'_>, skip: Option<&str>) {
    let mut pairs: Vec<(String, String)> = request
        .query
        .iter()
        .filter(|(name, _)| Some(*name) != skip)
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        out.extend([name, "=", value]);
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// All values of a header, trimmed, inner white space collapsed, joined with commas. A missing header is an empty one.
fn header_value(request: &SignedRequest<'_>, name: &str) -> String {
    if name == HOST.as_str() {
        return host_of(request.uri, request.headers).to_owned();
    }
    let values: Vec<String> = request
        .headers
        .get_all(name)
        .iter()
        .map(|value| collapse(&String::from_utf8_lossy(value.as_bytes())))
        .collect();
    values.join(",")
}

fn collapse(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names in `SignedHeaders`, lower case.
pub fn signed_header_names(list: &str) -> Vec<String> {
    list.split(';').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

/// Headers that must be signed and are not: `host` and every `x-amz-*`, for they change what the request means.
/// `x-amz-cf-id` is added on the way by a CDN and means nothing here.
pub fn unsigned_headers(request: &SignedRequest<'_>, signed: &[String]) -> Vec<String> {
    let host = std::iter::once(Cow::Borrowed(HOST.as_str()));
    let present = request.headers.keys().map(|name| Cow::Borrowed(name.as_str()));
    let must_be_signed = present.filter(|name| name.starts_with("x-amz-") && name != "x-amz-cf-id");
    host.chain(must_be_signed).filter(|name| !signed.iter().any(|have| have == name)).map(Cow::into_owned).collect()
}
