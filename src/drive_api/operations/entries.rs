//! One entry: looked up, made, moved, copied.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::drive_api::entry_json::EntryJson;
use crate::drive_api::error::Result;
use crate::drive_api::request::{self, By, Document, EntryReference};
use crate::drive_api::router::DriveApi;
use crate::services::drive::name;

/// `POST /files/metadata`
pub async fn metadata(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<EntryReference>,
) -> Result<Json<EntryJson>> {
    let entry = api.drive().entry(&actor, asked.at()?).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

#[derive(Deserialize)]
pub struct CreateFolder {
    path: String,
    #[serde(default)]
    autorename: bool,
}

/// `POST /files/create_folder`
pub async fn create_folder(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<CreateFolder>,
) -> Result<Json<EntryJson>> {
    let path = name::tree_path(&asked.path)?;
    let entry = api.drive().create_folder(&actor, path, asked.autorename).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

/// `from` may be an id.
#[derive(Deserialize)]
pub struct Relocate {
    from: String,
    to: String,
    rev: Option<String>,
    #[serde(default)]
    autorename: bool,
}

/// `POST /files/move`
pub async fn move_entry(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Relocate>,
) -> Result<Json<EntryJson>> {
    let (from, to) = (request::at(&asked.from)?, name::tree_path(&asked.to)?);
    let entry = api.drive().move_entry(&actor, from, to, asked.autorename).await?;
    Ok(Json(EntryJson::new(&actor, &entry)))
}

/// `POST /files/copy`
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
