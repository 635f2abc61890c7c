//! Requests of the drive API: who asks, and what stands in query and body. Bounds come before anything is kept.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use onggi_cluster::metadata::command::tree::At;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::auth::{self, AuthError};
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::BoxError;
use crate::services::account_service::AccountError;
use crate::services::drive::actor::Actor;
use crate::services::drive::name;
use crate::services::drive::session::Pieces;

/// A document of the API: names and numbers, at most a thousand of them.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// A request that is worked on takes the place of another.
const DOCUMENT_TIME_MAX: Duration = Duration::from_secs(30);

/// Who asks: proven before the handler runs, and before anything of the body is read.
pub struct By(pub Actor);

impl FromRequestParts<DriveApi> for By {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, api: &DriveApi) -> std::result::Result<Self, AuthError> {
        let caller = auth::authenticate(api.accounts(), parts).await?;
        Ok(Self(Actor { principal: caller.principal, device: caller.device }))
    }
}

/// Who asks, and not through an app password: those are for programs that nobody looks at.
pub struct ByOwner(pub Actor);

impl FromRequestParts<DriveApi> for ByOwner {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, api: &DriveApi) -> std::result::Result<Self, AuthError> {
        let caller = auth::authenticate(api.accounts(), parts).await?;
        if !caller.may_manage_account() {
            return Err(AccountError::Denied("an app password may not say so: sign in").into());
        }
        Ok(Self(Actor { principal: caller.principal, device: caller.device }))
    }
}

/// A JSON document in the body; an empty body is an empty document.
pub struct Document<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DriveApi> for Document<T> {
    type Rejection = DriveError;

    async fn from_request(request: Request, _: &DriveApi) -> Result<Self> {
        parse(&document(request.into_body()).await?).map(Self)
    }
}

pub async fn document(body: Body) -> Result<Bytes> {
    match timeout(DOCUMENT_TIME_MAX, to_bytes(body, DOCUMENT_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) | Err(_) => Err(DriveError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body cannot be read, comes too slowly, or has more than {DOCUMENT_BYTES_MAX} bytes"),
        )),
    }
}

pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| DriveError::invalid(format!("the JSON is not as expected: {error}")))
}

pub fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T> {
    let query = Query::try_from_uri(uri).map_err(|error| DriveError::invalid(error.body_text()))?;
    Ok(query.0)
}

/// The bytes of a file on their way in.
pub fn pieces(body: Body) -> Pieces {
    body.into_data_stream().map(|piece| piece.map_err(BoxError::from)).boxed()
}

/// Of a request whose answer is known already: a client that is still sending would not read it.
pub async fn discard(body: Body) {
    let mut pieces = pieces(body);
    while let Some(Ok(_)) = pieces.next().await {}
}

pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, CONTENT_LENGTH.as_str())?.parse().ok()
}

pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

pub fn content_type(headers: &HeaderMap) -> Option<&str> {
    text(headers, CONTENT_TYPE.as_str()).filter(|value| !value.is_empty())
}

/// `https://host:port`, as the client wrote it.
pub fn origin(uri: &Uri, headers: &HeaderMap) -> String {
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(headers, HOST.as_str()));
    format!("https://{}", host.unwrap_or("localhost"))
}

/// Where a client is told that something is: by the host that it asked.
pub struct Origin(pub String);

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self(origin(&head.uri, &head.headers)))
    }
}

/// An entry: either `path` or `id`.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct EntryReference {
    pub path: Option<String>,
    pub id: Option<String>,
}

impl EntryReference {
    pub fn at(&self) -> Result<At> {
        match (&self.path, &self.id) {
            (Some(path), None) => at(path),
            (None, Some(id)) => {
                let id = text_form::parse_entry_id(id);
                Ok(At::Entry(id.ok_or_else(|| DriveError::invalid("an id is `id:` and 16 hex digits"))?))
            }
            _ => Err(DriveError::invalid("say either `path` or `id`")),
        }
    }
}

/// A path, or an id where a path may stand.
pub fn at(path: &str) -> Result<At> {
    match text_form::parse_entry_id(path) {
        Some(id) => Ok(At::Entry(id)),
        None => Ok(At::Path(name::tree_path(path)?)),
    }
}

pub fn revision(text: &str) -> Result<u64> {
    text_form::parse_revision(text)
        .ok_or_else(|| DriveError::invalid(format!("`{}` is no revision", text.escape_debug())))
}
