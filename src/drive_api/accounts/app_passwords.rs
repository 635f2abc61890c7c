//! `/account/app_passwords`: list, make, revoke.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::accounts::answer::{self, Known};
use crate::drive_api::accounts::{Accounts, request_body};
use crate::drive_api::answer_json::ErrorJson;
use crate::drive_api::auth::Result;
use crate::s3_api::timestamp::iso_8601;

#[derive(Serialize, ToSchema)]
#[schema(as = AppPasswords)]
struct List {
    app_passwords: Vec<AppPassword>,
}

#[derive(Serialize, ToSchema)]
struct AppPassword {
    id: String,
    name: String,
    #[schema(format = DateTime)]
    created: String,
    /// To within an hour.
    #[schema(format = DateTime)]
    last_used: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = CreateAppPassword)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedAppPassword)]
struct Created<'a> {
    id: String,
    name: &'a str,
    /// Shown once, here.
    password: &'a str,
}

/// App passwords
#[utoipa::path(
    get, path = "/account/app_passwords", tag = "account", operation_id = "list_app_passwords",
    security(("token" = []), ("console" = [])),
    responses((status = 200, description = "All of them, without what they are.", body = List)),
)]
pub async fn list(State(accounts): State<Accounts>, Known(caller): Known) -> Result<Response> {
    let app_passwords = accounts.service.app_passwords(&caller).await?.into_iter().map(|found| AppPassword {
        id: answer::id_text(found.id),
        name: found.name,
        created: iso_8601(found.created_ms),
        last_used: iso_8601(found.used_ms),
    });
    Ok(answer::json(&List { app_passwords: app_passwords.collect() }))
}

/// Make an app password
#[utoipa::path(
    post, path = "/account/app_passwords", tag = "account", operation_id = "create_app_password", request_body = Create,
    security(("token" = []), ("console" = [], "csrf" = [])),
    responses(
        (status = 200, description = "The only answer that has it.", body = Created<'_>),
        (status = 409, description = "`too_many`: revoke one.", body = ErrorJson),
    ),
)]
pub async fn create(State(accounts): State<Accounts>, Known(caller): Known, request: Request) -> Result<Response> {
    let Create { name } = request_body::json(request).await?;
    let created = accounts.service.create_app_password(&caller, &name).await?;
    let password = created.password.expose();
    Ok(answer::json(&Created { id: answer::id_text(created.id), name: &created.name, password }))
}

/// Revoke an app password
#[utoipa::path(
    delete, path = "/account/app_passwords/{id}", tag = "account", operation_id = "revoke_app_password",
    params(("id" = String, Path)), security(("token" = []), ("console" = [], "csrf" = [])),
    responses((status = 204, description = "It lets nobody in any more.")),
)]
pub async fn revoke(
    State(accounts): State<Accounts>,
    Known(caller): Known,
    Path(id): Path<String>,
) -> Result<Response> {
    accounts.service.revoke_app_password(&caller, answer::parse_id(&id)?).await?;
    Ok(answer::done())
}
