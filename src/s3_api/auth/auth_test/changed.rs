//! Signed requests, changed in one place: each is refused, with the code that clients know.

use aws_sigv4::http_request::SignatureLocation;

use super::oracle::{SIGNED_AT, signed};
use super::{ACCESS_KEY, WireRequest};

type Change = (&'static str, fn(&mut WireRequest), &'static str);

fn original() -> WireRequest {
    let headers = [("host", "127.0.0.1:9000"), ("x-amz-meta-a", "one two"), ("content-type", "text/plain")];
    WireRequest::new("PUT", "/bucket/a//b%20c?partNumber=1&uploadId=x", &headers, SIGNED_AT)
}

const MISMATCH: &str = "SignatureDoesNotMatch";
const MALFORMED: &str = "AuthorizationHeaderMalformed";
const PARAMETERS: &str = "AuthorizationQueryParametersError";

/// Of the request itself: refused wherever the signature stands.
const OF_THE_REQUEST: &[Change] = &[
    ("method", |r| r.method = "GET".to_owned(), MISMATCH),
    ("bucket", |r| r.target = r.target.replace("/bucket/", "/buckeu/"), MISMATCH),
    ("key", |r| r.target = r.target.replace("b%20c", "b%20d"), MISMATCH),
    ("case of the key", |r| r.target = r.target.replace("b%20c", "B%20c"), MISMATCH),
    ("double slash folded", |r| r.target = r.target.replace("a//b", "a/b"), MISMATCH),
    ("dot segment added", |r| r.target = r.target.replace("a//b", "a/.//b"), MISMATCH),
    ("slash encoded", |r| r.target = r.target.replace("a//b", "a%2F/b"), MISMATCH),
    ("space as plus in the path", |r| r.target = r.target.replace("b%20c", "b+c"), MISMATCH),
    ("key encoded twice", |r| r.target = r.target.replace("b%20c", "b%2520c"), MISMATCH),
    ("slash at the end", |r| r.target = r.target.replace("b%20c", "b%20c/"), MISMATCH),
    ("query value", |r| r.target = r.target.replace("partNumber=1", "partNumber=2"), MISMATCH),
    ("query name", |r| r.target = r.target.replace("uploadId", "uploadid"), MISMATCH),
    ("query parameter removed", |r| r.target = r.target.replace("partNumber=1&", ""), MISMATCH),
    ("query parameter added", |r| r.target += "&versionId=null", MISMATCH),
    ("query parameter repeated", |r| r.target += "&partNumber=1", MISMATCH),
    ("sub-resource added", |r| r.target += "&tagging", MISMATCH),
    ("host", |r| r.set_header("host", "127.0.0.1:9001"), MISMATCH),
    ("host removed", |r| r.headers.retain(|(name, _)| name != "host"), MISMATCH),
    ("signed header changed", |r| r.set_header("x-amz-meta-a", "one three"), MISMATCH),
    ("signed header removed", |r| r.headers.retain(|(name, _)| name != "x-amz-meta-a"), MISMATCH),
    ("signed header repeated", |r| r.headers.push(("x-amz-meta-a".to_owned(), "more".to_owned())), MISMATCH),
    ("signed content type changed", |r| r.set_header("content-type", "text/html"), MISMATCH),
    ("unsigned x-amz header", |r| r.set_header("x-amz-acl", "public-read"), "AccessDenied"),
    ("unsigned copy source", |r| r.set_header("x-amz-copy-source", "other/key"), "AccessDenied"),
    ("session token", |r| r.set_header("x-amz-security-token", "t"), "AccessDenied"),
    ("secret", |r| r.secret.push('x'), MISMATCH),
];

