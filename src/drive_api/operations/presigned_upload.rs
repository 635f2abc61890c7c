//! `uploadType=presigned`: the parts of a file go to S3 by presigned addresses, in any order and side by side.
//! Owns: which parts there are, and the text that stands for the upload: the client keeps it, no record does.
//! Invariant: who has an address may put that part and nothing else.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use onggi_cluster::id::{UploadId, UserId};
use onggi_cluster::metadata::record::PartRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::file_metadata::FileMetadata;
use crate::drive_api::operations::google::file_resource::FileResource;
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::s3_api::presign::PartAddress;
use crate::services::drive::actor::Actor;
use crate::services::drive::parts_upload::PARTS_MAX;

const MIB: u64 = 1 << 20;
/// Unless the client says otherwise, or the file would have too many.
const PART_BYTES: u64 = 16 * MIB;
/// Amazon S3's limits.
const PART_BYTES_MIN: u64 = 5 * MIB;
const PART_BYTES_MAX: u64 = 5 << 30;
/// Then the client asks for the missing ones again.
const ADDRESS_LIFE: Duration = Duration::from_secs(6 * 60 * 60);
/// Addresses in one answer.
const PAGE_PARTS: usize = 1000;

#[derive(Deserialize, ToSchema)]
#[schema(as = BeginUpload)]
pub struct Begin {
    #[serde(flatten)]
    metadata: FileMetadata,
    /// Of the file, for `presigned`, which needs it.
    size: Option<u64>,
    /// For `presigned`.
    part_size: Option<u64>,
}

/// The upload, as the client keeps it.
#[derive(Deserialize, Serialize)]
struct Upload {
    user: u64,
    upload: String,
    key: String,
    size: u64,
    part_size: u64,
    metadata: FileMetadata,
}

/// An upload whose parts go to S3, in any order and side by side.
#[derive(Serialize, ToSchema)]
#[schema(as = PresignedUpload)]
pub struct UploadJson {
    /// Stands for all of it; no node keeps it.
    upload: String,
    size: u64,
    part_size: u64,
    stored: Vec<StoredJson>,
    missing: Vec<MissingJson>,
    /// More are missing than are shown: ask again, with the last one shown as `after`.
    has_more: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StoredPart)]
struct StoredJson {
    number: u16,
    size: u64,
    etag: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MissingPart)]
struct MissingJson {
    number: u16,
    size: u64,
    /// For `PUT`; good for six hours.
    url: String,
}

/// `POST /files/upload?uploadType=presigned`
pub async fn begin(api: &DriveApi, actor: &Actor, head: &Parts, asked: Begin) -> Result<UploadJson> {
    let size = asked.size.ok_or_else(|| DriveError::invalid("say the `size` of the file"))?;
    let part_size = part_size(size, asked.part_size)?;
    let target = asked.metadata.target(None)?;
    let begun = api.drive().begin_parts(actor, &target, size).await?;
    let upload = Upload {
        user: actor.principal.user.0,
        upload: begun.upload.to_string(),
        key: begun.key,
        size,
        part_size,
        metadata: asked.metadata,
    };
    answer(api, actor, &base(api, &head.uri, &head.headers), &upload, &begun.bucket, &[], 0)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// The last missing one of the answer before.
    #[serde(default)]
    after: u16,
}

/// What is stored, and new addresses for what is not
#[utoipa::path(
    get, path = "/files/upload/presigned/{upload}/parts", tag = "uploads", operation_id = "list_parts",
    params(("upload" = String, Path), After),
    responses((status = 200, description = "A page of parts.", body = UploadJson)),
)]
pub async fn parts(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(sealed): Path<String>,
    Query(After { after }): Query<After>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<UploadJson>> {
    let upload = open(&api, &actor, &sealed)?;
    let (bucket, stored) = api.drive().stored_parts(&actor, upload.key.clone(), upload.id()?).await?;
    Ok(Json(answer(&api, &actor, &base(&api, &uri, &headers), &upload, &bucket, &stored, after)?))
}

/// Make the file of its parts
#[utoipa::path(
    post, path = "/files/upload/presigned/{upload}/complete", tag = "uploads", operation_id = "complete_parts",
    params(("upload" = String, Path)),
    responses((status = 200, description = "The file.", body = FileResource)),
)]
pub async fn complete(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(sealed): Path<String>,
) -> Result<Json<FileResource>> {
    let upload = open(&api, &actor, &sealed)?;
    let (id, target) = (upload.id()?, upload.metadata.target(None)?);
    let stored = api.drive().complete_parts(&actor, upload.key, id, target, upload.size).await?;
    Ok(Json(FileResource::new(&actor, &stored)))
}

