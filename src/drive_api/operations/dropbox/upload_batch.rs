//! `files/upload_session/start_batch` and `finish_batch_v2`: many small files, one answer for each.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::{StreamExt, TryStreamExt};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By};
use super::route_error::{Result, RouteError, tagged};
use super::upload_session::{Finish, create, finish_one, kind};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;

/// Of Dropbox.
const BATCH_MAX: u64 = 1000;
/// Each waits for the disk, and all that wait are synced at once.
const AT_ONCE_MAX: usize = 64;

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
    let begin = |_| create(&api, &actor, kind(&asked.session_type));
    let sessions = futures::stream::iter(0..asked.num_sessions).map(begin).buffered(AT_ONCE_MAX);
    let sessions: Vec<String> = sessions.map_ok(|session| session.to_string()).try_collect().await?;
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
    let finish = |finish| one_of_batch(&api, &actor, finish);
    let entries = futures::stream::iter(asked.entries).map(finish).buffered(AT_ONCE_MAX);
    let entries: Vec<Value> = entries.try_collect().await?;
    Ok(Json(json!({ "entries": entries })))
}

async fn one_of_batch(api: &DriveApi, actor: &Actor, finish: Finish) -> Result<Value> {
    let nothing = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("0"))]);
    match finish_one(api, actor, &finish, &nothing, Body::empty()).await {
        Ok(mut metadata) => {
            metadata[".tag"] = json!("success");
            Ok(metadata)
        }
        Err(failure) => match failure.into_finish_error() {
            RouteError::Tagged(error) => Ok(tagged("failure", error)),
            fault => Err(fault),
        },
    }
}
