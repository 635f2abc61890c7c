//! Every row of the table is reached by its request, and nothing else reaches it.

use std::collections::HashSet;
use std::fmt::Write;

use expect_test::expect_file;
use http::{HeaderMap, HeaderValue, Method, Uri};
use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType};

use super::operation::{Marker, OLD_NAMES, Scope};
use super::{Operation, Support, route, verb_name};
use crate::s3_api::checksum;

fn routed(method: &str, path_and_query: &str, headers: &[(&'static str, &str)]) -> String {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_static("127.0.0.1:9000"));
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    match route(&method, &path_and_query.parse::<Uri>().unwrap(), &map, &[]) {
        Ok(route) => route.operation.name().to_owned(),
        Err(error) => error.code.as_str().to_owned(),
    }
}

#[test]
fn every_row_is_reached_by_its_request() {
    for row in Operation::TABLE {
        let path = match row.scope {
            Scope::Service => "/",
            Scope::Bucket => "/bucket",
            Scope::Object => "/bucket/key",
        };
        let copy_source = ("x-amz-copy-source", "b/k");
        let (query, headers) = match row.marker {
            Marker::Plain => (String::new(), vec![]),
            Marker::Query(name) => (format!("?{name}"), vec![]),
            Marker::QueryWith(name, second) => (format!("?{name}&{second}=1"), vec![]),
            Marker::ListType2 => ("?list-type=2".to_owned(), vec![]),
            Marker::CopySource(name) => {
                (name.map_or(String::new(), |name| format!("?{name}=1&partNumber=1")), vec![copy_source])
            }
            Marker::Form => (String::new(), vec![("content-type", "multipart/form-data; boundary=x")]),
            Marker::ElsewhereOnly => continue,
        };
        let method = verb_name(row.verb);
        assert_eq!(routed(method, &format!("{path}{query}"), &headers), row.operation.name(), "{method} {path}{query}");
        let telemetry = if query.is_empty() { "?x-id=Any&X-Amz-Foo" } else { "&x-id=Any&X-Amz-Foo" };
        assert_eq!(routed(method, &format!("{path}{query}{telemetry}"), &headers), row.operation.name());
    }
    assert_eq!(routed("POST", "/WriteGetObjectResponse", &[]), "WriteGetObjectResponse");
}

#[test]
fn rows_are_distinct() {
    let mut requests = HashSet::new();
    for row in Operation::TABLE {
        let request = format!("{:?} {:?} {:?}", row.verb, row.scope, row.marker);
        assert!(requests.insert(request) || row.marker == Marker::ElsewhereOnly, "{:?}", row.operation);
    }
}

#[test]
fn unknown_sub_resources_never_fall_through() {
    for (method, path) in [
        ("GET", "/bucket?foo"),
        ("GET", "/bucket?foo="),
        ("GET", "/bucket/key?foo"),
        ("GET", "/?foo"),
        ("PUT", "/bucket/key?foo"),
        ("PUT", "/bucket/key?foo=bar"),
        ("DELETE", "/bucket/key?foo=bar"),
        ("DELETE", "/bucket?foo"),
        ("PUT", "/bucket?foo"),
        ("POST", "/bucket/key?foo"),
    ] {
        assert_eq!(routed(method, path, &[]), "NotImplemented", "{method} {path}");
    }
}

#[test]
fn what_clients_send_by_habit_is_ignored() {
    assert_eq!(routed("GET", "/bucket?list-type=2&x-id=ListObjectsV2&allow-unordered=true", &[]), "ListObjectsV2");
    assert_eq!(routed("GET", "/bucket/key?x-id=GetObject&X-Amz-Signature=1&response-expires=x", &[]), "GetObject");
    assert_eq!(routed("GET", "/bucket/key?tracking=1", &[]), "GetObject");
    assert_eq!(routed("PUT", "/bucket/key?AWSAccessKeyId=a&Signature=b&Expires=1", &[]), "PutObject");
    assert_eq!(routed("HEAD", "/bucket?list-type=2", &[]), "HeadBucket");
    assert_eq!(routed("GET", "/bucket/key?versionId=null&partNumber=1", &[]), "GetObject");
}

#[test]
fn presigned_requests_have_their_headers_in_the_query() {
    assert_eq!(routed("PUT", "/bucket/key?x-amz-copy-source=b/k&Signature=s", &[]), "CopyObject");
    assert_eq!(routed("PUT", "/bucket/key?uploadId=1&partNumber=1&X-Amz-Copy-Source=b/k", &[]), "UploadPartCopy");
    assert_eq!(routed("PUT", "/bucket/key?content-type=text/plain&content-md5=m&Signature=s", &[]), "PutObject");
}

#[test]
fn odd_requests() {
    assert_eq!(routed("PUT", "/bucket/key?partNumber=1", &[]), "InvalidArgument");
    assert_eq!(routed("GET", "/bucket?acl&policy", &[]), "InvalidArgument");
    assert_eq!(routed("GET", "/bucket?list-type=3", &[]), "InvalidArgument");
    assert_eq!(routed("GET", "/bucket?delete", &[]), "MethodNotAllowed");
    assert_eq!(routed("PUT", "/bucket?location", &[]), "MethodNotAllowed");
    assert_eq!(routed("PATCH", "/bucket/key", &[]), "MethodNotAllowed");
    assert_eq!(routed("POST", "/bucket/key", &[]), "MethodNotAllowed");
    assert_eq!(routed("PUT", "/", &[]), "MethodNotAllowed");
    assert_eq!(routed("POST", "/bucket", &[]), "MalformedPOSTRequest");
    assert_eq!(routed("OPTIONS", "/bucket", &[]), "Preflight");
    assert_eq!(routed("GET", "/bucket/key?a=%zz", &[]), "InvalidURI");
    assert_eq!(routed("GET", "/bucket?prefix=a&prefix=b", &[]), "InvalidArgument");
    assert_eq!(routed("GET", "/bucket?prefix=a&prefix=a&x-a=1&x-a=2", &[]), "ListObjects");
    assert_eq!(routed("GET", "http://127.0.0.1:9000/bucket", &[]), "ListObjects");
    assert_eq!(routed("GET", "http://elsewhere/bucket", &[]), "InvalidRequest");
}

#[test]
fn a_request_names_one_host() {
    let mut headers = HeaderMap::new();
    headers.append("host", HeaderValue::from_static("127.0.0.1:9000"));
    headers.append("host", HeaderValue::from_static("127.0.0.1:9000"));
    let refused = route(&Method::GET, &Uri::from_static("/bucket"), &headers, &[]).unwrap_err();
    assert_eq!(refused.code.as_str(), "InvalidRequest");
}

#[test]
fn compatibility_page_is_made_from_the_table() {
    let mut rows: Vec<(String, String)> = Operation::TABLE
        .iter()
        .map(|row| {
            let answer = match row.support {
                Support::Enforced => "enforced".to_owned(),
                Support::NeverConfigured(code) => format!("404 `{}`: it cannot be set", code.as_str()),
                Support::NotImplemented => "501".to_owned(),
            };
            (row.operation.name().to_owned(), answer)
        })
        .collect();
    rows.extend(OLD_NAMES.iter().map(|(name, new)| ((*name).to_owned(), format!("as {}", new.name()))));
    rows.sort();

    let mut page = String::from(
        "# S3 compatibility\n\n\
         One row for each operation of Amazon S3. *Enforced*: it does what AWS documents. *501*: refused with\n\
         `NotImplemented`, nothing is accepted and then ignored. *404*: the setting cannot be made, so reading it says, truly,\n\
         that there is none. Sub-resources that are not listed are refused with 501.\n\n\
         This page is made from the table the router uses (`src/s3_api/router/operation.rs`); a test keeps them equal.\n\n\
         | operation | answer |\n| --- | --- |\n",
    );
    for (name, answer) in rows {
        writeln!(page, "| {name} | {answer} |").unwrap();
    }
    page.push_str(
        "\n`PostObject` is the browser form upload, `Preflight` the CORS preflight; both are plain HTTP requests without an SDK\n\
         operation. How requests are signed: [authentication.md](authentication.md).\n",
    );
    page.push_str(
        "\n## Checksums\n\n\
         Every algorithm that S3 has, in a header or a trailer, verified before the body becomes an object, kept, and given back where\n\
         S3 gives it. An object of one PUT has the checksum of its bytes; one in parts has a type:\n\n\
         | algorithm | header | of an object in parts |\n| --- | --- | --- |\n",
    );
    for algorithm in ChecksumAlgorithm::ALL {
        let types = [ChecksumType::Composite, ChecksumType::FullObject].into_iter();
        let types: Vec<_> = types.filter(|kind| algorithm.has_type(*kind)).map(checksum::type_name).collect();
        let (name, header) = (checksum::algorithm_name(algorithm), checksum::header_name(algorithm));
        writeln!(page, "| {name} | `{header}` | {} |", types.join(" or ")).unwrap();
    }
    page.push_str(
        "\nMD5 as a checksum is not `Content-MD5`, which is verified and not kept. A client that sends no checksum gets CRC64NVME. The\n\
         values of the xxHash family are big endian, as AWS's own library writes them.\n",
    );
    expect_file!["../../../docs/s3-compatibility.md"].assert_eq(&page);
}
