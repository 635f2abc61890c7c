//! Admin client: sends signed requests to a node's admin API.
//! Owns: where credentials and trust come from, and errors that say what to do.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin_api::message::Failure;
use crate::admin_api::{PATH_PREFIX, SIGNING_SERVICE};
use crate::cli::admin::ConnectionArguments;
use crate::cli::https::{causes, trusting};
use crate::gateway::tls::authority_path;
use crate::root_credentials;
use crate::services::KeyPair;

/// Longer than any admin operation takes.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A list of a million users.
const RESPONSE_BYTES_MAX: usize = 256 << 20;

pub struct AdminClient {
    endpoint: String,
    credentials: KeyPair,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl AdminClient {
    pub fn new(connection: &ConnectionArguments) -> Result<Self> {
        let endpoint = connection.endpoint.trim_end_matches('/').to_string();
        let uri: Uri = endpoint.parse().with_context(|| format!("--endpoint: `{endpoint}` is not a URL"))?;
        if uri.scheme_str() != Some("https") {
            bail!("--endpoint: `{endpoint}` must begin with https://; the admin API is never served without TLS");
        }
        let credentials = root_credentials::find(&connection.data_dir)?.ok_or_else(|| {
            anyhow!(
                "no credentials: set ONGGI_ROOT_ACCESS_KEY and ONGGI_ROOT_SECRET_KEY to those of an admin user, or name the \
                 node's data directory with --data-dir (now {})",
                connection.data_dir.display()
            )
        })?;
        let authority = connection.ca.clone().unwrap_or_else(|| authority_path(&connection.data_dir));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(trusting(&authority)?).https_only().enable_http1().build();
        Ok(Self { endpoint, credentials, http: Client::builder(TokioExecutor::new()).build(https) })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        decode(&self.send(Method::GET, path, Vec::new()).await?)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        decode(&self.send(Method::POST, path, serde_json::to_vec(body)?).await?)
    }

    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        decode(&self.send(Method::PATCH, path, serde_json::to_vec(body)?).await?)
    }

    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send(Method::DELETE, path, Vec::new()).await.map(drop)
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes> {
        let request = self.signed(method, &format!("{}{PATH_PREFIX}{path}", self.endpoint), body)?;
        let exchange = async {
            let response = self.http.request(request).await.map_err(|error| anyhow!(causes(&error)))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, RESPONSE_BYTES_MAX).collect().await.map_err(|error| anyhow!(error))?;
            Ok::<_, anyhow::Error>((head.status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|_| anyhow!("no answer within {} s", TIMEOUT.as_secs()))
            .and_then(|result| result)
            .with_context(|| {
                format!("cannot talk to {}: is the node running, and is this its web address?", self.endpoint)
            })?;
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
    }

    fn signed(&self, method: Method, url: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>> {
        let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default().to_string();
        let KeyPair { access_key, secret } = &self.credentials;
        let identity = Credentials::new(access_key, secret.expose(), None, None, "onggi").into();
        let mut settings = SigningSettings::default();
        // As S3 does it: the path is signed as it stands, and the hash of the body is a header.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("onggi")
            .name(SIGNING_SERVICE)
            .time(SystemTime::now())
            .settings(settings)
            .build()?
            .into();
        let headers = [("host", host.as_str())].into_iter();
        let signable = SignableRequest::new(method.as_str(), url, headers, SignableBody::Bytes(&body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", &host)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).context("the node's answer is not what this version of onggi understands")
}

fn refusal(status: StatusCode, body: &[u8]) -> anyhow::Error {
    match serde_json::from_slice::<Failure>(body) {
        Ok(Failure { error }) => anyhow!("{} ({})", error.message, error.code),
        Err(_) => anyhow!("the node answered {status}"),
    }
}
