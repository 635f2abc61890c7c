//! Drive client: requests to a drive's API, signed in.
//! Owns: the tokens (one refresh when they are stale), what an error of the server reads like.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::https::{causes, segment, trusting};

/// Until the head of an answer is here; a body may take as long as it takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
const JSON_BYTES_MAX: usize = 64 << 20;

/// What a sign-in leaves behind, in a file that only its owner reads.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignIn {
    pub endpoint: String,
    pub authority: PathBuf,
    pub user: String,
    pub access_token: String,
    pub refresh_token: String,
}

/// Many requests at a time.
pub struct DriveClient {
    endpoint: String,
    user: String,
    sign_in: Mutex<SignIn>,
    /// Held by the one who gets new tokens, while the others wait for them.
    refreshing: tokio::sync::Mutex<()>,
    file: PathBuf,
    sent_bytes: AtomicU64,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer that is none of success, as a program sees it.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Refused {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
    pub fields: Value,
}

/// Another try may help.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("cannot talk to {0}")]
    Unreachable(String),
    #[error("the answer broke off")]
    BrokenOff,
}

#[derive(Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: Option<String>,
}

impl DriveClient {
    pub fn signed_in(home: &Path) -> Result<Self> {
        Self::new(home, read_sign_in(&Self::file(home))?)
    }

    pub fn new(home: &Path, sign_in: SignIn) -> Result<Self> {
        let uri: Uri = sign_in.endpoint.parse().with_context(|| format!("`{}` is not a URL", sign_in.endpoint))?;
        if uri.scheme_str() != Some("https") {
            bail!("`{}` must begin with https://; a drive is never served without TLS", sign_in.endpoint);
        }
        let https = HttpsConnectorBuilder::new().with_tls_config(trusting(&sign_in.authority)?);
        let http = Client::builder(TokioExecutor::new()).build(https.https_only().enable_http1().build());
        Ok(Self {
            endpoint: sign_in.endpoint.clone(),
            user: sign_in.user.clone(),
            sign_in: Mutex::new(sign_in),
            refreshing: tokio::sync::Mutex::default(),
            file: Self::file(home),
            sent_bytes: AtomicU64::new(0),
            http,
        })
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    /// In bodies of requests, so far.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    pub fn sign_in(&self) -> SignIn {
        self.sign_in.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn file(home: &Path) -> PathBuf {
        home.join("sign-in.json")
    }

    /// A call of the API with JSON both ways.
    pub async fn call<T: DeserializeOwned>(&self, path: &str, argument: &impl Serialize) -> Result<T> {
        let body = Bytes::from(serde_json::to_vec(argument)?);
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
        self.json(Method::POST, path, headers, body).await
    }

    pub async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<T> {
        let response = self.send(method, path, headers, body).await?;
        decode(&whole(response).await?)
    }

    /// Success, or `Refused` as the cause of the error. 308 is success: it says how much of an upload is there.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let token = self.sign_in().access_token;
        let response = self.attempt(&method, path, &headers, body.clone(), &token).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return checked(response).await;
        }
        let token = self.refresh(&token).await?;
        checked(self.attempt(&method, path, &headers, body, &token).await?).await
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
        token: &str,
    ) -> Result<Response<Incoming>> {
        // An upload's own address comes whole.
        let url = if path.starts_with("https://") { path.to_owned() } else { format!("{}{path}", self.endpoint) };
        let mut request = Request::builder().method(method).uri(url).body(Full::new(body))?;
        request.headers_mut().extend(headers.clone());
        self.sent_bytes.fetch_add(request.body().size_hint().exact().unwrap_or(0), Ordering::Relaxed);
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
        self.exchange(request).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.http.request(request)).await;
        let answer = answer.map_err(|_| anyhow!("no answer within {} s", ANSWER_TIMEOUT.as_secs()));
        let answer = answer.and_then(|answer| answer.map_err(|error| anyhow!(causes(&error))));
        answer.map_err(|error| error.context(NoAnswer::Unreachable(self.endpoint.clone())))
    }

    /// A form of RFC 6749, which needs no token.
    pub async fn token(&self, path: &str, fields: &[(&str, &str)]) -> Result<Response<Incoming>> {
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", segment(value))).collect();
        let request = Request::post(format!("{}{path}", self.endpoint))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(pairs.join("&"))))?;
        self.exchange(request).await
    }

    /// A token newer than `stale`, which was refused.
    async fn refresh(&self, stale: &str) -> Result<String> {
        let _only_one = self.refreshing.lock().await;
        // By another request, or by another command of this machine.
        for known in [Some(self.sign_in()), read_sign_in(&self.file).ok()].into_iter().flatten() {
            if known.access_token != stale && known.endpoint == self.endpoint && known.user == self.user {
                let token = known.access_token.clone();
                *self.sign_in.lock().unwrap_or_else(PoisonError::into_inner) = known;
                return Ok(token);
            }
        }
        let refresh_token = self.sign_in().refresh_token;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        let response = self.token("/oauth2/token", &fields).await?;
        if !response.status().is_success() {
            bail!("the sign-in has ended: `onggi drive login` starts a new one");
        }
        let tokens: Tokens = decode(&whole(response).await?)?;
        self.keep(tokens)
    }

    /// What the server gave out last is what the next command uses. Returns the access token.
    pub fn keep(&self, tokens: Tokens) -> Result<String> {
        let mut kept = self.sign_in();
        kept.access_token.clone_from(&tokens.access_token);
        if let Some(refresh_token) = tokens.refresh_token {
            kept.refresh_token = refresh_token;
        }
        write_private(&self.file, &serde_json::to_vec_pretty(&kept)?)?;
        *self.sign_in.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(tokens.access_token)
    }

    pub fn forget(&self) -> Result<()> {
        std::fs::remove_file(&self.file).with_context(|| format!("remove {}", self.file.display()))
    }
}

fn read_sign_in(file: &Path) -> Result<SignIn> {
    let text = std::fs::read(file).map_err(|_| anyhow!("nobody is signed in: `onggi drive login` does that"))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{} is not what this version of onggi wrote: sign in again", file.display()))
}

/// Whole or not at all, and for nobody else's eyes.
fn write_private(file: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let beside = file.with_extension("new");
    let write = || {
        let options = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        options?.write_all(bytes)?;
        std::fs::rename(&beside, file)
    };
    write().with_context(|| format!("write {}", file.display()))
}

pub async fn whole(response: Response<Incoming>) -> Result<Bytes> {
    let body = Limited::new(response.into_body(), JSON_BYTES_MAX).collect().await;
    Ok(body.map_err(|error| anyhow!(error).context(NoAnswer::BrokenOff))?.to_bytes())
}

pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).context("the server's answer is not what this version of onggi understands")
}

async fn checked(response: Response<Incoming>) -> Result<Response<Incoming>> {
    let status = response.status();
    if status.is_success() || status == StatusCode::PERMANENT_REDIRECT {
        return Ok(response);
    }
    let body = whole(response).await?;
    let fields: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| fields["error"][name].as_str().map(str::to_owned);
    let code = text("code").unwrap_or_else(|| status.as_u16().to_string());
    let message = text("message").unwrap_or_else(|| format!("the server answered {status}"));
    Err(Refused { status, code, message, fields: fields["error"].clone() }.into())
}
