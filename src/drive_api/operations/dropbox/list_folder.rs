//! `files/list_folder` and what goes on from its cursor.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By, at};
use super::metadata;
use super::route_error::{Result, RouteError, lookup, tag};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;
use crate::services::Error;
use crate::services::drive::actor::Actor;
use crate::services::drive::feed::{Item, Page};

const PAGE_ENTRIES: usize = 500;
const PAGE_ENTRIES_MAX: usize = 2000;
const WAIT_SECONDS: u64 = 30;
const WAIT_SECONDS_MAX: u64 = 480;

#[derive(Deserialize)]
pub struct ListFolder {
    path: String,
    #[serde(default)]
    recursive: bool,
    limit: Option<usize>,
}

pub async fn list_folder(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<ListFolder>,
) -> Result<Json<Value>> {
    let at = at(&asked.path).map_err(lookup("path"))?;
    let limit = asked.limit.unwrap_or(PAGE_ENTRIES).clamp(1, PAGE_ENTRIES_MAX);
    let page = api.drive().list(&actor, at, asked.recursive, limit).await;
    page_json(&api, &actor, page.map_err(DriveError::from).map_err(lookup("path"))?).await
}

#[derive(Deserialize)]
pub struct Continue {
    cursor: String,
}

pub async fn list_folder_continue(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Continue>,
) -> Result<Json<Value>> {
    let reset = || RouteError::Tagged(tag("reset"));
    let position = api.cursors().open_for(actor.principal.user, &asked.cursor).ok_or_else(reset)?;
    match api.drive().go_on(&actor, position, PAGE_ENTRIES).await {
        Ok(page) => page_json(&api, &actor, page).await,
        Err(Error::CursorReset) => Err(reset()),
        Err(error) => Err(lookup("path")(error.into())),
    }
}

pub async fn get_latest_cursor(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<ListFolder>,
) -> Result<Json<Value>> {
    let at = at(&asked.path).map_err(lookup("path"))?;
    let latest = api.drive().latest(&actor, at, asked.recursive).await;
    let position = latest.map_err(DriveError::from).map_err(lookup("path"))?;
    Ok(Json(json!({ "cursor": api.cursors().seal(actor.principal.user, &position) })))
}

#[derive(Deserialize)]
pub struct Longpoll {
    cursor: String,
    timeout: Option<u64>,
}

/// The SDKs prove nothing here: the cursor, which nobody else can make, is the proof, and the answer one bit.
pub async fn longpoll(State(api): State<DriveApi>, Argument(asked): Argument<Longpoll>) -> Result<Json<Value>> {
    let (user, position) = api.cursors().open(&asked.cursor).ok_or_else(|| RouteError::Tagged(tag("reset")))?;
    let seconds = asked.timeout.unwrap_or(WAIT_SECONDS).clamp(1, WAIT_SECONDS_MAX);
    let changes = api.drive().wait(user, &position, Duration::from_secs(seconds)).await?;
    Ok(Json(json!({ "changes": changes })))
}

/// Every file with its content hash: Maestral takes a file without one for a deletion, and deletes it.
async fn page_json(api: &DriveApi, actor: &Actor, mut page: Page) -> Result<Json<Value>> {
    let entries = page.items.iter_mut().filter_map(|item| match item {
        Item::Entry(entry) => Some(entry),
        Item::Removed { .. } => None,
    });
    api.drive().fill_content_hashes(actor, entries).await?;
    Ok(Json(json!({
        "entries": page.items.iter().map(metadata::of_item).collect::<Vec<_>>(),
        "cursor": api.cursors().seal(actor.principal.user, &page.next),
        "has_more": page.has_more,
    })))
}
