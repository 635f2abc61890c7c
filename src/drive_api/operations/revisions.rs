//! Revisions of a file: listed, brought back, kept.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::drive_api::entry_json::{EntryJson, RevisionJson};
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;

const PAGE_REVISIONS: usize = 20;
const PAGE_REVISIONS_MAX: usize = 100;
/// A label stands in lists.
const LABEL_CHARS_MAX: usize = 200;

#[derive(Deserialize)]
pub struct ListRevisions {
    #[serde(flatten)]
    entry: EntryReference,
    limit: Option<usize>,
    before_rev: Option<String>,
}

#[derive(Serialize)]
pub struct RevisionPage {
    entries: Vec<RevisionJson>,
    has_more: bool,
    is_deleted: bool,
}

/// `POST /files/list_revisions`: newest first. Of a path from which a file was deleted, those of that file.
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

#[derive(Deserialize)]
pub struct Restore {
    #[serde(flatten)]
    entry: EntryReference,
    rev: String,
}

/// `POST /files/restore`: a new revision with the contents of an old one; a deleted file comes back first.
pub async fn restore(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Restore>,
) -> Result<Json<EntryJson>> {
    let entry = api.drive().restore(&actor, asked.entry.at()?, request::revision(&asked.rev)?).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

#[derive(Deserialize)]
pub struct UpdateRevision {
    #[serde(flatten)]
    entry: EntryReference,
    rev: String,
    keep_forever: Option<bool>,
    label: Option<String>,
}

/// `POST /files/update_revision`
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
