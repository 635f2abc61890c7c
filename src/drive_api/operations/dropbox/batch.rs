//! Batches: several entries made, moved, copied or thrown away with one call. Each is done or refused by itself, in order, and what became
//! of it stands in the answer: there is nothing to check later.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By};
use super::entries::{self, PathArgument, Relocation};
use super::metadata;
use super::route_error::{Result, RouteError, tag, tagged};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;

/// Dropbox's own.
const ENTRIES_MAX: usize = 1000;

#[derive(Deserialize)]
pub struct Batch<T> {
    entries: Vec<T>,
    #[serde(default)]
    autorename: bool,
}

#[derive(Deserialize)]
pub struct FolderBatch {
    paths: Vec<String>,
    #[serde(default)]
    autorename: bool,
}

pub async fn delete(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Batch<PathArgument>>,
) -> Result<Json<Value>> {
    check(asked.entries.len())?;
    let mut done = Vec::new();
    for entry in &asked.entries {
        done.push(match entries::trash(&api, &actor, entry).await {
            Ok((_, entry)) => json!({ ".tag": "success", "metadata": metadata::of_entry(&entry) }),
            Err(error) => failed(error, |error| error)?,
        });
    }
    Ok(complete(done))
}

pub async fn create_folders(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<FolderBatch>,
) -> Result<Json<Value>> {
    check(asked.paths.len())?;
    let mut done = Vec::new();
    for path in &asked.paths {
        done.push(match entries::make_folder(&api, &actor, path, asked.autorename).await {
            Ok(entry) => json!({ ".tag": "success", "metadata": without_tag(metadata::of_entry(&entry)) }),
            Err(error) => failed(error, |error| error)?,
        });
    }
    Ok(complete(done))
}

pub async fn move_entries(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Batch<Relocation>>,
) -> Result<Json<Value>> {
    relocate(&api, &actor, &asked, true).await
}

pub async fn copy_entries(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Batch<Relocation>>,
) -> Result<Json<Value>> {
    relocate(&api, &actor, &asked, false).await
}

async fn relocate(api: &DriveApi, actor: &Actor, asked: &Batch<Relocation>, moves: bool) -> Result<Json<Value>> {
    check(asked.entries.len())?;
    let mut done = Vec::new();
    for relocation in &asked.entries {
        done.push(match entries::relocate(api, actor, relocation, asked.autorename, moves).await {
            Ok(entry) => json!({ ".tag": "success", "success": metadata::of_entry(&entry) }),
            Err(error) => failed(error, |error| tagged("relocation_error", error))?,
        });
    }
    Ok(complete(done))
}

/// What one entry was refused for. A fault is one of the whole batch: what was not done by then is asked for again.
fn failed(error: RouteError, within: impl Fn(Value) -> Value) -> Result<Value> {
    match error {
        RouteError::Tagged(error) => Ok(json!({ ".tag": "failure", "failure": within(error) })),
        RouteError::Other(error) if error.status.is_client_error() => {
            Ok(json!({ ".tag": "failure", "failure": within(tag("other")) }))
        }
        RouteError::Other(error) => Err(RouteError::Other(error)),
    }
}

fn complete(entries: Vec<Value>) -> Json<Value> {
    Json(json!({ ".tag": "complete", "entries": entries }))
}

fn without_tag(mut metadata: Value) -> Value {
    if let Some(fields) = metadata.as_object_mut() {
        fields.remove(".tag");
    }
    metadata
}

fn check(entries: usize) -> Result<()> {
    if entries > ENTRIES_MAX {
        return Err(DriveError::invalid(format!("a batch has at most {ENTRIES_MAX} entries")).into());
    }
    Ok(())
}
