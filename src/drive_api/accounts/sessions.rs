//! `/account/sessions`: where the user is signed in, and the end of it.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::accounts::Accounts;
use crate::drive_api::accounts::answer::{self, Known};
use crate::drive_api::auth::Result;
use crate::s3_api::timestamp::iso_8601;

#[derive(Serialize, ToSchema)]
#[schema(as = SignIns)]
struct List {
    sessions: Vec<Session>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SignIn)]
struct Session {
    id: String,
    device: String,
    /// The OAuth client; empty for first-party clients.
    client: String,
    browser: bool,
    /// It is the one that asks.
    current: bool,
    #[schema(format = DateTime)]
    created: String,
    /// To within an hour.
    #[schema(format = DateTime)]
    last_used: String,
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// Where the user is signed in
#[utoipa::path(
    get, path = "/account/sessions", tag = "account", operation_id = "list_sign_ins",
    security(("token" = []), ("console" = [])),
    responses((status = 200, description = "All sign-ins.", body = List)),
)]
pub async fn list(State(accounts): State<Accounts>, Known(caller): Known) -> Result<Response> {
    let sessions = accounts.service.sign_ins(&caller).await?.into_iter().map(|found| Session {
        id: answer::id_text(found.id),
        device: found.device,
        client: found.client,
        browser: found.is_browser,
        current: found.is_current,
        created: iso_8601(found.created_ms),
        last_used: iso_8601(found.used_ms),
        expires: found.expires_ms.map(iso_8601),
    });
    Ok(answer::json(&List { sessions: sessions.collect() }))
}

/// End a sign-in
#[utoipa::path(
    delete, path = "/account/sessions/{id}", tag = "account", operation_id = "end_sign_in", params(("id" = String, Path)),
    security(("token" = []), ("console" = [], "csrf" = [])),
    responses((status = 204, description = "It is over.")),
)]
pub async fn end(State(accounts): State<Accounts>, Known(caller): Known, Path(id): Path<String>) -> Result<Response> {
    accounts.service.end_sign_in(&caller, answer::parse_id(&id)?).await?;
    Ok(answer::done())
}
