//! `DELETE /keys/{access_key}`

use axum::Extension;
use axum::extract::{Path, State};
use http::StatusCode;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::services::Principal;

pub async fn delete_key(
    State(api): State<AdminApi>,
    Extension(principal): Extension<Principal>,
    Path(access_key): Path<String>,
) -> Result<StatusCode> {
    if access_key == principal.access_key {
        return Err(AdminError::invalid("this key signs the request: delete it with another admin's key".into()));
    }
    api.services.identity.delete_access_key(&access_key).await?;
    Ok(StatusCode::NO_CONTENT)
}
