//! `PATCH /keys/{access_key}`

use axum::extract::{Path, State};
use axum::{Extension, Json};
use bytes::Bytes;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{Key, UpdateKey};
use crate::admin_api::operations::wire;
use crate::services::Principal;

pub async fn update_key(
    State(api): State<AdminApi>,
    Extension(principal): Extension<Principal>,
    Path(access_key): Path<String>,
    body: Bytes,
) -> Result<Json<Key>> {
    let UpdateKey { enabled } = wire::parse(&body)?;
    if !enabled && access_key == principal.access_key {
        return Err(AdminError::invalid("this key signs the request: disable it with another admin's key".into()));
    }
    api.services.identity.set_access_key_enabled(&access_key, enabled).await?;
    Ok(Json(wire::key(api.services.identity.access_key(&access_key).await?)))
}
