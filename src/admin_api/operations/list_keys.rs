//! `GET /users/{name}/keys`

use axum::Json;
use axum::extract::{Path, State};

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;
use crate::admin_api::message::Keys;
use crate::admin_api::operations::wire;

pub async fn list_keys(State(api): State<AdminApi>, Path(name): Path<String>) -> Result<Json<Keys>> {
    let user = api.services.identity.user_by_name(&name).await?.id;
    let records = api.services.identity.access_keys(user).await?;
    Ok(Json(Keys { user: name, keys: records.into_iter().map(wire::key).collect() }))
}
