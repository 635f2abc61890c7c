//! `/s/TOKEN/*`: what somebody may do who came by a share link (docs/share-links.md). Nobody else's proof is looked at.
//! Invariant: the link, and its password, are looked at before anything of a body is read, but for `unlock`, whose body is the password.

mod shared_entry;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestPartsExt};
use http::header::{CACHE_CONTROL, RANGE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};
use onggi_cluster::metadata::record::tree::{LinkRole, TreePath};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::answer_json::Done;
use crate::drive_api::auth::{self, PeerAddress};
use crate::drive_api::description::FileBytes;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::operations::download;
use crate::drive_api::operations::links::Role;
use crate::drive_api::request::{self, Document};
use crate::drive_api::router::DriveApi;
use crate::services::drive::feed::Item;
use crate::services::drive::name;
use crate::services::share_service::{Arriving, UNLOCKED_FOR, Visit};
use crate::services::{Error, RESOLVE_ATTEMPTS_MAX, Secret};
use shared_entry::SharedEntryJson;

pub const COOKIE_NAME: &str = "__Secure-onggi-link";
const PAGE_ENTRIES: usize = 1000;

/// Let in.
pub struct Visitor(Visit);

impl FromRequestParts<DriveApi> for Visitor {
    type Rejection = DriveError;

    async fn from_request_parts(head: &mut Parts, api: &DriveApi) -> Result<Self> {
        let Ok(Path(token)) = head.extract::<Path<String>>().await else {
            return Err(DriveError::not_found("there is no such link"));
        };
        let unlocked = auth::cookie(&head.headers, COOKIE_NAME)?;
        Ok(Self(api.shares().visit(&token, unlocked.as_deref()).await?))
    }
}

#[derive(Deserialize, ToSchema)]
pub struct Unlock {
    password: String,
}

/// Say the password of a link
#[utoipa::path(
    post, path = "/s/{token}/unlock", tag = "shared", params(("token" = String, Path)), request_body = Unlock, security(()),
    responses((
        status = 200, description = "It is right, or none is asked.", body = Done,
        headers(("Set-Cookie" = String, description = "The proof, for a day and this link.")),
    )),
)]
pub async fn unlock(
    State(api): State<DriveApi>,
    address: PeerAddress,
    Path(token): Path<String>,
    Document(asked): Document<Unlock>,
) -> Result<Response> {
    let proof = api.shares().unlock(&token, Secret::new(asked.password), address.ip()).await?;
    let mut response = private(Json(Done {}).into_response());
    if let Some(proof) = proof {
        let seconds = UNLOCKED_FOR.as_secs();
        let text =
            format!("{COOKIE_NAME}={proof}; Path=/s/{token}; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
        let mut value = HeaderValue::try_from(text).map_err(|_| DriveError::not_found("there is no such link"))?;
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
    Ok(response)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ListShared)]
pub struct List {
    /// Below what is shared.
    #[serde(default)]
    path: String,
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SharedPage)]
struct ListJson {
    entry: SharedEntryJson,
    role: Role,
    entries: Vec<SharedEntryJson>,
    cursor: Option<String>,
    has_more: bool,
}

/// What is shared: the entry, and what is in it
///
/// Of a link that only takes files nothing is shown but the folder.
#[utoipa::path(
    post, path = "/s/{token}/list", tag = "shared", operation_id = "list_shared", params(("token" = String, Path)),
    request_body = List, security((), ("link" = [])), responses((status = 200, description = "A page.", body = ListJson)),
)]
pub async fn list(
    State(api): State<DriveApi>,
    Visitor(visit): Visitor,
    Document(asked): Document<List>,
) -> Result<Response> {
    let role = visit.link.role;
    if role == LinkRole::Drop {
        let entry = SharedEntryJson::closed(&visit.top);
        let closed = ListJson { entry, role: role.into(), entries: Vec::new(), cursor: None, has_more: false };
        return Ok(private(Json(closed).into_response()));
    }
    let path = path(&asked.path)?;
    let at = shown_path(&path);
    let entry = api.shares().entry(&visit, path).await?;
    let mut listed = ListJson {
        entry: SharedEntryJson::new(&entry, at.clone()),
        role: role.into(),
        entries: Vec::new(),
        cursor: None,
        has_more: false,
    };
    if entry.record.is_folder() {
        let owner = visit.owner().principal.user;
        let opened = |cursor: &String| api.cursors().open_for(owner, cursor).ok_or(Error::CursorReset);
        let after = asked.cursor.as_ref().map(opened).transpose()?;
        let page = api.shares().list_folder(&visit, &entry, after, PAGE_ENTRIES).await?;
        listed.entries = page.items.iter().filter_map(|item| in_folder(item, &at)).collect();
        listed.has_more = page.has_more;
        listed.cursor = page.has_more.then(|| api.cursors().seal(owner, &page.next));
    }
    Ok(private(Json(listed).into_response()))
}

