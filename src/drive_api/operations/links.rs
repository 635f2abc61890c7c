//! `/links/*`: what people share, for who shares it.

use axum::Json;
use axum::extract::State;
use onggi_cluster::id::LinkId;
use onggi_cluster::metadata::record::tree::LinkRole;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::drive_api::answer_json::Done;
use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{By, Document, EntryReference, Origin};
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::Secret;
use crate::services::share_service::{LinkTerms, Shared};

const PAGE_LINKS: usize = 1000;

/// To see, to change, or only to drop files.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    View,
    Edit,
    Drop,
}

/// Left out: as it is. `null`: without.
#[derive(Deserialize, ToSchema)]
struct Terms {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    password: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    max_downloads: Option<Option<u64>>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = CreateLink)]
pub struct Create {
    #[serde(flatten)]
    entry: EntryReference,
    #[serde(default)]
    role: Role,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateLink)]
pub struct Update {
    id: String,
    #[serde(flatten)]
    terms: Terms,
}

/// Without `path` and `id`: all of them.
#[derive(Deserialize, ToSchema)]
#[schema(as = ListLinks)]
pub struct List {
    #[serde(flatten)]
    entry: EntryReference,
    cursor: Option<String>,
    #[schema(default = json!(PAGE_LINKS))]
    limit: Option<usize>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RevokeLink)]
pub struct Revoke {
    id: String,
}

#[derive(Serialize, ToSchema)]
pub struct LinkPage {
    links: Vec<LinkJson>,
    /// `null`: these were the last.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct LinkJson {
    id: String,
    /// `null`: made before the cluster got another master key.
    url: Option<String>,
    /// `null`: removed, or in the trash.
    path: Option<String>,
    role: Role,
    #[schema(format = DateTime)]
    created: String,
    #[schema(format = DateTime)]
    expires: Option<String>,
    has_password: bool,
    downloads: u64,
    max_downloads: Option<u64>,
}

/// Make a link
#[utoipa::path(
    post, path = "/links/create", tag = "links", operation_id = "create_link", request_body = Create,
    responses((status = 200, description = "The link.", body = LinkJson)),
)]
pub async fn create(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Document(asked): Document<Create>,
) -> Result<Json<LinkJson>> {
    let made = api.shares().create(&actor, asked.entry.at()?, asked.role.into(), asked.terms.checked()?).await?;
    Ok(Json(LinkJson::new(&made, &origin)))
}

/// All links, or those of one entry
#[utoipa::path(
    post, path = "/links/list", tag = "links", operation_id = "list_links", request_body = List,
    responses((status = 200, description = "A page of them.", body = LinkPage)),
)]
pub async fn list(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Document(asked): Document<List>,
) -> Result<Json<LinkPage>> {
    let is_of_all = asked.entry.path.is_none() && asked.entry.id.is_none();
    let of = if is_of_all { None } else { Some(asked.entry.at()?) };
    let after = asked.cursor.as_deref().map(link_id).transpose()?;
    let page = api.shares().list(&actor, of, after, asked.limit.unwrap_or(PAGE_LINKS)).await?;
    let links = page.links.iter().map(|link| LinkJson::new(link, &origin)).collect();
    Ok(Json(LinkPage { links, cursor: page.next.map(id_text) }))
}

/// Change who comes in, and for how long
#[utoipa::path(
    post, path = "/links/update", tag = "links", operation_id = "update_link", request_body = Update,
    responses((status = 200, description = "The link.", body = LinkJson)),
)]
pub async fn update(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Document(asked): Document<Update>,
) -> Result<Json<LinkJson>> {
    let changed = api.shares().update(&actor, link_id(&asked.id)?, asked.terms.checked()?).await?;
    Ok(Json(LinkJson::new(&changed, &origin)))
}

/// End a link
#[utoipa::path(
    post, path = "/links/revoke", tag = "links", operation_id = "revoke_link", request_body = Revoke,
    responses((status = 200, description = "It lets nobody in any more.", body = Done)),
)]
pub async fn revoke(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Revoke>,
) -> Result<Json<Done>> {
    api.shares().revoke(&actor, link_id(&asked.id)?).await?;
    Ok(Json(Done {}))
}

impl Terms {
    fn checked(self) -> Result<LinkTerms> {
        let no_time = || DriveError::invalid("`expires` is a time like 2026-11-22T20:00:00Z");
        let expires_ms = match self.expires {
            Some(Some(text)) => Some(Some(text_form::parse_time(&text).ok_or_else(no_time)?)),
            said => said.map(|_| None),
        };
        Ok(LinkTerms {
            expires_ms,
            password: self.password.map(|password| password.map(Secret::new)),
            downloads_max: self.max_downloads,
        })
    }
}

impl LinkJson {
    fn new(shared: &Shared, origin: &str) -> Self {
        let link = &shared.link;
        Self {
            id: id_text(link.link),
            url: url(shared, origin),
            path: shared.entry.as_ref().map(|entry| entry.path.clone()),
            role: link.role.into(),
            created: text_form::time(link.created_ms),
            expires: link.expires_ms.map(text_form::time),
            has_password: link.password.is_some(),
            downloads: link.downloads,
            max_downloads: link.downloads_max,
        }
    }
}

impl From<Role> for LinkRole {
    fn from(role: Role) -> Self {
        match role {
            Role::View => Self::View,
            Role::Edit => Self::Edit,
            Role::Drop => Self::Drop,
        }
    }
}

impl From<LinkRole> for Role {
    fn from(role: LinkRole) -> Self {
        match role {
            LinkRole::View => Self::View,
            LinkRole::Edit => Self::Edit,
            LinkRole::Drop => Self::Drop,
        }
    }
}

/// `None`: made before the cluster got another master key.
pub fn url(shared: &Shared, origin: &str) -> Option<String> {
    shared.token.as_ref().map(|token| format!("{origin}/s/{}", token.expose()))
}

pub fn id_text(link: LinkId) -> String {
    hex::encode(link.0)
}

pub fn link_id(text: &str) -> Result<LinkId> {
    let mut id = LinkId([0; 16]);
    hex::decode_to_slice(text, &mut id.0).map_err(|_| DriveError::not_found("there is no such link"))?;
    Ok(id)
}

/// Tells `null` from nothing.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
