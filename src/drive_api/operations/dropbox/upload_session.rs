//! `files/upload_session/…`: uploads in pieces, one after the other or side by side.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use http::HeaderMap;
use onggi_cluster::id::UploadId;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::tree::SessionKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{By, in_header};
use super::metadata;
use super::route_error::{Result, RouteError, tag, tagged, write_error};
use super::upload::Commit;
use crate::drive_api::file_metadata::content_hash;
use crate::drive_api::request;
use crate::drive_api::router::DriveApi;
use crate::services::Error;
use crate::services::drive::actor::Actor;
use crate::services::drive::checked_pieces::{Claim, PieceMismatch};
use crate::services::drive::entries::Entry;
use crate::services::drive::new_file::FileClaims;
use crate::services::drive::session::{NewSession, Session};
use crate::services::drive::session_details::SessionDetails;

#[derive(Deserialize)]
#[serde(default)]
pub struct Start {
    close: bool,
    session_type: Value,
    content_hash: Option<String>,
}

impl Default for Start {
    fn default() -> Self {
        Self { close: false, session_type: Value::Null, content_hash: None }
    }
}

#[derive(Debug, Deserialize)]
pub struct Cursor {
    session_id: String,
    #[serde(default)]
    offset: u64,
}

#[derive(Deserialize)]
struct Append {
    cursor: Cursor,
    #[serde(default)]
    close: bool,
    content_hash: Option<String>,
}

#[derive(Deserialize)]
pub struct Finish {
    pub cursor: Cursor,
    pub commit: Commit,
    pub content_hash: Option<String>,
}

