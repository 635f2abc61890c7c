//! Begin, look at, and end an upload.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode};
use onggi_cluster::metadata::record::tree::SessionKind;

use super::checked::ALGORITHMS;
use super::concat;
use super::metadata::file_metadata;
use super::patch::receive;
use super::reply::{self, BYTES_MAX, Result};
use crate::drive_api::error::DriveError;
use crate::drive_api::operations::download::insert;
use crate::drive_api::operations::resume_upload::open;
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::services::drive::session::NewSession;
use crate::services::drive::session_details::{Concatenation, SessionDetails};

const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";

/// `OPTIONS`: what this server can do, for anybody.
pub async fn capabilities() -> Response {
    let mut response = reply::stamped(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static(ALGORITHMS));
    insert(headers, http::HeaderName::from_static("tus-max-size"), BYTES_MAX.to_string());
    response
}

/// `POST`: an upload begins, with its first bytes if they come along.
pub async fn create(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    reply::check_version(&head.headers)?;
    let concatenation = match concat::asked(&head.headers)? {
        Some(Concatenation::Final { text }) => return concat::concatenate(&api, &actor, &head, text).await,
        concatenation => concatenation,
    };
    let is_partial = concatenation.is_some();
    let bytes = reply::length(&head.headers)?;
    let deferred = request::text(&head.headers, "upload-defer-length") == Some("1");
    if bytes.is_some() == deferred {
        return Err(DriveError::invalid("say either Upload-Length or Upload-Defer-Length: 1").into());
    }
    let metadata = file_metadata(request::text(&head.headers, "upload-metadata").unwrap_or(""))?;
    let details = SessionDetails { concatenation, ..metadata.details(None)? };
    if is_partial && deferred {
        return Err(DriveError::invalid("a partial upload says its Upload-Length").into());
    }
    if details.path.is_none() && !is_partial {
        return Err(DriveError::invalid("Upload-Metadata must have a `path` or a `filename`").into());
    }
    let new = NewSession { details, kind: SessionKind::Sequential, bytes };
    let session = api.drive().create_session(&actor, new).await?;
    let location = reply::location(&head, session);
    let session = api.drive().session(&actor, session).await?;
    let has_body = request::content_length(&head.headers).is_none_or(|length| length > 0);
    let brings_bytes = has_body && request::content_type(&head.headers) == Some("application/offset+octet-stream");
    let session = match brings_bytes || bytes == Some(0) {
        true => receive(&api, &actor, session, 0, &head.headers, request::pieces(body)).await?,
        false => session,
    };
    Ok(reply::with_location(reply::of_session(StatusCode::CREATED, &session), location))
}

/// `HEAD`: how far it is.
pub async fn progress(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    reply::check_version(&headers)?;
    let session = open(&api, &actor, &session).await?;
    Ok(reply::with_length(reply::of_session(StatusCode::OK, &session), &session))
}

/// `DELETE`: given up.
pub async fn terminate(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    reply::check_version(&headers)?;
    let session = open(&api, &actor, &session).await?;
    api.drive().abort_session(&actor, session.record.session).await?;
    Ok(reply::stamped(StatusCode::NO_CONTENT.into_response()))
}