/// Give an upload by parts up
#[utoipa::path(
    delete, path = "/files/upload/presigned/{upload}", tag = "uploads", operation_id = "cancel_parts",
    params(("upload" = String, Path)),
    responses((status = 204, description = "It is over.")),
)]
pub async fn cancel(State(api): State<DriveApi>, By(actor): By, Path(sealed): Path<String>) -> Result<StatusCode> {
    let upload = open(&api, &actor, &sealed)?;
    let id = upload.id()?;
    api.drive().abort_parts(&actor, upload.key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn part_size(size: u64, asked: Option<u64>) -> Result<u64> {
    let least = size.div_ceil(u64::from(PARTS_MAX)).next_multiple_of(MIB);
    let part_size = asked.unwrap_or_else(|| PART_BYTES.max(least));
    if (PART_BYTES_MIN.max(least)..=PART_BYTES_MAX).contains(&part_size) {
        return Ok(part_size);
    }
    Err(DriveError::invalid(format!(
        "a part of this file has {} bytes at least and {PART_BYTES_MAX} at most",
        PART_BYTES_MIN.max(least)
    )))
}

fn open(api: &DriveApi, actor: &Actor, sealed: &str) -> Result<Upload> {
    let opened = api.uploads().open(sealed).and_then(|bytes| serde_json::from_slice::<Upload>(&bytes).ok());
    let ours = opened.filter(|upload| UserId(upload.user) == actor.principal.user);
    ours.ok_or_else(|| DriveError::not_found("there is no such upload"))
}

impl Upload {
    fn id(&self) -> Result<UploadId> {
        UploadId::parse(&self.upload).ok_or_else(|| DriveError::not_found("there is no such upload"))
    }

    /// One at least: an empty file is one empty part.
    fn parts(&self) -> u16 {
        u16::try_from(self.size.div_ceil(self.part_size)).unwrap_or(PARTS_MAX).max(1)
    }

    fn size_of(&self, number: u16) -> u64 {
        let before = u64::from(number - 1) * self.part_size;
        self.size.saturating_sub(before).min(self.part_size)
    }
}

fn answer(
    api: &DriveApi,
    actor: &Actor,
    base: &str,
    upload: &Upload,
    bucket: &str,
    stored: &[PartRecord],
    after: u16,
) -> Result<UploadJson> {
    // One of another size is in the way, and is put again.
    let whole = stored.iter().filter(|part| part.number <= upload.parts() && part.bytes == upload.size_of(part.number));
    let stored: Vec<StoredJson> =
        whole.map(|part| StoredJson { number: part.number, size: part.bytes, etag: hex::encode(part.md5) }).collect();
    let is_missing = |number: &u16| stored.binary_search_by_key(number, |part| part.number).is_err();
    let mut numbers: Vec<u16> = (after.saturating_add(1)..=upload.parts()).filter(is_missing).collect();
    let has_more = numbers.len() > PAGE_PARTS;
    numbers.truncate(PAGE_PARTS);
    let key = api.drive_key(actor.principal.user);
    let missing: Result<Vec<MissingJson>> = numbers
        .into_iter()
        .map(|number| {
            let part = PartAddress { bucket, key: &upload.key, upload: upload.upload.clone(), number };
            let url = api.presigner().upload_part(base, &key, &part, ADDRESS_LIFE).map_err(|error| {
                tracing::error!(%error, "an address was not signed");
                DriveError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "an internal error: see the log")
            })?;
            Ok(MissingJson { number, size: upload.size_of(number), url })
        })
        .collect();
    let sealed = api.uploads().seal(&serde_json::to_vec(upload).unwrap_or_default());
    Ok(UploadJson {
        upload: sealed,
        size: upload.size,
        part_size: upload.part_size,
        stored,
        missing: missing?,
        has_more,
    })
}

/// Where S3 is for whoever asked here.
fn base(api: &DriveApi, uri: &Uri, headers: &HeaderMap) -> String {
    let origin = request::origin(uri, headers);
    let host = origin.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    api.presigner().base(host.as_deref().unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_one_size_and_not_too_many() {
        let sizes = |size, asked| part_size(size, asked).map_err(|error| error.code);
        assert_eq!(sizes(0, None), Ok(16 * MIB));
        assert_eq!(sizes(1 << 40, None), Ok(105 * MIB));
        assert_eq!(sizes(100 * MIB, Some(5 * MIB)), Ok(5 * MIB));
        for (size, asked) in [(1, 5 * MIB - 1), (1 << 40, 16 * MIB), (1, PART_BYTES_MAX + 1)] {
            assert_eq!(sizes(size, Some(asked)), Err("invalid"), "{size} {asked}");
        }
        let of = |size, part_size| Upload {
            user: 1,
            upload: String::new(),
            key: String::new(),
            size,
            part_size,
            metadata: FileMetadata::default(),
        };
        for (size, parts) in [(0, vec![0]), (10, vec![10]), (11, vec![10, 1]), (20, vec![10, 10])] {
            let upload = of(size, 10);
            assert_eq!((1..=upload.parts()).map(|number| upload.size_of(number)).collect::<Vec<_>>(), parts);
        }
    }
}
