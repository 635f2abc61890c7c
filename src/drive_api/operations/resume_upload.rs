//! `PUT /files/upload/{session}`: the next piece of an upload, or the question how far it is (Google, "Perform a resumable upload").
//! Owns: what is a piece, a question, or the end. Every answer that is not the end is 308 with what is stored.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderValue, RANGE};
use http::{HeaderMap, StatusCode};
use onggi_cluster::id::UploadId;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::tree::SessionKind;

use crate::drive_api::answer_json::ErrorJson;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::file_metadata;
use crate::drive_api::operations::google::file_resource::FileResource;
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::drive_api::upload_range::{UploadRange, stored_range};
use crate::services::Error;
use crate::services::drive::actor::Actor;
use crate::services::drive::content_hash::BLOCK_BYTES;
use crate::services::drive::entries::Entry;
use crate::services::drive::session::{Appended, Pieces, Session};

/// The next piece of an upload, or the question how far it is
///
/// Google's protocol: without a `Content-Range` the body is the whole file; `bytes */N` asks, and ends the upload if it is whole.
/// Of a `parallel` upload the answer to a piece says only whether it was the last that was missing: `GET` says what is stored.
#[utoipa::path(
    put, path = "/files/upload/{session}", tag = "uploads",
    params(
        ("session" = String, Path),
        ("Content-Range" = Option<String>, Header, description = "`bytes FIRST-LAST/TOTAL`; `*` for a total that is not known."),
    ),
    request_body(content(("application/octet-stream"))),
    responses(
        (status = 200, description = "The file: everything is there.", body = FileResource),
        (
            status = 308, description = "Go on after what is stored.",
            headers(("Range" = String, description = "`bytes=0-LAST`: what is stored. Without it, nothing is.")),
        ),
        (status = 409, description = "`incorrect_offset` with `expected_offset`.", body = ErrorJson),
    ),
)]
pub async fn resume_upload(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
    request: Request,
) -> Result<Response> {
    Ok(resume(&api, &actor, &session, request).await?.answer(&actor))
}

/// How far an upload is after a request.
pub enum Progress {
    Finished(Box<Entry>),
    Incomplete { received: u64 },
}

impl Progress {
    pub fn answer(self, actor: &Actor) -> Response {
        match self {
            Self::Finished(entry) => Json(FileResource::new(actor, &entry)).into_response(),
            Self::Incomplete { received } => incomplete(received),
        }
    }
}

pub async fn resume(api: &DriveApi, actor: &Actor, session: &str, request: Request) -> Result<Progress> {
    let (head, body) = request.into_parts();
    let session = open(api, actor, session).await?;
    if let Some(finished) = session.finished() {
        request::discard(body).await;
        return Ok(Progress::Finished(Box::new(finished.into())));
    }
    let asked = upload_range(&head.headers)?;
    let (first, last, total) = match asked {
        UploadRange::Query { total } => return finish_if_whole(api, actor, session, total).await,
        UploadRange::Piece { first, last, total } => {
            let bytes = last - first + 1;
            if request::content_length(&head.headers).is_some_and(|length| length != bytes) {
                return Err(DriveError::invalid("Content-Length is not the length of Content-Range"));
            }
            (first, last, total)
        }
    };
    if let (Some(declared), Some(total)) = (session.record.bytes, total)
        && declared != total
    {
        return Err(DriveError::conflict("size_mismatch", format!("{declared} bytes were declared at the start")));
    }
    let session = append(api, actor, session, first..=last, request::pieces(body)).await?;
    // The whole file in one request, of a length that nobody declared.
    let whole = !head.headers.contains_key(CONTENT_RANGE);
    let total = if whole { Some(session.record.received) } else { total };
    finish_if_whole(api, actor, session, total).await
}

/// The session with the bytes that stand at `range` in the file; how many there are may be known only when they end.
pub async fn append(
    api: &DriveApi,
    actor: &Actor,
    session: Session,
    range: RangeInclusive<u64>,
    pieces: Pieces,
) -> Result<Session> {
    if session.record.kind == SessionKind::Concurrent {
        check_cut(&session, &range)?;
    }
    match api.drive().append(actor, &session, *range.start(), pieces).await {
        // Another request brought the last piece that was missing, so this one is there, too.
        Err(Error::Refused(Refusal::SessionClosed)) if session.record.kind == SessionKind::Concurrent => {}
        Err(error) => return Err(error.into()),
        Ok(Appended { broke_off: Some(error), .. }) => return Err(error.into()),
        Ok(Appended { broke_off: None, .. }) => {}
    }
    Ok(api.drive().session(actor, session.record.session).await?)
}

/// Pieces that come side by side are cut where the blocks of the content hash are.
fn check_cut(session: &Session, range: &RangeInclusive<u64>) -> Result<()> {
    let is_cut = |at: u64| at.is_multiple_of(BLOCK_BYTES) || Some(at) == session.record.bytes;
    let is_within = session.record.bytes.is_some_and(|bytes| *range.end() < bytes);
    match is_cut(*range.start()) && is_within && is_cut(range.end() + 1) {
        true => Ok(()),
        false => Err(DriveError::invalid(format!(
            "pieces of a `parallel` upload begin and end at multiples of {BLOCK_BYTES} bytes, and the last where the file does"
        ))),
    }
}

/// Without a Content-Range the body is the whole file.
fn upload_range(headers: &HeaderMap) -> Result<UploadRange> {
    match request::text(headers, CONTENT_RANGE.as_str()) {
        Some(text) => UploadRange::parse(text)
            .ok_or_else(|| DriveError::invalid("Content-Range is `bytes first-last/total` or `bytes */total`")),
        None => match request::content_length(headers) {
            Some(0) => Ok(UploadRange::Query { total: Some(0) }),
            length => Ok(UploadRange::Piece {
                first: 0,
                last: length.map_or(u64::MAX - 1, |length| length - 1),
                total: length,
            }),
        },
    }
}

pub async fn finish_if_whole(api: &DriveApi, actor: &Actor, session: Session, total: Option<u64>) -> Result<Progress> {
    let received = session.record.received;
    let is_whole = total.or(session.record.bytes) == Some(received);
    match session.record.kind {
        SessionKind::Sequential if !is_whole => return Ok(Progress::Incomplete { received }),
        // How much of it has no gap before it, is not known here.
        SessionKind::Concurrent if !is_whole => return Ok(Progress::Incomplete { received: 0 }),
        SessionKind::Concurrent if !session.record.closed => match api.drive().close_session(actor, &session).await {
            // Another request saw it whole, too.
            Ok(()) | Err(Error::Refused(Refusal::SessionClosed)) => {}
            Err(error) => return Err(error.into()),
        },
        SessionKind::Sequential | SessionKind::Concurrent => {}
    }
    let target = file_metadata::target(&session.details)?;
    let claims = session.details.claims(received);
    let changed = api.drive().finish_session(actor, &session, &target, &claims).await?;
    Ok(Progress::Finished(Box::new(changed.into())))
}

pub fn incomplete(received: u64) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Some(range) = stored_range(received).and_then(|range| HeaderValue::try_from(range).ok()) {
        response.headers_mut().insert(RANGE, range);
    }
    response
}

pub async fn open(api: &DriveApi, actor: &Actor, session: &str) -> Result<Session> {
    let gone = || DriveError::not_found("there is no such upload: it expired, or was never begun");
    let session = UploadId::parse(session).ok_or_else(gone)?;
    Ok(api.drive().session(actor, session).await?)
}
