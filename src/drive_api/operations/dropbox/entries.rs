//! One entry: looked up, made, moved, copied, thrown away.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By, at, sought};
use super::metadata;
use super::rev;
use super::route_error::{Result, RouteError, lookup, lookup_error, tag, tagged, write, write_error};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;
use crate::services::drive::name;

#[derive(Deserialize)]
pub struct PathArgument {
    path: String,
    #[serde(default)]
    autorename: bool,
    parent_rev: Option<String>,
}

pub async fn get_metadata(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<PathArgument>,
) -> Result<Json<Value>> {
    match sought(&asked.path).map_err(lookup("path"))? {
        (at, None) => {
            let found = api.drive().entry(&actor, at).await;
            let mut entry = found.map_err(DriveError::from).map_err(lookup("path"))?;
            api.drive().fill_content_hashes(&actor, [&mut entry]).await?;
            Ok(Json(metadata::of_entry(&entry)))
        }
        (at, rev) => {
            let found = api.drive().file(&actor, at, rev).await;
            let mut file = found.map_err(DriveError::from).map_err(lookup("path"))?;
            api.drive().fill_content_hash(&actor, &file.entry, &mut file.revision).await?;
            Ok(Json(metadata::of_revision(&file.entry, &file.revision)))
        }
    }
}

pub async fn create_folder(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<PathArgument>,
) -> Result<Json<Value>> {
    Ok(wrapped(&make_folder(&api, &actor, &asked.path, asked.autorename).await?))
}

pub async fn make_folder(api: &DriveApi, actor: &Actor, path: &str, autorename: bool) -> Result<Entry> {
    let path = name::tree_path(path).map_err(DriveError::from).map_err(write("path"))?;
    let made = api.drive().create_folder(actor, path, autorename).await;
    made.map_err(DriveError::from).map_err(write("path"))
}

pub async fn delete(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<PathArgument>,
) -> Result<Json<Value>> {
    trash(&api, &actor, &asked).await.map(|(_, entry)| wrapped(&entry))
}

pub async fn permanently_delete(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<PathArgument>,
) -> Result<Json<Value>> {
    if let (Some(trashed), _) = trash(&api, &actor, &asked).await? {
        api.drive().purge(&actor, trashed).await?;
    }
    Ok(Json(Value::Null))
}

/// Under which number it lies in the trash, and what it was.
pub async fn trash(api: &DriveApi, actor: &Actor, asked: &PathArgument) -> Result<(Option<u64>, Entry)> {
    let at = at(&asked.path).map_err(lookup("path_lookup"))?;
    let rev = asked.parent_rev.as_deref().map(rev::number).transpose()?;
    let changed = api.drive().trash_entry(actor, at, rev).await.map_err(|error| {
        let error = DriveError::from(error);
        match (error.code, lookup_error(&error)) {
            ("stale_revision" | "mass_delete_held", _) => write("path_write")(error),
            (_, Some(inner)) => RouteError::Tagged(tagged("path_lookup", inner)),
            _ => RouteError::Other(error),
        }
    })?;
    Ok((changed.trashed, Entry::from(changed)))
}

#[derive(Deserialize)]
pub struct Relocation {
    from_path: String,
    to_path: String,
    #[serde(default)]
    autorename: bool,
}

pub async fn move_entry(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Relocation>,
) -> Result<Json<Value>> {
    Ok(wrapped(&relocate(&api, &actor, &asked, asked.autorename, true).await?))
}

pub async fn copy_entry(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Relocation>,
) -> Result<Json<Value>> {
    Ok(wrapped(&relocate(&api, &actor, &asked, asked.autorename, false).await?))
}

/// `moves`: or else a copy is made.
pub async fn relocate(
    api: &DriveApi,
    actor: &Actor,
    asked: &Relocation,
    autorename: bool,
    moves: bool,
) -> Result<Entry> {
    let from = at(&asked.from_path).map_err(lookup("from_lookup"))?;
    let to = name::tree_path(&asked.to_path).map_err(DriveError::from).map_err(write("to"))?;
    let done = match moves {
        true => api.drive().move_entry(actor, from, to, autorename).await,
        false => api.drive().copy_entry(actor, from, None, to, autorename).await,
    };
    let mut entry = done.map_err(|error| relocation_failed(error.into()))?;
    api.drive().fill_content_hashes(actor, [&mut entry]).await?;
    Ok(entry)
}

fn relocation_failed(error: DriveError) -> RouteError {
    match error.code {
        "not_found" => RouteError::Tagged(tagged("from_lookup", tag("not_found"))),
        "into_itself" => RouteError::Tagged(tag("cant_move_folder_into_itself")),
        "too_many_entries" => RouteError::Tagged(tag("too_many_files")),
        "quota_exceeded" => RouteError::Tagged(tag("insufficient_quota")),
        _ => match write_error(&error) {
            Some(inner) => RouteError::Tagged(tagged("to", inner)),
            None => RouteError::Other(error),
        },
    }
}

fn wrapped(entry: &Entry) -> Json<Value> {
    Json(json!({ "metadata": metadata::of_entry(entry) }))
}
