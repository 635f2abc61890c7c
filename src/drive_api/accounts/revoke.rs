//! `POST /oauth2/revoke` (RFC 7009): whoever has a token may end it, and its sign-in.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use utoipa::ToSchema;

use crate::drive_api::accounts::oauth_error::{OauthError, OauthErrorJson};
use crate::drive_api::accounts::request_body::Form;
use crate::drive_api::accounts::{Accounts, answer};

#[derive(ToSchema)]
#[expect(dead_code, reason = "`Form` reads it field by field, as RFC 6749 §3.1 says")]
struct RevokeForm {
    token: String,
}

/// End a token, and its sign-in
///
/// RFC 7009. Whoever has the token may.
#[utoipa::path(
    post, path = "/oauth2/revoke", tag = "sign-in", operation_id = "revoke_token", security(()),
    request_body(content = RevokeForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It lets nobody in, now or before."),
        (status = "default", description = "It was not done.", body = OauthErrorJson),
    ),
)]
pub async fn revoke(State(accounts): State<Accounts>, request: Request) -> Result<Response, OauthError> {
    let form = Form::read(request.into_body()).await?;
    accounts.service.revoke_token(form.require("token", "token is missing")?).await?;
    Ok(answer::private(StatusCode::OK.into_response()))
}
