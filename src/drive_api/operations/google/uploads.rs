//! `POST /upload/drive/v3/files` and `PATCH …/{id}`: Google's uploads, on the native handlers.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use onggi_cluster::metadata::record::tree::SessionKind;
use serde::Deserialize;

use super::google_error::Result;
use super::google_metadata::{GoogleFile, GoogleMetadata, entry_at};
use crate::drive_api::operations::resume_upload::{self, Progress};
use crate::drive_api::operations::upload::{self, Sessions};
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;

/// Apart from the native ones: what becomes of them is told in Google's words.
pub const SESSIONS: &str = "/upload/drive/v3/sessions";
const BEGUN: Sessions<'_> = Sessions { below: SESSIONS, kind: SessionKind::Sequential };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadQuery {
    #[serde(default)]
    upload_type: Option<String>,
}

pub async fn create(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Response> {
    receive(&api, &actor, None, request).await
}

/// New contents for a file that is there.
pub async fn update(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let standing = api.drive().entry(&actor, entry_at(&id)?).await?;
    receive(&api, &actor, Some(standing), request).await
}

/// The next piece of one.
pub async fn resume(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(session): Path<String>,
    request: Request,
) -> Result<Response> {
    Ok(match resume_upload::resume(&api, &actor, &session, request).await? {
        Progress::Finished(entry) => Json(GoogleFile::new(&entry, None)).into_response(),
        Progress::Incomplete { received } => resume_upload::incomplete(received),
    })
}

async fn receive(api: &DriveApi, actor: &Actor, standing: Option<Entry>, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    let UploadQuery { upload_type } = request::query(&head.uri)?;
    let (metadata, sent) = match upload_type.as_deref() {
        None | Some("media") => (GoogleMetadata::default(), Some(upload::media(&head, body))),
        Some("multipart") => {
            let (document, sent) = upload::related(&head, body).await?;
            (request::parse(&document)?, Some(sent))
        }
        Some("resumable") => (request::parse(&request::document(body).await?)?, None),
        Some(other) => return Err(upload::unknown_type(other).into()),
    };
    let path = metadata.path(api, actor, standing.as_ref()).await?;
    let file = metadata.file_metadata(path, standing.is_some());
    match sent {
        None => Ok(upload::begin(api, actor, &head, &file, BEGUN).await?),
        Some(sent) => {
            let stored = upload::store(api, actor, &file, sent).await?;
            Ok(Json(GoogleFile::new(&stored, None)).into_response())
        }
    }
}
