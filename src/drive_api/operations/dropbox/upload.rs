//! `files/upload`, and the commit that every upload has.

use axum::Json;
use axum::extract::{Request, State};
use onggi_cluster::metadata::command::tree::WriteMode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{By, in_header};
use super::metadata;
use super::rev;
use super::route_error::{Result, RouteError, tag, write_error};
use crate::drive_api::error::DriveError;
use crate::drive_api::file_metadata::content_hash;
use crate::drive_api::request;
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::Error;
use crate::services::drive::entries::Entry;
use crate::services::drive::name;
use crate::services::drive::new_file::{FileClaims, FileTarget};
use crate::services::error::Digest;

/// Where a file shall go (`CommitInfo`).
#[derive(Debug, Deserialize)]
pub struct Commit {
    path: String,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default)]
    autorename: bool,
    client_modified: Option<String>,
}

/// A union without a value may be its bare tag.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Mode {
    Bare(String),
    Tagged {
        #[serde(rename = ".tag")]
        tag: String,
        update: Option<String>,
    },
}

#[derive(Deserialize)]
struct Upload {
    #[serde(flatten)]
    commit: Commit,
    content_hash: Option<String>,
}

impl Commit {
    pub fn target(&self) -> std::result::Result<FileTarget, DriveError> {
        let mode = match &self.mode {
            None => WriteMode::Add,
            Some(Mode::Bare(tag) | Mode::Tagged { tag, update: None }) if tag == "add" => WriteMode::Add,
            Some(Mode::Bare(tag) | Mode::Tagged { tag, update: None }) if tag == "overwrite" => WriteMode::Overwrite,
            Some(Mode::Tagged { tag, update: Some(rev) }) if tag == "update" => {
                WriteMode::Update { rev: rev::number(rev)? }
            }
            Some(_) => return Err(DriveError::invalid("`mode` is add, overwrite, or update with a rev")),
        };
        let path = name::tree_path(&self.path)?;
        let no_time = || DriveError::invalid("`client_modified` is a time like 2026-11-22T20:00:00Z");
        let client_modified_ms = match &self.client_modified {
            Some(text) => Some(text_form::parse_time(text).ok_or_else(no_time)?),
            None => None,
        };
        Ok(FileTarget { path, mode, autorename: self.autorename, client_modified_ms, media_type: None })
    }
}

pub async fn upload(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Json<Value>> {
    let (head, body) = request.into_parts();
    let asked: Upload = in_header(&head)?;
    let target = asked.commit.target().map_err(|error| path_failed(error, ""))?;
    let claims = FileClaims {
        bytes: request::content_length(&head.headers),
        content_hash: asked.content_hash.as_deref().map(content_hash).transpose()?,
        md5: None,
    };
    let stored = api.drive().put_file(&actor, target, claims, request::pieces(body)).await;
    let changed = stored.map_err(|error| upload_failed(error, ""))?;
    Ok(Json(metadata::of_entry(&Entry::from(changed))))
}

pub fn upload_failed(error: Error, session: &str) -> RouteError {
    if matches!(error, Error::DigestMismatch(Digest::ContentHash)) {
        return RouteError::Tagged(tag("content_hash_mismatch"));
    }
    path_failed(error.into(), session)
}

/// `UploadWriteFailed`
fn path_failed(error: DriveError, session: &str) -> RouteError {
    match write_error(&error) {
        Some(reason) => RouteError::Tagged(json!({ ".tag": "path", "reason": reason, "upload_session_id": session })),
        None => RouteError::Other(error),
    }
}