pub async fn start(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Json<Value>> {
    let (head, body) = request.into_parts();
    let asked: Start = in_header(&head)?;
    let kind = kind(&asked.session_type);
    let has_bytes = request::content_length(&head.headers).is_none_or(|length| length > 0);
    if kind == SessionKind::Concurrent && (has_bytes || asked.close) {
        let what =
            if asked.close { "concurrent_session_close_not_allowed" } else { "concurrent_session_data_not_allowed" };
        return Err(RouteError::Tagged(tag(what)));
    }
    let session = create(&api, &actor, kind).await?;
    if kind == SessionKind::Sequential {
        let session = api.drive().session(&actor, session).await?;
        let piece = Piece { offset: 0, close: asked.close, content_hash: asked.content_hash.as_deref() };
        add(&api, &actor, &session, piece, &head.headers, body).await.map_err(SessionFailure::into_error)?;
    }
    Ok(Json(json!({ "session_id": session.to_string() })))
}

pub async fn create(api: &DriveApi, actor: &Actor, kind: SessionKind) -> Result<UploadId> {
    let new = NewSession { details: SessionDetails::default(), kind, bytes: None };
    Ok(api.drive().create_session(actor, new).await?)
}

pub fn kind(session_type: &Value) -> SessionKind {
    let tag = session_type.get(".tag").unwrap_or(session_type);
    if tag.as_str() == Some("concurrent") { SessionKind::Concurrent } else { SessionKind::Sequential }
}

pub async fn append(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Json<Value>> {
    let (head, body) = request.into_parts();
    let asked: Append = in_header(&head)?;
    let session = open(&api, &actor, &asked.cursor).await.map_err(SessionFailure::into_error)?;
    let content_hash = asked.content_hash.as_deref();
    let piece = Piece { offset: asked.cursor.offset, close: asked.close, content_hash };
    add(&api, &actor, &session, piece, &head.headers, body).await.map_err(SessionFailure::into_error)?;
    Ok(Json(Value::Null))
}

pub async fn finish(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Json<Value>> {
    let (head, body) = request.into_parts();
    let asked: Finish = in_header(&head)?;
    let finished = finish_one(&api, &actor, &asked, &head.headers, body).await;
    finished.map(Json).map_err(SessionFailure::into_finish_error)
}

pub async fn finish_one(
    api: &DriveApi,
    actor: &Actor,
    asked: &Finish,
    headers: &HeaderMap,
    body: Body,
) -> std::result::Result<Value, SessionFailure> {
    let mut session = open(api, actor, &asked.cursor).await?;
    if let Some(finished) = session.finished() {
        request::discard(body).await;
        return Ok(metadata::of_entry(&Entry::from(finished)));
    }
    if session.record.kind == SessionKind::Sequential {
        let content_hash = asked.content_hash.as_deref();
        let piece = Piece { offset: asked.cursor.offset, close: false, content_hash };
        add(api, actor, &session, piece, headers, body).await?;
        session = api.drive().session(actor, session.record.session).await?;
    }
    let target = asked.commit.target().map_err(|error| SessionFailure::of_write(RouteError::Other(error)))?;
    let finished = api.drive().finish_session(actor, &session, &target, &FileClaims::default()).await;
    Ok(metadata::of_entry(&Entry::from(finished?)))
}

async fn open(api: &DriveApi, actor: &Actor, cursor: &Cursor) -> std::result::Result<Session, SessionFailure> {
    let session = UploadId::parse(&cursor.session_id).ok_or(Error::Refused(Refusal::NoSuchSession))?;
    Ok(api.drive().session(actor, session).await?)
}

struct Piece<'a> {
    offset: u64,
    close: bool,
    content_hash: Option<&'a str>,
}

/// Stores what comes, whole or not at all if its hash is claimed.
async fn add(
    api: &DriveApi,
    actor: &Actor,
    session: &Session,
    piece: Piece<'_>,
    headers: &HeaderMap,
    body: Body,
) -> std::result::Result<(), SessionFailure> {
    let drive = api.drive();
    let received = session.record.received;
    // A piece that was stored, and whose answer was lost, is told so: the SDKs take the right offset for a success.
    if session.record.kind == SessionKind::Sequential && piece.offset != received {
        return Err(Error::Refused(Refusal::IncorrectOffset { expected: received }).into());
    }
    let is_empty = request::content_length(headers) == Some(0);
    let pieces = request::pieces(body);
    let appended = match piece.content_hash {
        _ if is_empty => None,
        None => Some(drive.append(actor, session, piece.offset, pieces).await?),
        Some(claimed) => {
            let claimed = Claim::content_hash(content_hash(claimed).map_err(RouteError::Other)?);
            Some(drive.append_whole(actor, session, piece.offset, claimed.check(pieces)).await?)
        }
    };
    if let Some(error) = appended.and_then(|appended| appended.broke_off) {
        return Err(error.into());
    }
    if piece.close {
        let session = drive.session(actor, session.record.session).await?;
        drive.close_session(actor, &session).await?;
    }
    Ok(())
}

/// Why a session does not go on: as its own error, or nested in that of a finish.
pub enum SessionFailure {
    Lookup(Value),
    ContentHash,
    Other(RouteError),
}

impl SessionFailure {
    fn of_write(error: RouteError) -> Self {
        Self::Other(match error {
            RouteError::Other(error) => match write_error(&error) {
                Some(inner) => RouteError::Tagged(tagged("path", inner)),
                None => RouteError::Other(error),
            },
            tagged => tagged,
        })
    }

    fn into_error(self) -> RouteError {
        match self {
            Self::Lookup(error) => RouteError::Tagged(error),
            Self::ContentHash => RouteError::Tagged(tag("content_hash_mismatch")),
            Self::Other(error) => error,
        }
    }

    pub fn into_finish_error(self) -> RouteError {
        match self {
            Self::Lookup(error) => RouteError::Tagged(tagged("lookup_failed", error)),
            other => other.into_error(),
        }
    }
}

impl From<RouteError> for SessionFailure {
    fn from(error: RouteError) -> Self {
        Self::Other(error)
    }
}

impl From<Error> for SessionFailure {
    fn from(error: Error) -> Self {
        let refusal = match &error {
            Error::Refused(refusal) => refusal,
            Error::Body(source) if source.is::<PieceMismatch>() => return Self::ContentHash,
            _ => return Self::Other(error.into()),
        };
        match refusal {
            Refusal::NoSuchSession => Self::Lookup(tag("not_found")),
            Refusal::IncorrectOffset { expected } => {
                Self::Lookup(json!({ ".tag": "incorrect_offset", "correct_offset": expected }))
            }
            Refusal::SessionClosed => Self::Lookup(tag("closed")),
            Refusal::TooManyParts => Self::Lookup(tag("too_large")),
            Refusal::SessionNotClosed => Self::Other(RouteError::Tagged(tag("concurrent_session_not_closed"))),
            Refusal::SessionIncomplete { .. } => {
                Self::Other(RouteError::Tagged(tag("concurrent_session_missing_data")))
            }
            _ => Self::of_write(error.into()),
        }
    }
}
