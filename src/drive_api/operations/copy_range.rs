//! `POST /files/upload/{session}/copy`: the next piece of an upload is bytes that a revision has already, so they are not sent again.
//! Owns: what may be copied. The bytes are stored anew: why, says decision 0009.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::drive_api::answer_json::ErrorJson;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::operations::google::file_resource::FileResource;
use crate::drive_api::operations::resume_upload::{Progress, append, finish_if_whole, open};
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;
use crate::services::drive::entries::Entry;

/// Of one request, so that its answer comes while somebody waits for it.
const RANGE_BYTES_MAX: u64 = 256 << 20;

#[derive(Deserialize, ToSchema)]
pub struct CopyRange {
    /// A file of the same drive.
    #[serde(flatten)]
    entry: EntryReference,
    rev: String,
    /// In that revision.
    first: u64,
    bytes: u64,
    /// In the file that is uploaded.
    at: u64,
}

/// The next piece of an upload, copied from a revision that is stored
///
/// At most 256 MiB in one request. Answers as a piece that was sent.
#[utoipa::path(
    post, path = "/files/upload/{session}/copy", tag = "uploads", params(("session" = String, Path)),
    request_body = CopyRange,
    responses(
        (status = 200, description = "The file: everything is there.", body = FileResource),
        (
            status = 308, description = "Go on after what is stored.",
            headers(("Range" = String, description = "`bytes=0-LAST`: what is stored.")),
        ),
        (status = 409, description = "`incorrect_offset` with `expected_offset`.", body = ErrorJson),
        (status = 416, description = "The revision is shorter.", body = ErrorJson),
    ),
)]
pub async fn copy_range(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
    Document(asked): Document<CopyRange>,
) -> Result<Response> {
    let session = open(&api, &actor, &session).await?;
    if let Some(finished) = session.finished() {
        return Ok(Progress::Finished(Box::new(Entry::from(finished))).answer(&actor));
    }
    if !(1..=RANGE_BYTES_MAX).contains(&asked.bytes) {
        return Err(DriveError::invalid(format!("`bytes` is from 1 to {RANGE_BYTES_MAX}")));
    }
    let file = api.drive().file(&actor, asked.entry.at()?, Some(request::revision(&asked.rev)?)).await?;
    let end = asked.first.checked_add(asked.bytes).filter(|&end| end <= file.revision.bytes);
    let Some(end) = end else {
        let message = format!("the revision has {} bytes", file.revision.bytes);
        return Err(DriveError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", message));
    };
    let pieces = api.drive().read_file(&file, asked.first..end).await?.into_pieces();
    let range = asked.at..=asked.at.saturating_add(asked.bytes - 1);
    let session = append(&api, &actor, session, range, pieces).await?;
    Ok(finish_if_whole(&api, &actor, session, None).await?.answer(&actor))
}
