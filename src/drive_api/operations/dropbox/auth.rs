//! `auth/…`: a program gives up its sign-in.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde_json::Value;

use super::argument::By;
use super::route_error::Result;
use crate::drive_api::auth::{self, AuthError};
use crate::drive_api::error::DriveError;
use crate::drive_api::router::DriveApi;
use crate::services::account_service::AccountError;

/// The access token, its refresh token, and whatever else came of them. An app password is its owner's to revoke.
pub async fn revoke_token(State(api): State<DriveApi>, By(_): By, headers: HeaderMap) -> Result<Json<Value>> {
    let denied = || AuthError(AccountError::Denied("only a sign-in can give itself up"));
    let token = auth::bearer(&headers).ok_or_else(denied).map_err(DriveError::from)?;
    api.accounts().revoke_token(token).await.map_err(|error| DriveError::from(AuthError(error)))?;
    Ok(Json(Value::Null))
}
