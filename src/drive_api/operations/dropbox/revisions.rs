//! `files/list_revisions` and `files/restore`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By, at};
use super::metadata;
use super::rev;
use super::route_error::{Result, RouteError, lookup, tag};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;
use crate::services::Error;
use onggi_cluster::metadata::outcome::Refusal;

const REVISIONS: usize = 10;
const REVISIONS_MAX: usize = 100;

#[derive(Deserialize)]
pub struct ListRevisions {
    path: String,
    limit: Option<usize>,
    before_rev: Option<String>,
}

pub async fn list_revisions(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<ListRevisions>,
) -> Result<Json<Value>> {
    let at = at(&asked.path).map_err(lookup("path"))?;
    let before_rev = asked.before_rev.as_deref().map(rev::number).transpose()?;
    let limit = asked.limit.unwrap_or(REVISIONS).clamp(1, REVISIONS_MAX);
    let found = api.drive().revisions(&actor, at, before_rev, limit).await;
    let found = found.map_err(DriveError::from).map_err(lookup("path"))?;
    let entries: Vec<Value> = found
        .revisions
        .iter()
        .map(|revision| {
            let mut file = metadata::of_revision(&found.of.entry, revision);
            // A `FileMetadata`, not a member of a union.
            if let Some(file) = file.as_object_mut() {
                file.remove(".tag");
            }
            file
        })
        .collect();
    Ok(Json(json!({ "is_deleted": found.of.trashed.is_some(), "entries": entries, "has_more": found.has_more })))
}

#[derive(Deserialize)]
pub struct Restore {
    path: String,
    rev: String,
}

pub async fn restore(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Restore>,
) -> Result<Json<Value>> {
    let at = at(&asked.path).map_err(lookup("path_lookup"))?;
    let invalid = || RouteError::Tagged(tag("invalid_revision"));
    let rev = rev::number(&asked.rev).map_err(|_| invalid())?;
    match api.drive().restore(&actor, at, rev).await {
        Ok(mut entry) => {
            api.drive().fill_content_hashes(&actor, [&mut entry]).await?;
            Ok(Json(metadata::of_entry(&entry)))
        }
        Err(Error::Refused(Refusal::NoSuchRevision)) => Err(invalid()),
        Err(error) => Err(lookup("path_lookup")(error.into())),
    }
}
