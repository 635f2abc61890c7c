//! Replies of the tus door: the headers that each has, and errors in the protocol's statuses.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use onggi_cluster::id::UploadId;

use super::concat::CONCAT;
use crate::drive_api::error::DriveError;
use crate::drive_api::operations::download::insert;
use crate::drive_api::request;
use crate::s3_api::timestamp::http_date;
use crate::services::Error;
use crate::services::drive::session::Session;
use crate::services::drive::session_details::Concatenation;

pub const VERSION: &str = "1.0.0";
/// The largest object of the store.
pub const BYTES_MAX: u64 = 5 << 40;
pub const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

pub type Result<T> = std::result::Result<T, TusError>;

#[derive(Debug)]
pub struct TusError(pub DriveError);

impl From<DriveError> for TusError {
    fn from(error: DriveError) -> Self {
        Self(error)
    }
}

impl From<Error> for TusError {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for TusError {
    fn into_response(mut self) -> Response {
        if self.0.status == StatusCode::CONFLICT && self.0.code != "incorrect_offset" {
            self.0.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        stamped(self.0.into_response())
    }
}

/// Every request but OPTIONS names the version that it speaks.
pub fn check_version(headers: &HeaderMap) -> Result<()> {
    match request::text(headers, RESUMABLE.as_str()) {
        Some(VERSION) => Ok(()),
        _ => Err(DriveError::new(StatusCode::PRECONDITION_FAILED, "invalid", "Tus-Resumable must be 1.0.0").into()),
    }
}

pub fn stamped(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    headers.insert("tus-version", HeaderValue::from_static(VERSION));
    response
}

pub fn of_session(status: StatusCode, session: &Session) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    insert(headers, OFFSET, session.record.received.to_string());
    insert(headers, EXPIRES, http_date(session.record.expires_ms));
    match &session.details.concatenation {
        None => {}
        Some(Concatenation::Partial) => insert(headers, CONCAT, "partial".to_owned()),
        Some(Concatenation::Final { text }) => {
            insert(headers, CONCAT, text.clone());
            // It is put together yet: the protocol has no offset for that.
            if session.record.finished.is_none() {
                headers.remove(OFFSET);
            }
        }
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    stamped(response)
}

pub fn with_length(mut response: Response, session: &Session) -> Response {
    let headers = response.headers_mut();
    match session.record.bytes {
        Some(bytes) => insert(headers, LENGTH, bytes.to_string()),
        None => insert(headers, DEFER_LENGTH, "1".to_owned()),
    }
    response
}

pub fn location(head: &Parts, session: UploadId) -> String {
    format!("{}/files/tus/{session}", request::origin(&head.uri, &head.headers))
}

pub fn with_location(mut response: Response, location: String) -> Response {
    insert(response.headers_mut(), LOCATION, location);
    response
}

/// Upload-Length, which is no larger than anything that can be stored.
pub fn length(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(text) = request::text(headers, LENGTH.as_str()) else { return Ok(None) };
    let bytes: u64 = text.parse().map_err(|_| DriveError::invalid("Upload-Length is a number of bytes"))?;
    if bytes > BYTES_MAX {
        return Err(too_large());
    }
    Ok(Some(bytes))
}

pub fn too_large() -> TusError {
    let message = format!("a file has at most {BYTES_MAX} bytes");
    DriveError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message).into()
}
