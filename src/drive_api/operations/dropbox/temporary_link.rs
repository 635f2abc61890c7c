//! `files/get_temporary_link`: an address that gives out one revision of a file for some hours, to whoever has it.
//! Invariant: the address says which revision, for whom and until when; no record is made. Its user must still be let in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use onggi_cluster::id::{EntryId, UserId};
use onggi_cluster::metadata::command::tree::At;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::argument::{Argument, By, sought};
use super::metadata;
use super::route_error::{Result as RouteResult, lookup};
use crate::drive_api::auth::AuthError;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::operations::download;
use crate::drive_api::request::Origin;
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;

/// Dropbox's own.
const LIFE: Duration = Duration::from_secs(4 * 60 * 60);

#[derive(Deserialize)]
pub struct Asked {
    path: String,
}

#[derive(Deserialize, Serialize)]
struct Link {
    user: u64,
    entry: u64,
    rev: u64,
    expires: u64,
}

pub async fn get_temporary_link(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Argument(asked): Argument<Asked>,
) -> RouteResult<Json<Value>> {
    let (at, rev) = sought(&asked.path).map_err(lookup("path"))?;
    let file = api.drive().file(&actor, at, rev).await.map_err(DriveError::from).map_err(lookup("path"))?;
    let (user, entry) = (actor.principal.user.0, file.entry.record.id.0);
    let link = Link { user, entry, rev: file.revision.rev, expires: unix_seconds() + LIFE.as_secs() };
    let sealed = api.temporary_links().seal(&serde_json::to_vec(&link).unwrap_or_default());
    let mut shown = metadata::of_revision(&file.entry, &file.revision);
    if let Some(fields) = shown.as_object_mut() {
        fields.remove(".tag");
    }
    Ok(Json(json!({ "metadata": shown, "link": format!("{}/t/{sealed}", origin) })))
}

/// `GET /t/{link}`
pub async fn send(State(api): State<DriveApi>, Path(sealed): Path<String>, headers: HeaderMap) -> Result<Response> {
    let gone = || DriveError::not_found("there is no such link, or its time is over");
    let opened = api.temporary_links().open(&sealed).and_then(|bytes| serde_json::from_slice::<Link>(&bytes).ok());
    let link = opened.filter(|link| unix_seconds() < link.expires).ok_or_else(gone)?;
    let principal = api.accounts().principal(UserId(link.user)).await.map_err(AuthError)?.ok_or_else(gone)?;
    let actor = Actor { principal, device: String::new() };
    let file = api.drive().file(&actor, At::Entry(EntryId(link.entry)), Some(link.rev)).await?;
    let mut response = download::answer(api.drive(), &file, &headers).await?;
    download::describe(&mut response, &file, false);
    Ok(response)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
