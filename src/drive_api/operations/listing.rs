//! Listing a folder, and then what changes in it: one cursor leads through both.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drive_api::entry_json::EntryJson;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{self, By, Document};
use crate::drive_api::router::DriveApi;
use crate::services::Error;
use crate::services::drive::actor::Actor;
use crate::services::drive::feed::{Page, Position};

const PAGE_ENTRIES: usize = 500;
const PAGE_ENTRIES_MAX: usize = 2000;
const SEARCH_ENTRIES: usize = 100;
const WAIT_SECONDS: u64 = 30;
const WAIT_SECONDS_MAX: u64 = 300;

#[derive(Deserialize)]
pub struct List {
    /// The root, if it is not said.
    #[serde(default)]
    path: String,
    #[serde(default)]
    recursive: bool,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub struct PageJson {
    entries: Vec<EntryJson>,
    cursor: String,
    has_more: bool,
}

/// `POST /files/list`
pub async fn list(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<List>,
) -> Result<Json<PageJson>> {
    let page = api.drive().list(&actor, request::at(&asked.path)?, asked.recursive, entries_max(asked.limit)).await?;
    Ok(Json(page_json(&api, &actor, &page)))
}

#[derive(Deserialize)]
pub struct Continue {
    cursor: String,
    limit: Option<usize>,
}

/// `POST /files/list/continue`
pub async fn list_continue(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Continue>,
) -> Result<Json<PageJson>> {
    let position = open(&api, &actor, &asked.cursor)?;
    let page = api.drive().go_on(&actor, position, entries_max(asked.limit)).await?;
    Ok(Json(page_json(&api, &actor, &page)))
}

/// `POST /files/list/latest_cursor`: for who wants changes only.
pub async fn latest_cursor(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<List>,
) -> Result<Json<Value>> {
    let position = api.drive().latest(&actor, request::at(&asked.path)?, asked.recursive).await?;
    Ok(Json(json!({ "cursor": api.cursors().seal(actor.principal.user, &position) })))
}

#[derive(Deserialize)]
pub struct Wait {
    cursor: String,
    timeout: Option<u64>,
}

/// `POST /files/wait`: answers as soon as the cursor has something to tell, or after the timeout.
pub async fn wait(State(api): State<DriveApi>, By(actor): By, Document(asked): Document<Wait>) -> Result<Json<Value>> {
    let position = open(&api, &actor, &asked.cursor)?;
    let seconds = asked.timeout.unwrap_or(WAIT_SECONDS).clamp(1, WAIT_SECONDS_MAX);
    let changes = api.drive().wait(actor.principal.user, &position, Duration::from_secs(seconds)).await?;
    Ok(Json(json!({ "changes": changes })))
}

#[derive(Deserialize)]
pub struct Search {
    query: String,
    #[serde(default)]
    path: String,
    limit: Option<usize>,
}

/// `POST /files/search`: by words in names.
pub async fn search(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Search>,
) -> Result<Json<Value>> {
    if asked.query.trim().is_empty() {
        return Err(DriveError::invalid("`query` is one or more words"));
    }
    let limit = asked.limit.unwrap_or(SEARCH_ENTRIES).clamp(1, PAGE_ENTRIES_MAX);
    let (found, has_more) = api.drive().search(&actor, request::at(&asked.path)?, &asked.query, limit).await?;
    let entries: Vec<EntryJson> = found.iter().map(|entry| EntryJson::new(&actor, entry)).collect();
    Ok(Json(json!({ "entries": entries, "has_more": has_more })))
}

fn entries_max(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE_ENTRIES).clamp(1, PAGE_ENTRIES_MAX)
}

pub fn open(api: &DriveApi, actor: &Actor, cursor: &str) -> Result<Position> {
    api.cursors().open_for(actor.principal.user, cursor).ok_or_else(|| Error::CursorReset.into())
}

fn page_json(api: &DriveApi, actor: &Actor, page: &Page) -> PageJson {
    PageJson {
        entries: page.items.iter().map(|item| EntryJson::of_item(actor, item)).collect(),
        cursor: api.cursors().seal(actor.principal.user, &page.next),
        has_more: page.has_more,
    }
}
