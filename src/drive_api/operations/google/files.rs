//! `/drive/v3/files`: one file or folder, or those that a query asks for.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::At;
use serde::{Deserialize, Serialize};

use super::google_error::Result;
use super::google_metadata::{FOLDER_TYPE, GoogleFile, GoogleMetadata, entry_at};
use super::query::FileQuery;
use crate::drive_api::error::DriveError;
use crate::drive_api::operations::download;
use crate::drive_api::request::{self, By, Document};
use crate::drive_api::router::DriveApi;
use crate::services::drive::entries::Entry;
use crate::services::drive::feed::{Item, Stage};
use crate::services::drive::name;
use crate::services::drive::new_file::FileClaims;

const PAGE_FILES: usize = 100;
const PAGE_FILES_MAX: usize = 1000;

#[derive(Deserialize)]
struct GetQuery {
    alt: Option<String>,
}

/// `?alt=media` is the bytes.
pub async fn get(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    let at = entry_at(&id)?;
    let GetQuery { alt } = request::query(&uri)?;
    if alt.as_deref() == Some("media") {
        let file = api.drive().file(&actor, at, None).await?;
        return Ok(download::answer(api.drive(), &file, &headers).await?);
    }
    let entry = api.drive().entry(&actor, at).await?;
    Ok(Json(GoogleFile::new(&entry, None)).into_response())
}

/// A folder, or a file without bytes.
pub async fn create(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(metadata): Document<GoogleMetadata>,
) -> Result<Json<GoogleFile>> {
    let path = metadata.path(&api, &actor, None).await?;
    let entry = if metadata.mime_type.as_deref() == Some(FOLDER_TYPE) {
        api.drive().create_folder(&actor, name::tree_path(&path).map_err(DriveError::from)?, true).await?
    } else {
        let target = metadata.file_metadata(path, false).target(None)?;
        let nothing = Box::pin(futures::stream::empty());
        api.drive().put_file(&actor, target, FileClaims::default(), nothing).await?.into()
    };
    Ok(Json(GoogleFile::new(&entry, None)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateQuery {
    add_parents: Option<String>,
}

/// Renamed, moved, or thrown away.
pub async fn update(
    State(api): State<DriveApi>,
    By(actor): By,
    Path(id): Path<String>,
    uri: Uri,
    Document(mut metadata): Document<GoogleMetadata>,
) -> Result<Json<GoogleFile>> {
    let at = entry_at(&id)?;
    let entry = api.drive().entry(&actor, at.clone()).await?;
    if metadata.trashed {
        let changed = api.drive().trash_entry(&actor, at, None).await?;
        return Ok(Json(GoogleFile::new(&Entry::from(changed), None)));
    }
    let UpdateQuery { add_parents } = request::query(&uri)?;
    metadata.parents.extend(add_parents);
    let path = metadata.path(&api, &actor, Some(&entry)).await?;
    let moved = match path == entry.path {
        true => entry,
        false => api.drive().move_entry(&actor, at, name::tree_path(&path).map_err(DriveError::from)?, true).await?,
    };
    Ok(Json(GoogleFile::new(&moved, None)))
}

/// Into the trash: Google's own would be gone for good.
pub async fn delete(State(api): State<DriveApi>, By(actor): By, Path(id): Path<String>) -> Result<StatusCode> {
    api.drive().trash_entry(&actor, entry_at(&id)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    #[serde(default)]
    q: String,
    page_size: Option<usize>,
    page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileList {
    kind: &'static str,
    incomplete_search: bool,
    files: Vec<GoogleFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub async fn list(State(api): State<DriveApi>, By(actor): By, uri: Uri) -> Result<Json<FileList>> {
    let asked: ListQuery = request::query(&uri)?;
    let not_understood = |term: String| DriveError::invalid(format!("this is not understood: {term}"));
    let query = FileQuery::parse(&asked.q).map_err(not_understood)?;
    let limit = asked.page_size.unwrap_or(PAGE_FILES).clamp(1, PAGE_FILES_MAX);
    let parent = query.parent.as_deref().map(entry_at).transpose()?;
    let page = match &asked.page_token {
        Some(token) => {
            let position = api.cursors().open_for(actor.principal.user, token);
            let position = position.ok_or_else(|| DriveError::invalid("the page token is not ours"))?;
            api.drive().go_on(&actor, position, limit).await?
        }
        None => {
            let (folder, recursive) = (parent.clone().unwrap_or(At::Entry(EntryId::ROOT)), parent.is_none());
            api.drive().list(&actor, folder, recursive, limit).await?
        }
    };
    let next =
        matches!(page.next.stage, Stage::Listing { .. }).then(|| api.cursors().seal(actor.principal.user, &page.next));
    let within = parent.map(|_| page.next.folder);
    let files = page.items.iter().filter_map(|item| match item {
        Item::Entry(entry) => Some(GoogleFile::new(entry, within)),
        Item::Removed { .. } => None,
    });
    let files = files.filter(|file| is_asked_for(&query, file)).collect();
    Ok(Json(FileList { kind: "drive#fileList", incomplete_search: false, files, next_page_token: next }))
}

fn is_asked_for(query: &FileQuery, file: &GoogleFile) -> bool {
    let same = |a: &str, b: &str| name::is_same(a, b);
    query.trashed != Some(true)
        && query.name.as_ref().is_none_or(|name| same(name, &file.name))
        && query.name_contains.as_ref().is_none_or(|part| name::contains(&file.name, part))
        && query.mime_type.as_ref().is_none_or(|kind| *kind == file.mime_type)
        && query.mime_type_not.as_ref().is_none_or(|kind| *kind != file.mime_type)
}
