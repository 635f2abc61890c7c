//! Client: one connection to one endpoint, one signed request at a time.
//! Owns: the connection and its renewal, signing, reading answers to their end.
//! Does not own: retries. A failed request is a failed operation, and is counted as one.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use sha2::{Digest, Sha256};

use crate::endpoint::Endpoint;
use crate::s3::signer::{Signed, Signer, UNSIGNED_PAYLOAD};

/// Answers that are read whole (errors, listings, uploads) are cut off here.
const DOCUMENT_BYTES_MAX: usize = 8 << 20;

pub struct Client {
    endpoint: Endpoint,
    signer: Signer,
    sign_payload: bool,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// One request; `path` and `query` are encoded, and the query's names sorted, as signing wants them.
pub struct Request<'a> {
    pub method: Method,
    pub path: &'a str,
    pub query: &'a str,
    pub body: Bytes,
}

impl Client {
    pub async fn connect(endpoint: &Endpoint, sign_payload: bool) -> anyhow::Result<Self> {
        let signer = Signer::new(&endpoint.access_key, &endpoint.secret_key);
        let mut client = Self { endpoint: endpoint.clone(), signer, sign_payload, connection: None };
        client.renew().await?;
        Ok(client)
    }

    /// Sends a request; any status is an answer. A GET's body is still to be read.
    pub async fn send(&mut self, request: Request<'_>) -> anyhow::Result<Response<Incoming>> {
        let payload = match self.sign_payload {
            true => hex::encode(Sha256::digest(&request.body)),
            false => UNSIGNED_PAYLOAD.to_string(),
        };
        let authority = self.endpoint.authority.as_str();
        let signed = Signed {
            method: request.method.as_str(),
            authority,
            path: request.path,
            query: request.query,
            payload: &payload,
        };
        let signature = self.signer.sign(&signed, time::OffsetDateTime::now_utc())?;
        let uri = match request.query {
            "" => request.path.to_string(),
            query => format!("{}?{query}", request.path),
        };
        let mut builder = http::Request::builder();
        if request.body.is_empty() && matches!(request.method, Method::PUT | Method::POST) {
            // hyper announces no length for a body that is empty; S3 wants one for every body.
            builder = builder.header("content-length", "0");
        }
        let request = builder
            .method(request.method)
            .uri(uri)
            .header("host", authority)
            .header("x-amz-content-sha256", payload)
            .header("x-amz-date", signature.date)
            .header("authorization", signature.authorization)
            .body(Full::new(request.body))?;
        if self.connection.as_ref().is_none_or(|connection| connection.is_closed()) {
            self.renew().await?;
        }
        let connection = self.connection.as_mut().context("no connection")?;
        connection.ready().await?;
        Ok(connection.send_request(request).await?)
    }

    /// Sends a request whose success matters and whose answer is a short document, or nothing.
    pub async fn document(&mut self, request: Request<'_>) -> anyhow::Result<(http::HeaderMap, Bytes)> {
        let what = format!("{} {}", request.method, request.path);
        let response = self.send(request).await?;
        let (head, mut body) = response.into_parts();
        let mut document = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            ensure!(document.len() + data.len() <= DOCUMENT_BYTES_MAX, "{what}: the answer does not end");
            document.extend_from_slice(&data);
        }
        ensure!(head.status.is_success(), "{what} answered {}: {}", head.status, String::from_utf8_lossy(&document));
        Ok((head.headers, document.into()))
    }

    /// Drops the connection, so that an answer that was not read to its end cannot be taken for the next one.
    pub fn abandon(&mut self) {
        self.connection = None;
    }

    async fn renew(&mut self) -> anyhow::Result<()> {
        let (sender, connection) = hyper::client::conn::http1::handshake(self.endpoint.connect().await?).await?;
        // Ends when the sender is dropped or the server closes; a failure shows at the request that meets it.
        tokio::spawn(async move { drop(connection.await) });
        self.connection = Some(sender);
        Ok(())
    }
}
