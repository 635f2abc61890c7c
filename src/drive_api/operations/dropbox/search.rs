//! `files/search_v2`: by words in names.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By, at};
use super::metadata;
use super::route_error::{Result, lookup};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;

const MATCHES: usize = 100;
const MATCHES_MAX: usize = 1000;

#[derive(Deserialize)]
pub struct Search {
    query: String,
    #[serde(default)]
    options: Option<Options>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    path: Option<String>,
    max_results: Option<usize>,
}

pub async fn search(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<Search>,
) -> Result<Json<Value>> {
    let options = asked.options.unwrap_or_default();
    let at = at(options.path.as_deref().unwrap_or("")).map_err(lookup("path"))?;
    let limit = options.max_results.unwrap_or(MATCHES).clamp(1, MATCHES_MAX);
    let found = api.drive().search(&actor, at, &asked.query, limit).await;
    let (mut entries, _) = found.map_err(DriveError::from).map_err(lookup("path"))?;
    api.drive().fill_content_hashes(&actor, &mut entries).await?;
    let matches: Vec<Value> = entries
        .iter()
        .map(|entry| json!({ "metadata": { ".tag": "metadata", "metadata": metadata::of_entry(entry) } }))
        .collect();
    // Without a cursor there is no more: all that is found comes at once.
    Ok(Json(json!({ "matches": matches, "has_more": false })))
}
