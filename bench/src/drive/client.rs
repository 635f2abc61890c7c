//! Drive client: one connection, one request at a time, with a bearer token.

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;

pub struct Client {
    connection: SendRequest<Full<Bytes>>,
    authority: String,
    token: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub async fn connect(endpoint: &Endpoint, token: &str) -> anyhow::Result<Self> {
        let (connection, running) = hyper::client::conn::http1::handshake(endpoint.connect().await?).await?;
        // Ends when the sender is dropped or the server closes; a failure shows at the request that meets it.
        tokio::spawn(async move { drop(running.await) });
        Ok(Self { connection, authority: endpoint.authority.clone(), token: token.to_owned() })
    }

    /// The access token of a user (RFC 6749 §4.3).
    pub async fn sign_in(endpoint: &Endpoint, user: &str, password: &str) -> anyhow::Result<String> {
        let mut nobody = Self::connect(endpoint, "").await?;
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let form =
            format!("grant_type=password&device=bench&username={}&password={}", encoded(user), encoded(password));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = nobody.ok("POST", "/oauth2/token", &headers, form.into()).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        Ok(answer["access_token"].as_str().context("the answer has no token")?.to_owned())
    }

    /// Any status is an answer.
    pub async fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let mut request = http::Request::builder().method(method).uri(target).header("host", &self.authority);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.connection.ready().await?;
        let response = self.connection.send_request(request.body(Full::new(body))?).await?;
        let (head, body) = response.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body: body.collect().await?.to_bytes() })
    }

    /// What must succeed.
    pub async fn ok(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        let answer = self.send(method, target, headers, body).await?;
        if !answer.status.is_success() {
            bail!("{method} {target} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(answer.body)
    }

    pub async fn call(&mut self, route: &str, document: &Value) -> anyhow::Result<Value> {
        let body = Bytes::from(serde_json::to_vec(document)?);
        let answer = self.ok("POST", route, &[("content-type", "application/json")], body).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// The target of a session for a file of `bytes`.
    pub async fn begin(&mut self, metadata: &Value, bytes: u64) -> anyhow::Result<String> {
        let length = bytes.to_string();
        let headers = [("content-type", "application/json"), ("x-upload-content-length", length.as_str())];
        let body = Bytes::from(serde_json::to_vec(&json!(metadata))?);
        let answer = self.send("POST", "/files/upload?uploadType=resumable", &headers, body).await?;
        ensure!(answer.status.is_success(), "no session: {}", answer.status);
        let location = answer.headers.get("location").context("no session is named")?.to_str()?;
        let path = location.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        Ok(path.unwrap_or(location).to_owned())
    }
}
