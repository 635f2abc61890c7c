//! HTTP of these tests: signed S3 requests and plain ones, with the local authority trusted.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::node::{ACCESS_KEY, Node, SECRET_KEY};

/// Trusts what is in these files, and nothing else.
pub fn tls_config(authorities: &[&Path]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for path in authorities {
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The answer to one request; an error of connection or trust as text.
pub async fn send(authorities: &[&Path], request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls_config(authorities)).https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let response = client.request(request).await.map_err(|error| format!("{error:?}"))?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
    Ok(Response::from_parts(head, body))
}

pub async fn get(node: &Node, url: &str) -> Result<Response<Bytes>, String> {
    send(&[&node.authority()], Request::get(url).body(Full::default()).unwrap()).await
}

/// As the root user.
pub async fn s3(node: &Node, method: Method, path: &str, body: &[u8]) -> Response<Bytes> {
    let request = signed(method, &format!("{}{path}", node.s3), body, ACCESS_KEY, SECRET_KEY);
    send(&[&node.authority()], request).await.unwrap()
}

pub fn signed(method: Method, url: &str, body: &[u8], access_key: &str, secret_key: &str) -> Request<Full<Bytes>> {
    signed_for("s3", method, url, body, access_key, secret_key)
}

/// The service is part of what is signed: a signature is good for one API.
pub fn signed_for(
    service: &str,
    method: Method,
    url: &str,
    body: &[u8],
    access_key: &str,
    secret_key: &str,
) -> Request<Full<Bytes>> {
    let identity = Credentials::new(access_key, secret_key, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let mut request =
        Request::builder().method(method.clone()).uri(url).body(Full::new(Bytes::copy_from_slice(body))).unwrap();
    let host = request.uri().authority().unwrap().to_string();
    let headers = [("host", host.as_str())].into_iter();
    let signable = SignableRequest::new(method.as_str(), url, headers, SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    request.headers_mut().insert("host", host.parse().unwrap());
    // Hyper leaves it out for an empty body, and a PUT without a length is refused with 411.
    request.headers_mut().insert("content-length", body.len().into());
    instructions.apply_to_request_http1x(&mut request);
    request
}
