//! `POST /users/{name}/keys`

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{CreateKey, CreatedKey};
use crate::admin_api::operations::wire;

const DESCRIPTION_BYTES_MAX: usize = 256;

pub async fn create_key(
    State(api): State<AdminApi>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<CreatedKey>> {
    let CreateKey { description } = wire::parse(&body)?;
    if description.len() > DESCRIPTION_BYTES_MAX || description.chars().any(char::is_control) {
        let message = format!("the description must be at most {DESCRIPTION_BYTES_MAX} bytes of plain text");
        return Err(AdminError::invalid(message));
    }
    let user = api.services.identity.user_by_name(&name).await?.id;
    let pair = api.services.identity.create_access_key(user, &description).await?;
    Ok(Json(CreatedKey { user: name, access_key: pair.access_key, secret_key: pair.secret.expose().to_string() }))
}
