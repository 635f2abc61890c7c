//! What no SDK does: half a body, a body that is never wanted, forms, preflights. Bytes on a socket.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{SharedClient, code, server, status, test_bucket};

const PATIENCE: Duration = Duration::from_secs(20);

async fn connect() -> TcpStream {
    TcpStream::connect(server().await.address).await.unwrap()
}

/// Everything up to and with the first empty line.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        let read = timeout(PATIENCE, stream.read(&mut byte)).await.expect("an answer").unwrap();
        if read == 0 {
            break;
        }
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("an end").unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// Path and query of a presigned PUT: anybody may send its body.
async fn presigned_put(key: &str) -> (SharedClient, String, String) {
    let (client, bucket) = test_bucket().await;
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = client.put_object().bucket(&bucket).key(key).presigned(config).await.unwrap();
    let path = url.uri().splitn(4, '/').nth(3).unwrap().to_owned();
    (client, bucket, format!("/{path}"))
}

#[tokio::test]
async fn the_body_is_asked_for_only_when_it_is_wanted() {
    let (client, bucket, path) = presigned_put("k").await;
    let server = server().await;
    let address = server.address;
    let request = |path: &str| {
        format!("PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    };
    let mut stream = connect().await;
    stream.write_all(request(&path.replace("Signature=", "Signature=0")).as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 403"), "refused without its body");

    let mut stream = connect().await;
    stream.write_all(request(&path.replace(&bucket, "no-such-bucket")).as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 403"));

    let mut stream = connect().await;
    stream.write_all(request(&path).as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 100"));
    stream.write_all(b"hello").await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200"));
    let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "hello");
}

#[tokio::test]
async fn half_a_body_stores_nothing() {
    for bytes in [1000, 100_000] {
        let (client, bucket, path) = presigned_put("k").await;
        let server = server().await;
        let address = server.address;
        let mut stream = connect().await;
        let request = format!("PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {bytes}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; bytes / 2]).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.contains("IncompleteBody"), "{answer}");
        assert_eq!(status(&client.head_object().bucket(&bucket).key("k").send().await), 404);
    }
}

#[tokio::test]
async fn a_body_needs_a_length_and_has_a_limit() {
    let (_client, _bucket, path) = presigned_put("k").await;
    let server = server().await;
    let address = server.address;
    let cases = [
        ("Transfer-Encoding: chunked", "411", "MissingContentLength"),
        ("Content-Length: 5368709121", "400", "EntityTooLarge"),
    ];
    for (header, status, code) in cases {
        let mut stream = connect().await;
        let request = format!("PUT {path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code), "{answer}");
    }
}

#[tokio::test]
async fn every_reply_has_its_request_id() {
    let server = server().await;
    let address = server.address;
    for request in ["GET / HTTP/1.1", "GET /no-such-bucket/k HTTP/1.1", "BREW / HTTP/1.1"] {
        let mut stream = connect().await;
        let request = format!("{request}\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        let id = answer.split("x-amz-request-id: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
        assert!(answer.contains(&format!("<RequestId>{id}</RequestId>")), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\ndate: "), "{answer}");
    }
}

#[tokio::test]
async fn anonymous_requests_are_denied() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").send().await.unwrap();
    let server = server().await;
    let address = server.address;
    for request in ["GET /{}/k", "HEAD /{}/k", "GET /{}", "DELETE /{}/k", "GET /", "PUT /{}/other"] {
        let mut stream = connect().await;
        let line = request.replace("{}", &bucket);
        let request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 403"), "{line}");
    }
}

/// A form as a browser sends it, signed with the default of boto3: Signature Version 2.
#[tokio::test]
async fn a_signed_form_uploads_what_its_policy_allows() {
    let (client, bucket) = test_bucket().await;
    let server = server().await;
    let policy = format!(
        r#"{{"expiration": "2099-01-01T00:00:00Z", "conditions": [{{"bucket": "{bucket}"}}, ["starts-with", "$key", "in/"],
            {{"success_action_status": "201"}}, ["content-length-range", 2, 5]]}}"#
    );
    let policy = STANDARD.encode(policy);
    let mut mac = Hmac::<Sha1>::new_from_slice(server.secret.as_bytes()).unwrap();
    mac.update(policy.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let post = async |key: &str, file: &str| {
        let fields = [
            ("key", key),
            ("AWSAccessKeyId", &server.access_key),
            ("policy", &policy),
            ("signature", &signature),
            ("success_action_status", "201"),
        ];
        let mut form = String::new();
        for (name, value) in fields {
            form += &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        form += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"n.txt\"\r\n\r\n";
        form += &format!("{file}\r\n--b--\r\n");
        let mut stream = connect().await;
        let request = format!(
            "POST /{bucket} HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            server.address,
            form.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    };
    let created = post("in/${filename}", "hello").await;
    assert!(created.starts_with("HTTP/1.1 201") && created.contains("<Key>in/n.txt</Key>"), "{created}");
    let got = client.get_object().bucket(&bucket).key("in/n.txt").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "hello");
    for (key, file, code) in [
        ("out/n.txt", "hello", "AccessDenied"),
        ("in/long", "hello!", "EntityTooLarge"),
        ("in/short", "h", "EntityTooSmall"),
    ] {
        let refused = post(key, file).await;
        assert!(refused.contains(&format!("<Code>{code}</Code>")), "{refused}");
    }
    assert_eq!(client.list_objects_v2().bucket(&bucket).send().await.unwrap().key_count(), Some(1));
}

#[tokio::test]
async fn browsers_are_answered_by_the_rules_of_the_bucket() {
    let (client, bucket) = test_bucket().await;
    let rule = CorsRule::builder()
        .allowed_methods("PUT")
        .allowed_methods("GET")
        .allowed_origins("https://app.example")
        .allowed_headers("*")
        .expose_headers("ETag")
        .build()
        .unwrap();
    let configuration = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
    let server = server().await;
    let address = server.address;
    let preflight = async |origin: &str| {
        let mut stream = connect().await;
        let request = format!(
            "OPTIONS /{bucket}/k HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    };
    assert!(preflight("https://app.example").await.contains("AccessForbidden"), "no rules, no access");
    client.put_bucket_cors().bucket(&bucket).cors_configuration(configuration).send().await.unwrap();
    assert_eq!(client.get_bucket_cors().bucket(&bucket).send().await.unwrap().cors_rules().len(), 1);
    let allowed = preflight("https://app.example").await;
    assert!(allowed.starts_with("HTTP/1.1 200"), "{allowed}");
    assert!(allowed.contains("access-control-allow-origin: https://app.example"), "{allowed}");
    let refused = preflight("https://evil.example").await;
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("AccessForbidden"), "{refused}");

    let mut stream = connect().await;
    let request = format!(
        "GET /{bucket}/k HTTP/1.1\r\nHost: {address}\r\nOrigin: https://app.example\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("access-control-expose-headers: ETag"), "a page may read why it failed: {answer}");
    client.delete_bucket_cors().bucket(&bucket).send().await.unwrap();
    assert_eq!(code(&client.get_bucket_cors().bucket(&bucket).send().await), "NoSuchCORSConfiguration");
}
