//! `POST /files/upload`: a file in one request, or the beginning of an upload in pieces.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use onggi_cluster::metadata::record::tree::SessionKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::answer_json::ErrorJson;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::file_metadata::FileMetadata;
use crate::drive_api::multipart;
use crate::drive_api::operations::google::file_resource::FileResource;
use crate::drive_api::operations::presigned_upload::{self, Begin, UploadJson};
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::services::BoxError;
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;
use crate::services::drive::new_file::FileClaims;
use crate::services::drive::session::{NewSession, Pieces};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// `media` (the default), `multipart`, `resumable`, `parallel` or `presigned`.
    #[serde(rename = "uploadType", default)]
    upload_type: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum UploadAnswer {
    Stored(FileResource),
    Begun(UploadJson),
}

/// Store a file, or begin to
///
/// With `uploadType=media` the body is the file and the query says the rest. With `multipart` the body is a JSON document with the
/// same fields, and then the file. With `resumable` it is that document alone, and the answer's `Location` is where the pieces go.
/// With `parallel` it is the same, and the pieces, of a multiple of 4 MiB but for the last, may come in any order and side by side.
/// With `presigned` it is that document with `size`, and the answer has an address of S3 for each part.
#[utoipa::path(
    post, path = "/files/upload", tag = "uploads",
    params(
        UploadQuery, FileMetadata,
        ("X-Upload-Content-Type" = Option<String>, Header, description = "`resumable`, `parallel`: what the file is."),
        (
            "X-Upload-Content-Length" = Option<u64>, Header,
            description = "`resumable`, `parallel`: reserved against the quota. `parallel` needs it.",
        ),
    ),
    request_body(content(
        ("application/octet-stream"), ("multipart/related"), ("multipart/form-data"), (Begin = "application/json"),
    )),
    responses(
        (
            status = 200, description = "The file; or what is begun, which for `resumable` and `parallel` is in `Location` alone.",
            body = UploadAnswer, headers(("Location" = String, description = "`resumable`, `parallel`: the session.")),
        ),
        (status = 409, description = "`exists`; or `stale_revision` with `head_rev`.", body = ErrorJson),
    ),
)]
pub async fn upload(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    let UploadQuery { upload_type } = request::query(&head.uri)?;
    let asked: FileMetadata = request::query(&head.uri)?;
    let stored = match upload_type.as_deref() {
        None | Some("media") => store(&api, &actor, &asked, media(&head, body)).await?,
        Some("multipart") => {
            let (document, sent) = related(&head, body).await?;
            let metadata: FileMetadata = request::parse(&document)?;
            store(&api, &actor, &metadata.or(asked), sent).await?
        }
        Some(kind @ ("resumable" | "parallel")) => {
            let kind = if kind == "parallel" { SessionKind::Concurrent } else { SessionKind::Sequential };
            let metadata: FileMetadata = request::parse(&request::document(body).await?)?;
            return begin(&api, &actor, &head, &metadata.or(asked), Sessions { below: "/files/upload", kind }).await;
        }
        Some("presigned") => {
            let begin = request::parse(&request::document(body).await?)?;
            let begun = presigned_upload::begin(&api, &actor, &head, begin).await?;
            return Ok(Json(UploadAnswer::Begun(begun)).into_response());
        }
        Some(other) => return Err(unknown_type(other)),
    };
    Ok(Json(UploadAnswer::Stored(FileResource::new(&actor, &stored))).into_response())
}

pub fn unknown_type(upload_type: &str) -> DriveError {
    let shown = upload_type.escape_debug();
    DriveError::invalid(format!(
        "`uploadType` is `media`, `multipart`, `resumable`, `parallel` or `presigned`, not `{shown}`"
    ))
}

/// A file as it comes in one request.
pub struct Sent {
    media_type: Option<String>,
    bytes: Option<u64>,
    pieces: Pieces,
}

pub fn media(head: &Parts, body: Body) -> Sent {
    Sent {
        media_type: request::content_type(&head.headers).map(str::to_owned),
        bytes: request::content_length(&head.headers),
        pieces: request::pieces(body),
    }
}

/// The document that comes first, and the file.
pub async fn related(head: &Parts, body: Body) -> Result<(Bytes, Sent)> {
    let boundary = request::content_type(&head.headers)
        .and_then(multipart::boundary)
        .ok_or_else(|| DriveError::invalid("the Content-Type of a multipart upload names a boundary"))?;
    let pieces = body.into_data_stream().map(|piece| piece.map_err(BoxError::from));
    let unreadable = |error: BoxError| DriveError::invalid(error.to_string());
    let parts = multipart::read(&boundary, pieces).await.map_err(unreadable)?;
    Ok((parts.document, Sent { media_type: parts.file_type, bytes: None, pieces: parts.file }))
}

pub async fn store(api: &DriveApi, actor: &Actor, metadata: &FileMetadata, sent: Sent) -> Result<Entry> {
    let target = metadata.target(sent.media_type.as_deref())?;
    let claims = FileClaims { bytes: sent.bytes, content_hash: metadata.content_hash()?, md5: None };
    Ok(api.drive().put_file(actor, target, claims, sent.pieces).await?.into())
}

/// What is begun, and where.
pub struct Sessions<'a> {
    pub below: &'a str,
    pub kind: SessionKind,
}

/// Google's protocol: 200 and the session's address, whatever becomes of it.
pub async fn begin(
    api: &DriveApi,
    actor: &Actor,
    head: &Parts,
    metadata: &FileMetadata,
    sessions: Sessions<'_>,
) -> Result<Response> {
    if metadata.path.is_none() {
        return Err(DriveError::invalid("say the `path` that the file shall have"));
    }
    let details = metadata.details(request::text(&head.headers, "x-upload-content-type"))?;
    let Sessions { below, kind } = sessions;
    let bytes = announced(&head.headers)?;
    if kind == SessionKind::Concurrent && bytes.is_none() {
        // Nobody could say which piece is the last that was missing.
        return Err(DriveError::invalid("a `parallel` upload says X-Upload-Content-Length when it begins"));
    }
    let session = api.drive().create_session(actor, NewSession { details, kind, bytes }).await?;
    let location = format!("{}{below}/{session}", request::origin(&head.uri, &head.headers));
    Ok((StatusCode::OK, [(LOCATION, location)]).into_response())
}

fn announced(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(text) = request::text(headers, "x-upload-content-length") else { return Ok(None) };
    let bytes = text.parse().map_err(|_| DriveError::invalid("X-Upload-Content-Length is a number of bytes"))?;
    Ok(Some(bytes))
}