const OF_THE_HEADER: &[Change] = &[
    ("signature", |r| flip_last(r, "authorization"), MISMATCH),
    ("signature cut", |r| cut_last(r), MISMATCH),
    ("signature empty", |r| truncate_after(r, "Signature="), MALFORMED),
    ("access key", |r| r.replace_in_header("authorization", ACCESS_KEY, "AKIAOTHER"), "InvalidAccessKeyId"),
    ("access key empty", |r| r.replace_in_header("authorization", ACCESS_KEY, ""), MALFORMED),
    ("scope date", |r| r.replace_in_header("authorization", "20261122", "20261121"), MALFORMED),
    ("scope region", |r| r.replace_in_header("authorization", "us-east-1", "eu-west-1"), MISMATCH),
    ("scope service", |r| r.replace_in_header("authorization", "/s3/", "/sqs/"), MALFORMED),
    ("scope end", |r| r.replace_in_header("authorization", "aws4_request", "aws5_request"), MALFORMED),
    ("algorithm", |r| r.replace_in_header("authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"), "InvalidArgument"),
    (
        "Version 4A",
        |r| r.replace_in_header("authorization", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        "NotImplemented",
    ),
    ("Version 2", |r| r.set_header("authorization", "AWS AKIAIOSFODNN7EXAMPLE:c2ln"), "InvalidRequest"),
    ("bearer", |r| r.set_header("authorization", "Bearer token"), "InvalidArgument"),
    ("empty", |r| r.set_header("authorization", ""), "InvalidArgument"),
    ("no fields", |r| r.set_header("authorization", "AWS4-HMAC-SHA256"), MALFORMED),
    ("no authorization", |r| r.headers.retain(|(name, _)| name != "authorization"), "AccessDenied"),
    ("host no longer signed", |r| r.replace_in_header("authorization", "host;", ""), "AccessDenied"),
    ("x-amz header no longer signed", |r| r.replace_in_header("authorization", ";x-amz-meta-a", ""), "AccessDenied"),
    ("content type no longer signed", |r| r.replace_in_header("authorization", "content-type;", ""), MISMATCH),
    ("signed header invented", |r| r.replace_in_header("authorization", "host;", "host;if-match;"), MISMATCH),
    ("time", |r| r.set_header("x-amz-date", "20261122T105211Z"), MISMATCH),
    ("time of another day", |r| r.set_header("x-amz-date", "20261121T105210Z"), "RequestTimeTooSkewed"),
    ("no time", |r| r.headers.retain(|(name, _)| name != "x-amz-date"), "AccessDenied"),
    ("time unreadable", |r| r.set_header("x-amz-date", "now"), "AccessDenied"),
    ("clock behind", |r| r.now -= 15 * 60 + 1, "RequestTimeTooSkewed"),
    ("clock ahead", |r| r.now += 15 * 60 + 1, "RequestTimeTooSkewed"),
    ("payload hash", |r| r.set_header("x-amz-content-sha256", &"0".repeat(64)), MISMATCH),
    ("no payload hash", |r| r.headers.retain(|(name, _)| name != "x-amz-content-sha256"), "InvalidRequest"),
    ("region of the server", |r| r.options.region = Some("home".to_owned()), MALFORMED),
    ("header cut in two", |r| r.headers.push(("x-amz-date".to_owned(), "x".to_owned())), "InvalidArgument"),
    ("two proofs", |r| r.target += "&X-Amz-Signature=1", "InvalidArgument"),
    ("two proofs, Version 2", |r| r.target += "&AWSAccessKeyId=1&Signature=2&Expires=3", "InvalidArgument"),
];

const OF_THE_QUERY: &[Change] = &[
    ("signature", |r| flip_in_target(r, "X-Amz-Signature="), MISMATCH),
    ("two signatures", |r| r.target += "&X-Amz-Signature=0", "InvalidArgument"),
    ("no signature", |r| remove_parameter(r, "X-Amz-Signature"), PARAMETERS),
    ("no algorithm", |r| remove_parameter(r, "X-Amz-Algorithm"), PARAMETERS),
    ("no credential", |r| remove_parameter(r, "X-Amz-Credential"), PARAMETERS),
    ("no date", |r| remove_parameter(r, "X-Amz-Date"), PARAMETERS),
    ("no expiry", |r| remove_parameter(r, "X-Amz-Expires"), PARAMETERS),
    ("no signed headers", |r| remove_parameter(r, "X-Amz-SignedHeaders"), PARAMETERS),
    ("expiry longer", |r| r.target = r.target.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"), MISMATCH),
    (
        "expiry past seven days",
        |r| r.target = r.target.replace("X-Amz-Expires=3600", "X-Amz-Expires=604801"),
        PARAMETERS,
    ),
    ("expiry negative", |r| r.target = r.target.replace("X-Amz-Expires=3600", "X-Amz-Expires=-1"), PARAMETERS),
    ("expiry zero", |r| r.target = r.target.replace("X-Amz-Expires=3600", "X-Amz-Expires=0"), MISMATCH),
    ("expiry a word", |r| r.target = r.target.replace("X-Amz-Expires=3600", "X-Amz-Expires=ever"), PARAMETERS),
    ("expired", |r| r.now += 3601, "AccessDenied"),
    ("not valid yet", |r| r.now -= 15 * 60 + 1, "AccessDenied"),
    ("access key", |r| r.target = r.target.replace(ACCESS_KEY, "AKIAOTHER"), "InvalidAccessKeyId"),
    ("scope service", |r| r.target = r.target.replace("%2Fs3%2F", "%2Fsqs%2F"), PARAMETERS),
    ("scope date", |r| r.target = r.target.replacen("20261122", "20261121", 1), PARAMETERS),
    ("region of the server", |r| r.options.region = Some("home".to_owned()), PARAMETERS),
    ("Version 4A", |r| r.target = r.target.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "NotImplemented"),
    ("hoisted header added", |r| r.target += "&x-amz-meta-b=1", MISMATCH),
    ("payload hash added", |r| r.target += "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", MISMATCH),
    ("authorization too", |r| r.set_header("authorization", "AWS4-HMAC-SHA256 x"), "InvalidArgument"),
];

fn flip_last(request: &mut WireRequest, name: &str) {
    let mut value = request.header(name).to_owned();
    let last = if value.pop() == Some('0') { '1' } else { '0' };
    value.push(last);
    request.set_header(name, &value);
}

fn cut_last(request: &mut WireRequest) {
    let value = request.header("authorization").to_owned();
    request.set_header("authorization", &value[..value.len() - 1]);
}

fn truncate_after(request: &mut WireRequest, mark: &str) {
    let value = request.header("authorization").to_owned();
    let end = value.find(mark).unwrap() + mark.len();
    request.set_header("authorization", &value[..end]);
}

fn flip_in_target(request: &mut WireRequest, mark: &str) {
    let at = request.target.find(mark).unwrap() + mark.len();
    let flipped = if request.target[at..].starts_with('0') { "1" } else { "0" };
    request.target.replace_range(at..=at, flipped);
}

fn remove_parameter(request: &mut WireRequest, name: &str) {
    let (path, query) = request.target.split_once('?').unwrap();
    let kept: Vec<_> = query.split('&').filter(|pair| !pair.starts_with(name)).collect();
    request.target = format!("{path}?{}", kept.join("&"));
}

async fn check(signed: &WireRequest, changes: &[Change]) {
    assert_eq!(signed.answer().await, "ok");
    for (name, change, expected) in changes {
        let mut changed = signed.clone();
        change(&mut changed);
        assert_eq!(changed.answer().await, *expected, "{name}: {changed:?}");
    }
}

#[tokio::test]
async fn signed_in_the_header() {
    let signed = signed(&original(), SignatureLocation::Headers);
    check(&signed, OF_THE_REQUEST).await;
    check(&signed, OF_THE_HEADER).await;
}

#[tokio::test]
async fn signed_in_the_query() {
    let signed = signed(&original(), SignatureLocation::QueryParams);
    check(&signed, OF_THE_REQUEST).await;
    check(&signed, OF_THE_QUERY).await;
}

#[tokio::test]
async fn harmless_differences_are_accepted() {
    let signed = signed(&original(), SignatureLocation::Headers);
    let harmless: &[Change] = &[
        ("parameters in another order", |r| r.target = "/bucket/a//b%20c?uploadId=x&partNumber=1".to_owned(), "ok"),
        ("unreserved characters encoded", |r| r.target = r.target.replace("b%20c", "%62%20c"), "ok"),
        ("lower-case escapes", |r| r.target = r.target.replace("uploadId=x", "uploadId=%78"), "ok"),
        ("white space in a signed header", |r| r.set_header("x-amz-meta-a", "  one   two "), "ok"),
        ("spaces behind commas", |r| r.replace_in_header("authorization", ", ", ",   "), "ok"),
        ("an unsigned ordinary header", |r| r.set_header("user-agent", "other"), "ok"),
        ("a header added by a CDN", |r| r.set_header("x-amz-cf-id", "1"), "ok"),
        ("a clock almost right", |r| r.now += 15 * 60, "ok"),
        ("the region of the server", |r| r.options.region = Some("us-east-1".to_owned()), "ok"),
    ];
    check(&signed, harmless).await;
}
