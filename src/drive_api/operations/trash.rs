//! The trash: into it, what lies in it, out of it, and for good.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::answer_json::Done;
use crate::drive_api::entry_json::{EntryJson, TrashJson};
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;
use crate::services::drive::entries::Entry;
use crate::services::drive::name;

const PAGE_ITEMS: usize = 200;
const PAGE_ITEMS_MAX: usize = 2000;

/// Under which an item lies in the trash: text, as JavaScript's numbers end before ours do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct TrashNumber(String);

impl TrashNumber {
    fn seq(self) -> Result<u64> {
        self.0.parse().map_err(|_| DriveError::not_found("there is no such item in the trash"))
    }
}

#[derive(Deserialize, ToSchema)]
pub struct Delete {
    #[serde(flatten)]
    entry: EntryReference,
    /// Only if this is its head; of a folder, its `etag`: only if nothing below it changed since.
    rev: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Deleted {
    /// Under which it lies in the trash.
    trashed: Option<String>,
    entry: EntryJson,
}

/// Put into the trash, with whatever is below
#[utoipa::path(
    post, path = "/files/delete", tag = "trash", request_body = Delete,
    responses((status = 200, description = "What was deleted.", body = Deleted)),
)]
pub async fn delete(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Delete>,
) -> Result<Json<Deleted>> {
    let rev = asked.rev.as_deref().map(request::revision).transpose()?;
    let changed = api.drive().trash_entry(&actor, asked.entry.at()?, rev).await?;
    let trashed = changed.trashed.map(|seq| seq.to_string());
    Ok(Json(Deleted { trashed, entry: EntryJson::new(&actor, &Entry::from(changed)) }))
}

#[derive(Deserialize, ToSchema)]
pub struct ListTrash {
    /// As the page before gave it.
    cursor: Option<TrashNumber>,
    #[schema(default = json!(PAGE_ITEMS))]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct TrashPage {
    items: Vec<TrashJson>,
    cursor: Option<String>,
    has_more: bool,
}

/// What lies in the trash, newest first
#[utoipa::path(
    post, path = "/files/list_trash", tag = "trash", request_body = ListTrash,
    responses((status = 200, description = "A page of it.", body = TrashPage)),
)]
pub async fn list_trash(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<ListTrash>,
) -> Result<Json<TrashPage>> {
    let limit = asked.limit.unwrap_or(PAGE_ITEMS).clamp(1, PAGE_ITEMS_MAX);
    let mut items = api.drive().trash(&actor, asked.cursor.map(TrashNumber::seq).transpose()?, limit + 1).await?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    let cursor = items.last().map(|item| item.seq.to_string());
    let items = items.iter().map(|item| TrashJson::new(&actor, item)).collect();
    Ok(Json(TrashPage { items, cursor, has_more }))
}

#[derive(Deserialize, ToSchema)]
pub struct Undelete {
    trashed: TrashNumber,
    /// To where it was, if this is not said.
    to: Option<String>,
}

/// Take out of the trash
#[utoipa::path(
    post, path = "/files/undelete", tag = "trash", request_body = Undelete,
    responses((status = 200, description = "The entry, where it is now.", body = EntryJson)),
)]
pub async fn undelete(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Undelete>,
) -> Result<Json<EntryJson>> {
    let to = asked.to.as_deref().map(name::tree_path).transpose()?;
    let entry = api.drive().untrash(&actor, asked.trashed.seq()?, to).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

/// Either `trashed` or `all`.
#[derive(Deserialize, ToSchema)]
pub struct Purge {
    trashed: Option<TrashNumber>,
    #[serde(default)]
    all: bool,
}

/// Remove from the trash, for good
#[utoipa::path(
    post, path = "/files/purge", tag = "trash", request_body = Purge,
    responses((status = 200, description = "It is gone.", body = Done)),
)]
pub async fn purge(State(api): State<DriveApi>, By(actor): By, Document(asked): Document<Purge>) -> Result<Json<Done>> {
    match (asked.trashed, asked.all) {
        (Some(trashed), false) => api.drive().purge(&actor, trashed.seq()?).await?,
        (None, true) => api.drive().empty_trash(&actor).await?,
        _ => return Err(DriveError::invalid("say either `trashed` or `all`")),
    }
    Ok(Json(Done {}))
}
