//! `PATCH`: the next bytes of an upload.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use onggi_cluster::metadata::outcome::Refusal;

use super::checked;
use super::reply::{self, Result, TusError};
use crate::drive_api::error::DriveError;
use crate::drive_api::file_metadata;
use crate::drive_api::operations::resume_upload::open;
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::services::Error;
use crate::services::drive::actor::Actor;
use crate::services::drive::checked_pieces::PieceMismatch;
use crate::services::drive::new_file::FileClaims;
use crate::services::drive::session::{Pieces, Session};
use crate::services::drive::session_details::Concatenation;

/// Of tus alone.
const CHECKSUM_MISMATCH: u16 = 460;

pub async fn patch(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
    request: Request,
) -> Result<Response> {
    let (head, body) = request.into_parts();
    reply::check_version(&head.headers)?;
    if request::content_type(&head.headers) != Some("application/offset+octet-stream") {
        let message = "the Content-Type must be application/offset+octet-stream";
        return Err(DriveError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid", message).into());
    }
    let offset = request::text(&head.headers, reply::OFFSET.as_str()).and_then(|text| text.parse().ok());
    let offset = offset.ok_or_else(|| DriveError::invalid("Upload-Offset is a number of bytes"))?;
    let session = open(&api, &actor, &session).await?;
    if matches!(session.details.concatenation, Some(Concatenation::Final { .. })) {
        let message = "a final upload is made of partial ones, and takes no bytes";
        return Err(DriveError::new(StatusCode::FORBIDDEN, "denied", message).into());
    }
    if offset != session.record.received {
        return Err(Error::Refused(Refusal::IncorrectOffset { expected: session.record.received }).into());
    }
    let session = receive(&api, &actor, session, offset, &head.headers, request::pieces(body)).await?;
    Ok(reply::of_session(StatusCode::NO_CONTENT, &session))
}

/// `POST` with X-HTTP-Method-Override, for proxies that let no other method through.
pub async fn overridden(api: State<DriveApi>, by: By, session: Path<String>, request: Request) -> Result<Response> {
    match request::text(request.headers(), "x-http-method-override") {
        Some("PATCH") => patch(api, by, session, request).await,
        Some("HEAD") => super::uploads::progress(api, by, session, request.headers().clone()).await,
        Some("DELETE") => super::uploads::terminate(api, by, session, request.headers().clone()).await,
        _ => Err(DriveError::new(StatusCode::METHOD_NOT_ALLOWED, "invalid", "an upload goes on with PATCH").into()),
    }
}

/// Stores what comes, and makes the file once everything is here.
pub async fn receive(
    api: &DriveApi,
    actor: &Actor,
    mut session: Session,
    offset: u64,
    headers: &HeaderMap,
    pieces: Pieces,
) -> Result<Session> {
    let drive = api.drive();
    // Of an upload that began without a length.
    let length = session.record.bytes.or(reply::length(headers)?);
    let appended = match request::text(headers, "upload-checksum") {
        None => drive.append(actor, &session, offset, pieces).await?,
        Some(checksum) => {
            let claim = checked::parse(checksum);
            let claim = claim.ok_or_else(|| DriveError::invalid("Upload-Checksum is not understood"))?;
            drive.append_whole(actor, &session, offset, claim.check(pieces)).await?
        }
    };
    if let Some(error) = appended.broke_off {
        return Err(of_broken_body(error));
    }
    session = drive.session(actor, session.record.session).await?;
    let becomes_a_file = session.details.concatenation.is_none() && session.record.finished.is_none();
    if becomes_a_file && length == Some(session.record.received) {
        let target = file_metadata::target(&session.details)?;
        drive.finish_session(actor, &session, &target, &FileClaims::default()).await?;
        session = drive.session(actor, session.record.session).await?;
    }
    Ok(session)
}

fn of_broken_body(error: Error) -> TusError {
    if let Error::Body(source) = &error
        && source.is::<PieceMismatch>()
    {
        let status = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
        return DriveError::new(status, "digest_mismatch", source.to_string()).into();
    }
    error.into()
}
