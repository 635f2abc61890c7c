//! `PATCH /users/{name}`

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{UpdateUser, User};
use crate::admin_api::operations::wire;
use crate::services::Secret;

pub async fn update_user(State(api): State<AdminApi>, Path(name): Path<String>, body: Bytes) -> Result<Json<User>> {
    let UpdateUser { enabled, quota_bytes, remove_quota, password } = wire::parse(&body)?;
    if remove_quota && quota_bytes.is_some() {
        return Err(AdminError::invalid("`quota_bytes` and `remove_quota` contradict each other: send one".into()));
    }
    let identity = &api.services.identity;
    let user = identity.user_by_name(&name).await?.id;
    if let Some(password) = password {
        api.services.accounts.set_password(user, &name, Secret::new(password)).await?;
    }
    if let Some(enabled) = enabled {
        identity.set_user_enabled(user, enabled).await?;
    }
    if remove_quota || quota_bytes.is_some() {
        identity.set_quota(user, quota_bytes).await?;
    }
    Ok(Json(wire::user(identity.user_by_name(&name).await?)))
}
