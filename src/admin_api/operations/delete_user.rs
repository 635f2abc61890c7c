//! `DELETE /users/{name}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;

pub async fn delete_user(State(api): State<AdminApi>, Path(name): Path<String>) -> Result<StatusCode> {
    let user = api.services.identity.user_by_name(&name).await?.id;
    api.services.identity.delete_user(user).await?;
    Ok(StatusCode::NO_CONTENT)
}
