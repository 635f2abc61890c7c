//! `files/download`: the bytes, and the metadata in a header.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;

use super::argument::{By, of_headers, sought};
use super::metadata;
use super::rev;
use super::route_error::{Result, lookup};
use crate::drive_api::error::DriveError;
use crate::drive_api::escaped_json;
use crate::drive_api::operations::download;
use crate::drive_api::router::DriveApi;

const RESULT: HeaderName = HeaderName::from_static("dropbox-api-result");

#[derive(Deserialize)]
struct Download {
    path: String,
    rev: Option<String>,
}

pub async fn download(State(api): State<DriveApi>, By(actor): By, headers: HeaderMap) -> Result<Response> {
    let asked: Download = of_headers(&headers)?;
    let (at, of_path) = sought(&asked.path).map_err(lookup("path"))?;
    let rev = asked.rev.as_deref().map(rev::number).transpose()?.or(of_path);
    let mut file = api.drive().file(&actor, at, rev).await.map_err(DriveError::from).map_err(lookup("path"))?;
    // Programs compare it with what they got.
    api.drive().fill_content_hash(&actor, &file.entry, &mut file.revision).await?;
    let mut response = download::answer(api.drive(), &file, &headers).await?;
    if let Some(result) = escaped_json::header_value(&metadata::of_revision(&file.entry, &file.revision)) {
        response.headers_mut().insert(RESULT, result);
    }
    Ok(response)
}
