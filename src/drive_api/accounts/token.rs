//! `POST /oauth2/token`: a password, a code or a refresh token for an access token (RFC 6749 §5.1).

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::accounts::oauth_error::{OauthError, OauthErrorJson};
use crate::drive_api::accounts::request_body::Form;
use crate::drive_api::accounts::{Accounts, account_id, answer};
use crate::drive_api::auth::PeerAddress;
use crate::services::Secret;
use crate::services::account_service::{ACCESS_TOKEN_LIFE, RedeemCode, SignIn, Tokens};

/// Fields that the grant does not name are left out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "`Form` reads it field by field, as RFC 6749 §3.1 says")]
struct TokenForm {
    /// `password`, `authorization_code` or `refresh_token`.
    grant_type: String,
    /// `password`.
    username: Option<String>,
    /// `password`.
    password: Option<String>,
    /// `password`: what history calls the device. The client, if it is not said.
    device: Option<String>,
    client_id: Option<String>,
    /// `authorization_code`.
    code: Option<String>,
    /// `authorization_code`: PKCE is required.
    code_verifier: Option<String>,
    /// `authorization_code`: as it was asked with.
    redirect_uri: Option<String>,
    /// `refresh_token`.
    refresh_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// As Dropbox names the user, twice.
    account_id: String,
    uid: String,
}

/// An access token for a password, a code or a refresh token
///
/// RFC 6749 §5.1. A refresh token is good once; the answer brings the next one.
#[utoipa::path(
    post, path = "/oauth2/token", tag = "sign-in", security(()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens.", body = TokenAnswer<'_>),
        (status = "default", description = "It was not done.", body = OauthErrorJson),
    ),
)]
pub async fn token(State(accounts): State<Accounts>, request: Request) -> Result<Response, OauthError> {
    let (head, body) = request.into_parts();
    let address = PeerAddress::of(&head)?.ip();
    let form = Form::read(body).await?;
    let service = &accounts.service;
    let tokens = match form.require("grant_type", "grant_type is missing")? {
        "password" => {
            let client = form.get("client_id")?.unwrap_or("");
            let sign_in = SignIn {
                user: form.require("username", "username is missing")?.to_owned(),
                password: Secret::new(form.require("password", "password is missing")?),
                device: form.get("device")?.unwrap_or(client).to_owned(),
                client: client.to_owned(),
                address,
            };
            service.sign_in(sign_in).await?
        }
        "refresh_token" => {
            let token = form.require("refresh_token", "refresh_token is missing")?;
            service.refresh(token, form.get("client_id")?, address).await?
        }
        "authorization_code" => {
            let redeem = RedeemCode {
                code: form.require("code", "code is missing")?,
                verifier: form.require("code_verifier", "code_verifier is missing: PKCE is required")?,
                redirect_uri: form.get("redirect_uri")?,
                client: form.require("client_id", "client_id is missing")?,
            };
            service.redeem_code(redeem, address).await?
        }
        _ => return Err(OauthError::UnsupportedGrantType),
    };
    Ok(shown(&tokens))
}

fn shown(tokens: &Tokens) -> Response {
    let body = TokenAnswer {
        access_token: tokens.access.expose(),
        token_type: "bearer",
        expires_in: ACCESS_TOKEN_LIFE.as_secs(),
        refresh_token: tokens.refresh.as_ref().map(Secret::expose),
        account_id: account_id(tokens.user),
        uid: tokens.user.0.to_string(),
    };
    answer::json(&body)
}
