//! `POST` and `GET /files/download`: the bytes of a file, or of one of its revisions.
//! Invariant: what a browser is given cannot run in the page's name: its type is not guessed, and scripts in it are cut off from everything.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::description::FileBytes;
use crate::drive_api::entry_json::EntryJson;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;
use crate::drive_api::{escaped_json, media_type, text_form};
use crate::s3_api::range::{ByteRange, content_range};
use crate::s3_api::timestamp::{http_date, parse_http_date};
use crate::services::drive::DriveService;
use crate::services::drive::actor::Actor;
use crate::services::drive::stored_file::StoredFile;
use crate::services::{Error, ObjectBytes, RESOLVE_ATTEMPTS_MAX};

const ENTRY: HeaderName = HeaderName::from_static("onggi-entry");
/// RFC 5987: what may stand as it is in `filename*`.
const IN_FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct DownloadRequest {
    #[serde(flatten)]
    #[param(ignore)]
    pub entry: EntryReference,
    /// The head, if it is not said.
    pub rev: Option<String>,
    /// Shown in the browser instead of saved.
    pub inline: Option<String>,
}

/// The bytes of a file, or of one of its revisions
///
/// The entry stands in the header `Onggi-Entry`, as JSON.
#[utoipa::path(
    post, path = "/files/download", tag = "entries", request_body = DownloadRequest, params(FileBytes), responses(FileBytes),
)]
pub async fn download(
    State(api): State<DriveApi>,
    By(actor): By,
    headers: HeaderMap,
    Document(asked): Document<DownloadRequest>,
) -> Result<Response> {
    send(&api, &actor, &asked, &headers).await
}

/// The bytes of a file, for browsers
///
/// They cannot send a body.
#[utoipa::path(
    get,
    path = "/files/download",
    tag = "entries",
    params(EntryReference, DownloadRequest, FileBytes),
    responses(FileBytes)
)]
pub async fn download_by_get(
    State(api): State<DriveApi>,
    By(actor): By,
    uri: Uri,
    headers: HeaderMap,
    _: Request,
) -> Result<Response> {
    send(&api, &actor, &request::query(&uri)?, &headers).await
}

async fn send(api: &DriveApi, actor: &Actor, asked: &DownloadRequest, headers: &HeaderMap) -> Result<Response> {
    let rev = asked.rev.as_deref().map(request::revision).transpose()?;
    let at = asked.entry.at()?;
    for _ in 0..RESOLVE_ATTEMPTS_MAX {
        let file = api.drive().file(actor, at.clone(), rev).await?;
        match answer(api.drive(), &file, headers).await {
            Err(Error::Vanished) => {}
            answered => {
                let mut response = answered?;
                describe(&mut response, &file, asked.inline.is_some());
                if let Some(entry) = escaped_json::header_value(&EntryJson::new(actor, &file.entry)) {
                    response.headers_mut().insert(ENTRY, entry);
                }
                return Ok(response);
            }
        }
    }
    Err(Error::Vanished.into())
}

/// Status, ranges and bytes; the same for every door.
pub async fn answer(
    drive: &DriveService,
    file: &StoredFile,
    headers: &HeaderMap,
) -> std::result::Result<Response, Error> {
    let bytes = file.revision.bytes;
    if is_known(file, headers) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let asked = request::text(headers, RANGE.as_str()).and_then(ByteRange::parse);
    let asked = asked.filter(|_| if_range_holds(file, headers));
    let range = match asked.map(|asked| asked.resolve(bytes)) {
        None => 0..bytes,
        Some(Ok(range)) => range,
        Some(Err(_)) => return Ok(not_satisfiable(bytes)),
    };
    let is_partial = asked.is_some();
    let ObjectBytes { first, rest } = drive.read_file(file, range.clone()).await?;
    let length = range.end - range.start;
    let body = match rest {
        None => Body::from(first),
        Some(rest) => {
            use futures::StreamExt as _;
            Body::from_stream(futures::stream::iter([Ok(first)]).chain(rest))
        }
    };
    let mut response = Response::new(body);
    let into = response.headers_mut();
    insert(into, CONTENT_LENGTH, length.to_string());
    if is_partial {
        insert(into, CONTENT_RANGE, content_range(&range, bytes));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn not_satisfiable(bytes: u64) -> Response {
    let error = DriveError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", "the file is shorter");
    let mut response = error.into_response();
    insert(response.headers_mut(), CONTENT_RANGE, format!("bytes */{bytes}"));
    response
}

/// What anybody may know of the file, and what a browser may do with it.
pub fn describe(response: &mut Response, file: &StoredFile, inline: bool) {
    let name = file.entry.path.rsplit('/').next().unwrap_or_default();
    let headers = response.headers_mut();
    insert(headers, ETAG, etag(file));
    insert(headers, LAST_MODIFIED, http_date(file.revision.modified_ms));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'",
        ),
    );
    let kind = if inline { "inline" } else { "attachment" };
    let encoded = utf8_percent_encode(name, IN_FILE_NAME);
    insert(headers, CONTENT_DISPOSITION, format!("{kind}; filename*=UTF-8''{encoded}"));
    if response.status().is_success() {
        let media_type = media_type::of(file.revision.headers.content_type.as_deref(), name);
        insert(response.headers_mut(), CONTENT_TYPE, media_type.to_owned());
    }
}

pub fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn etag(file: &StoredFile) -> String {
    format!("\"{}\"", text_form::revision(file.revision.rev))
}

/// RFC 9110 §13.2.2: a tag that does not match silences the date.
fn is_known(file: &StoredFile, headers: &HeaderMap) -> bool {
    if let Some(tags) = request::text(headers, IF_NONE_MATCH.as_str()) {
        let ours = etag(file);
        return tags.split(',').any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == ours
        });
    }
    let since = request::text(headers, IF_MODIFIED_SINCE.as_str()).and_then(parse_http_date);
    since.is_some_and(|since| file.revision.modified_ms / 1000 <= since)
}

/// Without it, or with the tag or date of this very revision, the range counts (RFC 9110 §13.1.5).
fn if_range_holds(file: &StoredFile, headers: &HeaderMap) -> bool {
    let Some(text) = request::text(headers, IF_RANGE.as_str()) else { return true };
    match parse_http_date(text) {
        Some(seconds) => seconds == file.revision.modified_ms / 1000,
        None => text == etag(file),
    }
}
