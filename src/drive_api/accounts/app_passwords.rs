//! `/account/app_passwords`: list, make, revoke.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::drive_api::accounts::answer::{self, Known};
use crate::drive_api::accounts::{Accounts, request_body};
use crate::drive_api::auth::Result;
use crate::s3_api::timestamp::iso_8601;

#[derive(Serialize)]
struct List {
    app_passwords: Vec<AppPassword>,
}

#[derive(Serialize)]
struct AppPassword {
    id: String,
    name: String,
    created: String,
    /// To within an hour.
    last_used: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
}

#[derive(Serialize)]
struct Created<'a> {
    id: String,
    name: &'a str,
    /// Shown once, here.
    password: &'a str,
}

pub async fn list(State(accounts): State<Accounts>, Known(caller): Known) -> Result<Response> {
    let app_passwords = accounts.service.app_passwords(&caller).await?.into_iter().map(|found| AppPassword {
        id: answer::id_text(found.id),
        name: found.name,
        created: iso_8601(found.created_ms),
        last_used: iso_8601(found.used_ms),
    });
    Ok(answer::json(&List { app_passwords: app_passwords.collect() }))
}

pub async fn create(State(accounts): State<Accounts>, Known(caller): Known, request: Request) -> Result<Response> {
    let Create { name } = request_body::json(request).await?;
    let created = accounts.service.create_app_password(&caller, &name).await?;
    let password = created.password.expose();
    Ok(answer::json(&Created { id: answer::id_text(created.id), name: &created.name, password }))
}

pub async fn revoke(
    State(accounts): State<Accounts>,
    Known(caller): Known,
    Path(id): Path<String>,
) -> Result<Response> {
    accounts.service.revoke_app_password(&caller, answer::parse_id(&id)?).await?;
    Ok(answer::done())
}
