//! `GET /users`

use axum::Json;
use axum::extract::State;

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;
use crate::admin_api::message::Users;
use crate::admin_api::operations::wire;

pub async fn list_users(State(api): State<AdminApi>) -> Result<Json<Users>> {
    let records = api.services.identity.users().await?;
    Ok(Json(Users { users: records.into_iter().map(wire::user).collect() }))
}
