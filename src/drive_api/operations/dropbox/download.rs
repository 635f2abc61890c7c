//! `files/download`: the bytes, and the metadata in a header.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use onggi_cluster::metadata::command::tree::At;
use serde::Deserialize;

use super::argument::{By, at, of_headers};
use super::metadata;
use super::route_error::{Result, lookup};
use crate::drive_api::error::DriveError;
use crate::drive_api::escaped_json;
use crate::drive_api::operations::download;
use crate::drive_api::request;
use crate::drive_api::router::DriveApi;

const RESULT: HeaderName = HeaderName::from_static("dropbox-api-result");

#[derive(Deserialize)]
struct Download {
    path: String,
    rev: Option<String>,
}

pub async fn download(State(api): State<DriveApi>, By(actor): By, headers: HeaderMap) -> Result<Response> {
    let asked: Download = of_headers(&headers)?;
    let rev = asked.rev.as_deref().map(request::revision).transpose()?;
    let (at, rev) = match asked.path.strip_prefix("rev:") {
        // Maestral asks for what it was told of, and not for what may stand there by now.
        Some(text) => {
            let rev = request::revision(text).map_err(lookup("path"))?;
            let found = api.drive().entry_of_head(&actor, rev).await;
            let entry = found.map_err(DriveError::from).map_err(lookup("path"))?;
            (At::Entry(entry.record.id), Some(rev))
        }
        None => (at(&asked.path).map_err(lookup("path"))?, rev),
    };
    let file = api.drive().file(&actor, at, rev).await.map_err(DriveError::from).map_err(lookup("path"))?;
    let mut response = download::answer(api.drive(), &file, &headers).await?;
    if let Some(result) = escaped_json::header_value(&metadata::of_revision(&file.entry, &file.revision)) {
        response.headers_mut().insert(RESULT, result);
    }
    Ok(response)
}