fn in_folder(item: &Item, folder: &str) -> Option<SharedEntryJson> {
    let Item::Entry(entry) = item else { return None };
    let name = entry.path.rsplit('/').next().unwrap_or_default();
    Some(SharedEntryJson::new(entry, format!("{folder}/{name}")))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Download {
    /// Below what is shared.
    #[serde(default)]
    path: String,
    /// Shown in the browser instead of saved.
    inline: Option<String>,
}

/// The bytes of a shared file
#[utoipa::path(
    get, path = "/s/{token}/download", tag = "shared", operation_id = "download_shared",
    params(("token" = String, Path), Download, FileBytes), security((), ("link" = [])), responses(FileBytes),
)]
pub async fn send(
    State(api): State<DriveApi>,
    Visitor(visit): Visitor,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    let asked: Download = request::query(&uri)?;
    let path = path(&asked.path)?;
    // With a number of downloads each gives out the whole file: else its parts would be free.
    let is_limited = visit.link.downloads_max.is_some();
    let headers = if is_limited { HeaderMap::new() } else { headers };
    let mut counts = method == Method::GET && begins_at_the_first_byte(&headers);
    for _ in 0..RESOLVE_ATTEMPTS_MAX {
        let file = api.shares().file(&visit, path.clone(), std::mem::take(&mut counts)).await?;
        match download::answer(api.drive(), &file, &headers).await {
            Err(Error::Vanished) => {}
            answered => {
                let mut response = answered?;
                download::describe(&mut response, &file, asked.inline.is_some());
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
                return Ok(response);
            }
        }
    }
    Err(Error::Vanished.into())
}

fn begins_at_the_first_byte(headers: &HeaderMap) -> bool {
    request::text(headers, RANGE.as_str()).is_none_or(|range| range.starts_with("bytes=0-"))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Upload {
    /// Below what is shared: with the name of the file, unless a file is shared.
    #[serde(default)]
    path: String,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum SharedUpload {
    Stored(SharedEntryJson),
    /// Visitors of this link see nothing, not even what they send.
    Dropped(Done),
}

/// Send a file to who shares
#[utoipa::path(
    post, path = "/s/{token}/upload", tag = "shared", operation_id = "upload_shared",
    params(("token" = String, Path), Upload), request_body(content(("application/octet-stream"))),
    security((), ("link" = [])), responses((status = 200, description = "It arrived.", body = SharedUpload)),
)]
pub async fn upload(State(api): State<DriveApi>, Visitor(visit): Visitor, request: Request) -> Result<Response> {
    let (head, body): (Parts, Body) = request.into_parts();
    let Upload { path: at } = request::query(&head.uri)?;
    let path = path(&at)?;
    if path.is_empty() && visit.top.record.is_folder() {
        return Err(DriveError::invalid("say the `path` that the file shall have below the folder"));
    }
    let shown = shown_path(&path);
    let arriving = Arriving {
        path,
        bytes: request::content_length(&head.headers),
        media_type: request::content_type(&head.headers).map(str::to_owned),
        pieces: request::pieces(body),
    };
    let stored = api.shares().put_file(&visit, arriving).await?;
    let answer = match stored {
        Some(entry) => SharedUpload::Stored(SharedEntryJson::new(&entry, shown)),
        None => SharedUpload::Dropped(Done {}),
    };
    Ok(private(Json(answer).into_response()))
}

/// Below what was shared, which is the empty path.
fn path(text: &str) -> Result<TreePath> {
    Ok(name::tree_path(text)?)
}

fn shown_path(path: &TreePath) -> String {
    if path.is_empty() { String::new() } else { name::path_text(path) }
}

/// The address says it all: nobody in between keeps the answer.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
