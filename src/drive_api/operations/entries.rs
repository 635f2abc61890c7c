//! One entry: looked up, made, moved, copied.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::drive_api::entry_json::EntryJson;
use crate::drive_api::error::Result;
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;
use crate::services::drive::name;

/// One entry
#[utoipa::path(
    post, path = "/files/metadata", tag = "entries", request_body = EntryReference,
    responses((status = 200, description = "The entry.", body = EntryJson)),
)]
pub async fn metadata(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<EntryReference>,
) -> Result<Json<EntryJson>> {
    let entry = api.drive().entry(&actor, asked.at()?).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

#[derive(Deserialize, ToSchema)]
pub struct CreateFolder {
    path: String,
    /// What has this name already becomes no error, but a sibling.
    #[serde(default)]
    autorename: bool,
}

/// Make a folder, and those above it that are not there
#[utoipa::path(
    post, path = "/files/create_folder", tag = "entries", request_body = CreateFolder,
    responses((status = 200, description = "The folder.", body = EntryJson)),
)]
pub async fn create_folder(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<CreateFolder>,
) -> Result<Json<EntryJson>> {
    let path = name::tree_path(&asked.path)?;
    let entry = api.drive().create_folder(&actor, path, asked.autorename).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

#[derive(Deserialize, ToSchema)]
pub struct Relocate {
    /// A path or an id.
    from: String,
    to: String,
    /// Which revision is copied, if not the head.
    rev: Option<String>,
    /// What has this name already becomes no error, but a sibling.
    #[serde(default)]
    autorename: bool,
}

/// Move or rename, with whatever is below it
#[utoipa::path(
    post, path = "/files/move", tag = "entries", operation_id = "move", request_body = Relocate,
    responses((status = 200, description = "The entry, where it is now.", body = EntryJson)),
)]
pub async fn move_entry(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Relocate>,
) -> Result<Json<EntryJson>> {
    let (from, to) = (request::at(&asked.from)?, name::tree_path(&asked.to)?);
    let entry = api.drive().move_entry(&actor, from, to, asked.autorename).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

/// Copy, with whatever is below it
#[utoipa::path(
    post, path = "/files/copy", tag = "entries", operation_id = "copy", request_body = Relocate,
    responses((status = 200, description = "The copy.", body = EntryJson)),
)]
pub async fn copy_entry(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Relocate>,
) -> Result<Json<EntryJson>> {
    let (from, to) = (request::at(&asked.from)?, name::tree_path(&asked.to)?);
    let rev = asked.rev.as_deref().map(request::revision).transpose()?;
    let entry = api.drive().copy_entry(&actor, from, rev, to, asked.autorename).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}
