//! Listing a folder, and then what changes in it: one cursor leads through both.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::answer_json::ErrorJson;
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

#[derive(Deserialize, ToSchema)]
#[schema(as = ListFolder)]
pub struct List {
    /// The root, if it is not said.
    #[serde(default)]
    path: String,
    /// All that is below it, not only what is in it.
    #[serde(default)]
    recursive: bool,
    #[schema(default = json!(PAGE_ENTRIES))]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct PageJson {
    entries: Vec<EntryJson>,
    /// For the next page, and when there are no more pages, for changes.
    cursor: String,
    has_more: bool,
}

/// A folder, or all that is below it
///
/// A listing of many pages is the state at its first page; what changed meanwhile comes after it, as changes.
#[utoipa::path(
    post, path = "/files/list", tag = "listing", operation_id = "list_folder", request_body = List,
    responses((status = 200, description = "A page.", body = PageJson)),
)]
pub async fn list(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<List>,
) -> Result<Json<PageJson>> {
    let page = api.drive().list(&actor, request::at(&asked.path)?, asked.recursive, entries_max(asked.limit)).await?;
    Ok(Json(page_json(&api, &actor, &page)))
}

#[derive(Deserialize, ToSchema)]
pub struct Continue {
    cursor: String,
    #[schema(default = json!(PAGE_ENTRIES))]
    limit: Option<usize>,
}

/// The next page, and then what changed since
///
/// Apply entries in order: a file replaces, a folder keeps what is in it, `removed` removes with everything below.
#[utoipa::path(
    post, path = "/files/list/continue", tag = "listing", request_body = Continue,
    responses(
        (status = 200, description = "A page.", body = PageJson),
        (status = 410, description = "`cursor_reset`: list anew.", body = ErrorJson),
    ),
)]
pub async fn list_continue(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Continue>,
) -> Result<Json<PageJson>> {
    let position = open(&api, &actor, &asked.cursor)?;
    let page = api.drive().go_on(&actor, position, entries_max(asked.limit)).await?;
    Ok(Json(page_json(&api, &actor, &page)))
}

#[derive(Serialize, ToSchema)]
pub struct LatestCursor {
    cursor: String,
}

/// A cursor for who wants changes only
#[utoipa::path(
    post, path = "/files/list/latest_cursor", tag = "listing", request_body = List,
    responses((status = 200, description = "It stands at now.", body = LatestCursor)),
)]
pub async fn latest_cursor(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<List>,
) -> Result<Json<LatestCursor>> {
    let position = api.drive().latest(&actor, request::at(&asked.path)?, asked.recursive).await?;
    Ok(Json(LatestCursor { cursor: api.cursors().seal(actor.principal.user, &position) }))
}

#[derive(Deserialize, ToSchema)]
pub struct Wait {
    cursor: String,
    /// In seconds.
    #[schema(default = json!(WAIT_SECONDS))]
    timeout: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct Waited {
    changes: bool,
}

/// Wait for changes
///
/// Answers as soon as the cursor has something to tell, or after the timeout.
#[utoipa::path(
    post, path = "/files/wait", tag = "listing", request_body = Wait,
    responses((status = 200, description = "Whether there is something to tell.", body = Waited)),
)]
pub async fn wait(State(api): State<DriveApi>, By(actor): By, Document(asked): Document<Wait>) -> Result<Json<Waited>> {
    let position = open(&api, &actor, &asked.cursor)?;
    let seconds = asked.timeout.unwrap_or(WAIT_SECONDS).clamp(1, WAIT_SECONDS_MAX);
    let changes = api.drive().wait(actor.principal.user, &position, Duration::from_secs(seconds)).await?;
    Ok(Json(Waited { changes }))
}

#[derive(Deserialize, ToSchema)]
pub struct Search {
    query: String,
    /// Below it; the root, if it is not said.
    #[serde(default)]
    path: String,
    #[schema(default = json!(SEARCH_ENTRIES))]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct Found {
    entries: Vec<EntryJson>,
    has_more: bool,
}

/// Find by words in names
#[utoipa::path(
    post, path = "/files/search", tag = "listing", request_body = Search,
    responses((status = 200, description = "What was found.", body = Found)),
)]
pub async fn search(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Search>,
) -> Result<Json<Found>> {
    if asked.query.trim().is_empty() {
        return Err(DriveError::invalid("`query` is one or more words"));
    }
    let limit = asked.limit.unwrap_or(SEARCH_ENTRIES).clamp(1, PAGE_ENTRIES_MAX);
    let (found, has_more) = api.drive().search(&actor, request::at(&asked.path)?, &asked.query, limit).await?;
    let entries = found.iter().map(|entry| EntryJson::new(&actor, entry)).collect();
    Ok(Json(Found { entries, has_more }))
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
