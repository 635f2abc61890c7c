//! `DELETE /tokens/{id}`

use axum::extract::{Path, State};
use http::StatusCode;
use onggi_cluster::id::TokenId;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};

pub async fn revoke_token(State(api): State<AdminApi>, Path(id): Path<String>) -> Result<StatusCode> {
    let token = TokenId::parse(&id).ok_or_else(|| {
        AdminError::invalid("a token is named by its id of 32 hex digits; `onggi admin token list` shows them".into())
    })?;
    api.services.cluster.revoke_token(token).await?;
    Ok(StatusCode::NO_CONTENT)
}
