//! `files/upload_session/start_batch` and `finish_batch_v2`: many small files, one answer for each.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By};
use super::route_error::{Result, RouteError, tagged};
use super::upload_session::{Finish, create, finish_one, kind};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;

/// Of Dropbox.
const BATCH_MAX: u64 = 1000;

#[derive(Deserialize)]
pub struct StartBatch {
    num_sessions: u64,
    #[serde(default)]
    session_type: Value,
}

pub async fn start_batch(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<StartBatch>,
) -> Result<Json<Value>> {
    if !(1..=BATCH_MAX).contains(&asked.num_sessions) {
        return Err(DriveError::invalid(format!("a batch has 1 to {BATCH_MAX} sessions")).into());
    }
    let mut sessions = Vec::new();
    for _ in 0..asked.num_sessions {
        sessions.push(create(&api, &actor, kind(&asked.session_type)).await?.to_string());
    }
    Ok(Json(json!({ "session_ids": sessions })))
}

#[derive(Deserialize)]
pub struct FinishBatch {
    entries: Vec<Finish>,
}

/// One that fails does not keep the others back.
pub async fn finish_batch(
    State(api): State<DriveApi>,
    By(actor): By,
    Argument(asked): Argument<FinishBatch>,
) -> Result<Json<Value>> {
    let nothing = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("0"))]);
    let mut entries = Vec::with_capacity(asked.entries.len());
    for finish in &asked.entries {
        entries.push(match finish_one(&api, &actor, finish, &nothing, Body::empty()).await {
            Ok(mut metadata) => {
                metadata[".tag"] = json!("success");
                metadata
            }
            Err(failure) => match failure.into_finish_error() {
                RouteError::Tagged(error) => tagged("failure", error),
                fault => return Err(fault),
            },
        });
    }
    Ok(Json(json!({ "entries": entries })))
}
