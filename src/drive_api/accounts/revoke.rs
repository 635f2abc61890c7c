//! `POST /oauth2/revoke` (RFC 7009): whoever has a token may end it, and its sign-in.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::drive_api::accounts::oauth_error::OauthError;
use crate::drive_api::accounts::request_body::Form;
use crate::drive_api::accounts::{Accounts, answer};

pub async fn revoke(State(accounts): State<Accounts>, request: Request) -> Result<Response, OauthError> {
    let form = Form::read(request.into_body()).await?;
    accounts.service.revoke_token(form.require("token", "token is missing")?).await?;
    Ok(answer::private(StatusCode::OK.into_response()))
}
