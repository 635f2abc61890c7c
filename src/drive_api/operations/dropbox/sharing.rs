//! `sharing/*`: share links, in Dropbox's form.

use axum::Json;
use axum::extract::State;
use onggi_cluster::id::LinkId;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::tree::LinkRole;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By, at};
use super::metadata;
use super::route_error::{Result, RouteError, lookup, tag, tagged};
use crate::drive_api::error::DriveError;
use crate::drive_api::operations::links;
use crate::drive_api::request::Origin;
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::drive::actor::Actor;
use crate::services::share_service::{LinkTerms, ShareError, Shared};
use crate::services::{Error, Secret};

const PAGE_LINKS: usize = 200;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    require_password: Option<bool>,
    link_password: Option<String>,
    expires: Option<String>,
    /// `viewer` or `editor`.
    access: Option<Tagged>,
    audience: Option<Tagged>,
    requested_visibility: Option<Tagged>,
    allow_download: Option<bool>,
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(rename = ".tag")]
    tag: String,
}

#[derive(Deserialize)]
pub struct Create {
    path: String,
    #[serde(default)]
    settings: Option<Settings>,
}

#[derive(Deserialize)]
pub struct List {
    path: Option<String>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
pub struct Modify {
    url: String,
    settings: Settings,
    #[serde(default)]
    remove_expiration: bool,
}

#[derive(Deserialize)]
pub struct Url {
    url: String,
}

pub async fn create(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Argument(asked): Argument<Create>,
) -> Result<Json<Value>> {
    let at = at(&asked.path).map_err(lookup("path"))?;
    let settings = asked.settings.unwrap_or_default();
    let role = match tag_of(&settings.access) {
        Some("editor") => LinkRole::Edit,
        None | Some("viewer" | "default" | "max") => LinkRole::View,
        Some(_) => return Err(refused_settings()),
    };
    let made = api.shares().create(&actor, at, role, settings.terms(false)?).await;
    let shared = made.map_err(DriveError::from).map_err(lookup("path"))?;
    Ok(Json(link_metadata(&shared, &origin)))
}

pub async fn list(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Argument(asked): Argument<List>,
) -> Result<Json<Value>> {
    let of = asked.path.as_deref().map(at).transpose().map_err(lookup("path"))?;
    let after = asked.cursor.as_deref().map(links::link_id).transpose()?;
    let listed = api.shares().list(&actor, of, after, PAGE_LINKS).await;
    let page = listed.map_err(DriveError::from).map_err(lookup("path"))?;
    // A link to what lies in the trash has no metadata, and works again once that is back.
    let standing = page.links.iter().filter(|shared| shared.entry.is_some());
    let shown: Vec<Value> = standing.map(|shared| link_metadata(shared, &origin)).collect();
    let mut answer = json!({ "links": shown, "has_more": page.next.is_some() });
    if let Some(next) = page.next {
        answer["cursor"] = json!(links::id_text(next));
    }
    Ok(Json(answer))
}

pub async fn modify(
    State(api): State<DriveApi>,
    By(actor): By,
    Origin(origin): Origin,
    Argument(asked): Argument<Modify>,
) -> Result<Json<Value>> {
    if asked.settings.access.is_some() {
        return Err(refused_settings());
    }
    let link = named(&api, &actor, &asked.url)?;
    let changed = api.shares().update(&actor, link, asked.settings.terms(asked.remove_expiration)?).await;
    let shared = changed.map_err(not_found)?;
    Ok(Json(link_metadata(&shared, &origin)))
}

pub async fn revoke(State(api): State<DriveApi>, By(actor): By, Argument(asked): Argument<Url>) -> Result<Json<Value>> {
    let link = named(&api, &actor, &asked.url)?;
    api.shares().revoke(&actor, link).await.map_err(not_found)?;
    Ok(Json(Value::Null))
}

/// Folders are not shared between users yet: what an SDK knows to say of it.
pub async fn share_folder(By(_): By) -> RouteError {
    RouteError::Tagged(tag("no_permission"))
}

impl Settings {
    /// What a link here cannot be kept to is refused: it would let in more than was asked for.
    fn terms(self, without_expiry: bool) -> Result<LinkTerms> {
        let is_narrower = !matches!(tag_of(&self.audience), None | Some("public"))
            || !matches!(tag_of(&self.requested_visibility), None | Some("public" | "password"))
            || self.allow_download == Some(false);
        let asks_password =
            self.require_password == Some(true) || tag_of(&self.requested_visibility) == Some("password");
        if is_narrower || (asks_password && self.link_password.is_none()) {
            return Err(refused_settings());
        }
        let no_time = || DriveError::invalid("`expires` is a time like 2026-11-22T20:00:00Z");
        let expires_ms = match self.expires {
            Some(text) => Some(Some(text_form::parse_time(&text).ok_or_else(no_time)?)),
            None => without_expiry.then_some(None),
        };
        let password = match self.link_password {
            Some(password) => Some(Some(Secret::new(password))),
            None => (self.require_password == Some(false)).then_some(None),
        };
        Ok(LinkTerms { expires_ms, password, downloads_max: None })
    }
}

fn tag_of(union: &Option<Tagged>) -> Option<&str> {
    union.as_ref().map(|union| union.tag.as_str())
}

fn refused_settings() -> RouteError {
    RouteError::Tagged(tagged("settings_error", tag("invalid_settings")))
}

/// The caller's own link of this address.
fn named(api: &DriveApi, actor: &Actor, url: &str) -> Result<LinkId> {
    let token = url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    api.shares().link_of(actor, token).ok_or_else(|| RouteError::Tagged(tag("shared_link_not_found")))
}

fn not_found(error: ShareError) -> RouteError {
    match error {
        ShareError::Service(Error::Refused(Refusal::NoSuchLink)) => RouteError::Tagged(tag("shared_link_not_found")),
        error => RouteError::Other(error.into()),
    }
}

fn link_metadata(shared: &Shared, origin: &str) -> Value {
    let mut shown = shared.entry.as_ref().map_or_else(|| json!({ ".tag": "file", "name": "" }), metadata::of_entry);
    let link = &shared.link;
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("path_display");
    }
    shown["url"] = json!(links::url(shared, origin).unwrap_or_default());
    if let Some(expires_ms) = link.expires_ms {
        shown["expires"] = json!(text_form::time_in_seconds(expires_ms));
    }
    let visibility = if link.password.is_some() { "password" } else { "public" };
    shown["link_permissions"] = json!({
        "can_revoke": true,
        "resolved_visibility": tag(visibility),
        "requested_visibility": tag(visibility),
        "require_password": link.password.is_some(),
        "visibility_policies": [],
        "can_set_expiry": true,
        "can_remove_expiry": true,
        "allow_download": link.role != LinkRole::Drop,
        "can_allow_download": false,
        "can_disallow_download": false,
        "allow_comments": false,
        "team_restricts_comments": false,
    });
    shown
}
