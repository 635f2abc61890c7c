//! Revisions of a file: listed, brought back, kept.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::entry_json::{EntryJson, RevisionJson};
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;

const PAGE_REVISIONS: usize = 20;
const PAGE_REVISIONS_MAX: usize = 100;
/// A label stands in lists.
const LABEL_CHARS_MAX: usize = 200;

#[derive(Deserialize, ToSchema)]
pub struct ListRevisions {
    #[serde(flatten)]
    entry: EntryReference,
    #[schema(default = json!(PAGE_REVISIONS))]
    limit: Option<usize>,
    /// Those before it: the last one of the page before.
    before_rev: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct RevisionPage {
    entries: Vec<RevisionJson>,
    has_more: bool,
    /// The file lies in the trash.
    is_deleted: bool,
}

/// Revisions of a file, newest first
///
/// Of a path from which a file was deleted: those of that file.
#[utoipa::path(
    post, path = "/files/list_revisions", tag = "revisions", request_body = ListRevisions,
    responses((status = 200, description = "A page of them.", body = RevisionPage)),
)]
pub async fn list_revisions(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<ListRevisions>,
) -> Result<Json<RevisionPage>> {
    let before_rev = asked.before_rev.as_deref().map(request::revision).transpose()?;
    let limit = asked.limit.unwrap_or(PAGE_REVISIONS).clamp(1, PAGE_REVISIONS_MAX);
    let found = api.drive().revisions(&actor, asked.entry.at()?, before_rev, limit).await?;
    let entries =
        found.revisions.iter().map(|revision| RevisionJson::new(&actor, revision, found.of.head.rev)).collect();
    Ok(Json(RevisionPage { entries, has_more: found.has_more, is_deleted: found.of.trashed.is_some() }))
}

#[derive(Deserialize, ToSchema)]
pub struct Restore {
    #[serde(flatten)]
    entry: EntryReference,
    rev: String,
}

/// A new revision with the contents of an old one
///
/// A deleted file comes back first.
#[utoipa::path(
    post, path = "/files/restore", tag = "revisions", request_body = Restore,
    responses((status = 200, description = "The file.", body = EntryJson)),
)]
pub async fn restore(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Restore>,
) -> Result<Json<EntryJson>> {
    let entry = api.drive().restore(&actor, asked.entry.at()?, request::revision(&asked.rev)?).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

#[derive(Deserialize, ToSchema)]
pub struct UpdateRevision {
    #[serde(flatten)]
    entry: EntryReference,
    rev: String,
    keep_forever: Option<bool>,
    #[schema(max_length = 200)]
    label: Option<String>,
}

/// Keep a revision for ever, or give it a label
#[utoipa::path(
    post, path = "/files/update_revision", tag = "revisions", request_body = UpdateRevision,
    responses((status = 200, description = "The revision.", body = RevisionJson)),
)]
pub async fn update_revision(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<UpdateRevision>,
) -> Result<Json<RevisionJson>> {
    if asked.label.as_ref().is_some_and(|label| label.chars().count() > LABEL_CHARS_MAX) {
        return Err(DriveError::invalid(format!("a label has at most {LABEL_CHARS_MAX} characters")));
    }
    let (at, rev) = (asked.entry.at()?, request::revision(&asked.rev)?);
    let revision = api.drive().mark_revision(&actor, at.clone(), rev, asked.keep_forever, asked.label).await?;
    let head = api.drive().entry(&actor, at).await?.record.file().map_or(0, |file| file.head.rev);
    Ok(Json(RevisionJson::new(&actor, &revision, head)))
}
