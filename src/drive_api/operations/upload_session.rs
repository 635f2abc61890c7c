//! `GET` and `DELETE /files/upload/{session}`: how far an upload is, for people to watch; and giving it up.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::entry_json::EntryJson;
use crate::drive_api::error::Result;
use crate::drive_api::operations::resume_upload::open;
use crate::drive_api::request::By;
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::drive::entries::Entry;

#[derive(Serialize, ToSchema)]
#[schema(as = UploadSession)]
pub struct SessionJson {
    session: String,
    path: Option<String>,
    received: u64,
    /// Where they are: from the first byte on, but for a `parallel` upload.
    stored: Vec<StoredRange>,
    /// `null`: nobody said it yet.
    size: Option<u64>,
    #[schema(format = DateTime)]
    expires: String,
    finished: bool,
    entry: Option<EntryJson>,
}

#[derive(Serialize, ToSchema)]
struct StoredRange {
    first: u64,
    last: u64,
}

/// How far an upload is
#[utoipa::path(
    get, path = "/files/upload/{session}", tag = "uploads", params(("session" = String, Path)),
    responses((status = 200, description = "The upload.", body = SessionJson)),
)]
pub async fn upload_session(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
) -> Result<Json<SessionJson>> {
    let session = open(&api, &actor, &session).await?;
    let stored = api.drive().stored_ranges(&actor, &session).await?;
    let finished = session.finished();
    let record = session.record;
    Ok(Json(SessionJson {
        session: record.session.to_string(),
        path: session.details.path,
        received: record.received,
        stored: stored.into_iter().map(|range| StoredRange { first: range.start, last: range.end - 1 }).collect(),
        size: record.bytes,
        expires: text_form::time(record.expires_ms),
        finished: finished.is_some(),
        entry: finished.map(|changed| EntryJson::new(&actor, &Entry::from(changed))),
    }))
}

/// Google's answer to a cancelled upload.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Give an upload up
#[utoipa::path(
    delete, path = "/files/upload/{session}", tag = "uploads", params(("session" = String, Path)),
    responses((status = 499, description = "It is over.")),
)]
pub async fn cancel_upload(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
) -> Result<Response> {
    let session = open(&api, &actor, &session).await?;
    api.drive().abort_session(&actor, session.record.session).await?;
    let status = StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::NO_CONTENT);
    Ok(status.into_response())
}
