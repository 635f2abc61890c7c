//! `/links/*`: what people share, for who shares it.

use axum::Json;
use axum::extract::State;
use onggi_cluster::id::LinkId;
use onggi_cluster::metadata::record::tree::LinkRole;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{By, Document, EntryReference, Origin};
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::Secret;
use crate::services::share_service::{LinkTerms, Shared};

const PAGE_LINKS: usize = 1000;

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    View,
    Edit,
    Drop,
}

/// Left out: as it is. `null`: without.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Terms {
    #[serde(deserialize_with = "said")]
    expires: Option<Option<String>>,
    #[serde(deserialize_with = "said")]
    password: Option<Option<String>>,
    #[serde(deserialize_with = "said")]
    max_downloads: Option<Option<u64>>,
}

#[derive(Deserialize)]
pub struct Create {
    #[serde(flatten)]
    entry: EntryReference,
    #[serde(default)]
    role: Role,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Deserialize)]
pub struct Update {
    id: String,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Deserialize)]
pub struct List {
    #[serde(flatten)]
    entry: EntryReference,
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
pub struct Revoke {
    id: String,
}

#[derive(Serialize)]
pub struct LinkJson {
    id: String,
    /// `null`: made before the cluster got another master key.
    url: Option<String>,
    /// `null`: removed, or in the trash.
    path: Option<String>,
    role: Role,
    created: String,
    expires: Option<String>,
    has_password: bool,
    downloads: u64,
    max_downloads: Option<u64>,
}

/// `POST /links/create`
pub async fn create(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Document(asked): Document<Create>,
) -> Result<Json<LinkJson>> {
    let made = api.shares().create(&actor, asked.entry.at()?, asked.role.into(), asked.terms.checked()?).await?;
    Ok(Json(LinkJson::new(&made, &origin)))
}

/// `POST /links/list`: all of them, or those of one entry.
pub async fn list(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Document(asked): Document<List>,
) -> Result<Json<Value>> {
    let is_of_all = asked.entry.path.is_none() && asked.entry.id.is_none();
    let of = if is_of_all { None } else { Some(asked.entry.at()?) };
    let after = asked.cursor.as_deref().map(link_id).transpose()?;
    let page = api.shares().list(&actor, of, after, asked.limit.unwrap_or(PAGE_LINKS)).await?;
    let links: Vec<LinkJson> = page.links.iter().map(|link| LinkJson::new(link, &origin)).collect();
    Ok(Json(json!({ "links": links, "cursor": page.next.map(id_text) })))
}

/// `POST /links/update`
pub async fn update(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Document(asked): Document<Update>,
) -> Result<Json<LinkJson>> {
    let changed = api.shares().update(&actor, link_id(&asked.id)?, asked.terms.checked()?).await?;
    Ok(Json(LinkJson::new(&changed, &origin)))
}

/// `POST /links/revoke`
pub async fn revoke(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Revoke>,
) -> Result<Json<Value>> {
    api.shares().revoke(&actor, link_id(&asked.id)?).await?;
    Ok(Json(json!({})))
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
