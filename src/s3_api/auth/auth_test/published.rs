//! Signatures that others have published or made.

use super::{ACCESS_KEY, WireRequest};
use crate::s3_api::auth::AuthOptions;
use crate::s3_api::auth::body::BodyIntegrity;

/// 2013-05-24T00:00:00Z, the date of the examples.
const EXAMPLES: u64 = 1_369_353_600;
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn documented(
    method: &str,
    target: &str,
    signed: &str,
    signature: &str,
    headers: &[(&str, &str)],
) -> WireRequest {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed},Signature={signature}"
    );
    let mut request = WireRequest::new(method, target, headers, EXAMPLES);
    request.set_header("host", "examplebucket.s3.amazonaws.com");
    request.set_header("x-amz-date", "20130524T000000Z");
    request.set_header("authorization", &authorization);
    request
}

/// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
#[tokio::test]
async fn examples_of_the_documentation() {
    let plain = "host;x-amz-content-sha256;x-amz-date";
    let get = documented(
        "GET",
        "/test.txt",
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        &[("range", "bytes=0-9"), ("x-amz-content-sha256", OF_NOTHING)],
    );
    let put = documented(
        "PUT",
        "/test$file.text",
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        &[
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
        ],
    );
    let lifecycle = documented(
        "GET",
        "/?lifecycle",
        plain,
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        &[("x-amz-content-sha256", OF_NOTHING)],
    );
    let list = documented(
        "GET",
        "/?max-keys=2&prefix=J",
        plain,
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        &[("x-amz-content-sha256", OF_NOTHING)],
    );
    for request in [get, put, lifecycle, list] {
        let authenticated = request.authenticate().await.unwrap_or_else(|error| panic!("{} {error:?}", request.target));
        assert_eq!(authenticated.access_key, ACCESS_KEY);
        assert!(matches!(authenticated.body, BodyIntegrity::Sha256(_)) && !authenticated.presigned);
    }
}

/// "… Transferring Payload in Multiple Chunks": the seed signature.
#[tokio::test]
async fn chunked_upload_of_the_documentation() {
    let request = documented(
        "PUT",
        "/examplebucket/chunkObject.txt",
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        &[
            ("content-encoding", "aws-chunked"),
            ("content-length", "66824"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
    );
    let mut request = request;
    request.set_header("host", "s3.amazonaws.com");
    let authenticated = request.authenticate().await.unwrap();
    assert!(matches!(authenticated.body, BodyIntegrity::Chunked { signer: Some(_), trailer: false }));
}

/// "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
#[tokio::test]
async fn presigned_url_of_the_documentation() {
    let target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let mut request = WireRequest::new("GET", target, &[("host", "examplebucket.s3.amazonaws.com")], EXAMPLES + 86_400);
    assert!(request.authenticate().await.unwrap().presigned);
    request.now += 1;
    assert_eq!(request.answer().await, "AccessDenied");
}

/// Made by boto3 1.43 `generate_presigned_url` for us-east-1 on 2026-11-22, which signs with Version 2: an odd key with a
/// version and an override, headers moved into the query, a part of an upload.
#[tokio::test]
async fn version_2_urls_of_boto3() {
    let urls = [
        (
            "GET",
            "/photos/a%20b/%C3%BC%2B%25?versionId=null&response-content-type=text%2Fx%20y&AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=xQHLIxKj4riIS%2FgQkk%2Fl1HuGZ9o%3D&Expires=1795348330",
        ),
        (
            "PUT",
            "/photos/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=AnYLHiX%2F1kCRMfxgapmc30xbB2U%3D&content-type=text%2Fplain&x-amz-meta-a=1&Expires=1795348330",
        ),
        (
            "PUT",
            "/photos/k?uploadId=u1&partNumber=3&AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=JNiFm7bIKZFyxlbtXEqthI7Bs2I%3D&Expires=1795348330",
        ),
    ];
    for (method, target) in urls {
        let request = WireRequest::new(method, target, &[("host", "127.0.0.1:9000")], 1_795_348_330);
        assert!(request.authenticate().await.unwrap().presigned, "{target}");
        let changed = |from: &str, to: &str| {
            let mut request = request.clone();
            request.target = target.replace(from, to);
            assert_ne!(request.target, target, "{from}");
            request
        };
        assert_eq!(changed("/photos", "/other").answer().await, "SignatureDoesNotMatch");
        assert_eq!(changed("Expires=1795348330", "Expires=1795348331").answer().await, "SignatureDoesNotMatch");
        assert_eq!(changed("Expires=1795348330", "Expires=soon").answer().await, "AccessDenied");
        assert_eq!(changed("?", "?tagging&").answer().await, "SignatureDoesNotMatch");
        assert_eq!(changed("?", "?attributes&").answer().await, "AccessDenied");
        assert_eq!(changed("?", "?renameObject&").answer().await, "AccessDenied");
        assert_eq!(changed("?", "?x-amz-copy-source=a%2Fb&").answer().await, "SignatureDoesNotMatch");
        assert_eq!(changed("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7OTHER").answer().await, "InvalidAccessKeyId");
        let mut late = request.clone();
        late.now += 1;
        assert_eq!(late.answer().await, "AccessDenied");
        let mut other_method = request.clone();
        other_method.method = "DELETE".to_owned();
        assert_eq!(other_method.answer().await, "SignatureDoesNotMatch");
        let mut more = request.clone();
        more.set_header("x-amz-acl", "public-read");
        assert_eq!(more.answer().await, "SignatureDoesNotMatch");
        let mut turned_off = request;
        turned_off.options = AuthOptions { sigv2_presigned: false, ..AuthOptions::default() };
        assert_eq!(turned_off.answer().await, "InvalidRequest");
    }
}

/// Made by boto3 for the region `home`, where it signs with Version 4.
#[tokio::test]
async fn version_4_url_of_boto3() {
    let target = "/photos/a%20b/%C3%BC%2B%25?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261122%2Fhome%2Fs3%2Faws4_request&X-Amz-Date=20261122T105210Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=c71d5394ba0faeac24542fbc5c15c254ace897288f767ba4f3006ce7097c97cf";
    let request = WireRequest::new("GET", target, &[("host", "127.0.0.1:9000")], 1_795_344_730);
    assert_eq!(request.answer().await, "ok");
}
