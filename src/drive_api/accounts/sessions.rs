//! `/account/sessions`: where the user is signed in, and the end of it.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use crate::drive_api::accounts::Accounts;
use crate::drive_api::accounts::answer::{self, Known};
use crate::drive_api::auth::Result;
use crate::s3_api::timestamp::iso_8601;

#[derive(Serialize)]
struct List {
    sessions: Vec<Session>,
}

#[derive(Serialize)]
struct Session {
    id: String,
    device: String,
    /// The OAuth client; empty for first-party clients.
    client: String,
    browser: bool,
    /// It is the one that asks.
    current: bool,
    created: String,
    /// To within an hour.
    last_used: String,
    expires: Option<String>,
}

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

pub async fn end(State(accounts): State<Accounts>, Known(caller): Known, Path(id): Path<String>) -> Result<Response> {
    accounts.service.end_sign_in(&caller, answer::parse_id(&id)?).await?;
    Ok(answer::done())
}
