//! `/drive/v3/files/{id}/revisions`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};
use onggi_cluster::metadata::record::tree::RevisionRecord;
use serde::{Deserialize, Serialize};

use super::google_error::Result;
use super::google_metadata::entry_at;
use crate::drive_api::operations::download;
use crate::drive_api::request::{self, By, Document};
use crate::drive_api::router::DriveApi;
use crate::drive_api::{entry_json, text_form};

const PAGE_REVISIONS: usize = 200;
const PAGE_REVISIONS_MAX: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoogleRevision {
    kind: &'static str,
    id: String,
    size: String,
    modified_time: String,
    keep_forever: bool,
    md5_checksum: Option<String>,
    mime_type: Option<String>,
}

impl GoogleRevision {
    fn new(revision: &RevisionRecord) -> Self {
        Self {
            kind: "drive#revision",
            id: text_form::revision(revision.rev),
            size: revision.bytes.to_string(),
            modified_time: text_form::time(revision.modified_ms),
            keep_forever: revision.keep,
            md5_checksum: entry_json::md5(&revision.etag).map(hex::encode),
            mime_type: revision.headers.content_type.clone(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionList {
    kind: &'static str,
    revisions: Vec<GoogleRevision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    page_size: Option<usize>,
    page_token: Option<String>,
}

pub async fn list(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<RevisionList>> {
    let asked: ListQuery = request::query(&uri)?;
    let before = asked.page_token.as_deref().map(request::revision).transpose()?;
    let limit = asked.page_size.unwrap_or(PAGE_REVISIONS).clamp(1, PAGE_REVISIONS_MAX);
    let found = api.drive().revisions(&actor, entry_at(&id)?, before, limit).await?;
    let last = found.revisions.last().map(|revision| text_form::revision(revision.rev));
    Ok(Json(RevisionList {
        kind: "drive#revisionList",
        revisions: found.revisions.iter().map(GoogleRevision::new).collect(),
        next_page_token: last.filter(|_| found.has_more),
    }))
}

#[derive(Deserialize)]
struct GetQuery {
    alt: Option<String>,
}

pub async fn get(
    State(api): State<DriveApi>,
    By(actor): By,
    Path((id, rev)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    let GetQuery { alt } = request::query(&uri)?;
    let file = api.drive().file(&actor, entry_at(&id)?, Some(request::revision(&rev)?)).await?;
    if alt.as_deref() == Some("media") {
        return Ok(download::answer(api.drive(), &file, &headers).await?);
    }
    Ok(Json(GoogleRevision::new(&file.revision)).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateRevision {
    keep_forever: Option<bool>,
}

pub async fn update(
    State(api): State<DriveApi>,
    By(actor): By,
    Path((id, rev)): Path<(String, String)>,
    Document(asked): Document<UpdateRevision>,
) -> Result<Json<GoogleRevision>> {
    let rev = request::revision(&rev)?;
    let revision = api.drive().mark_revision(&actor, entry_at(&id)?, rev, asked.keep_forever, None).await?;
    Ok(Json(GoogleRevision::new(&revision)))
}
