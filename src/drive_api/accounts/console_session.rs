//! `/console/session`: the web page signs in, asks who it is, and signs out.
//! Invariant: the cookie is out of reach of scripts; what they get shows only that they are ours.

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::USER_AGENT;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::accounts::answer::{self, Known};
use crate::drive_api::accounts::{Accounts, browser, request_body};
use crate::drive_api::auth::{PeerAddress, Result, session_cookie};
use crate::services::Secret;
use crate::services::account_service::{AccountError, SignIn};

#[derive(Deserialize, ToSchema)]
#[schema(as = OpenConsole)]
#[serde(deny_unknown_fields)]
struct Open {
    user: String,
    password: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ConsoleSession)]
struct Session<'a> {
    user: &'a str,
    /// For the `X-Onggi-CSRF` header.
    csrf: &'a str,
}

/// Sign in on the web page
#[utoipa::path(
    post, path = "/console/session", tag = "console", operation_id = "open_console", request_body = Open, security(()),
    responses((
        status = 200, description = "The page's session.", body = Session<'_>,
        headers(("Set-Cookie" = String, description = "Out of reach of scripts.")),
    )),
)]
pub async fn open(State(accounts): State<Accounts>, address: PeerAddress, request: Request) -> Result<Response> {
    request_body::refuse_other_sites(request.headers())?;
    let device = browser::name(request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()));
    let Open { user, password } = request_body::json(request).await?;
    let password = Secret::new(password);
    let sign_in = SignIn { user, password, device, client: String::new(), address: address.ip() };
    let session = accounts.service.open_console(sign_in).await?;
    let body = answer::json(&Session { user: &session.user.name, csrf: &session.csrf });
    Ok(answer::with_cookie(body, &session.cookie))
}

/// Who is signed in on the web page
///
/// Also sent when the page is loaded, so that the cookie lives as long as the session.
#[utoipa::path(
    get, path = "/console/session", tag = "console", operation_id = "show_console", security(("console" = [])),
    responses((status = 200, description = "The page's session.", body = Session<'_>)),
)]
pub async fn show(State(accounts): State<Accounts>, Known(caller): Known, headers: HeaderMap) -> Result<Response> {
    let cookie = session_cookie(&headers)?.ok_or(AccountError::Invalid("this is for the page's cookie"))?;
    let csrf = accounts.service.csrf_of(&cookie)?;
    let body = answer::json(&Session { user: &caller.principal.name, csrf: &csrf });
    Ok(answer::with_cookie(body, &Secret::new(cookie)))
}

/// Sign out
#[utoipa::path(
    delete, path = "/console/session", tag = "console", operation_id = "close_console",
    security(("token" = []), ("console" = [], "csrf" = [])),
    responses((status = 204, description = "The session is over.")),
)]
pub async fn close(State(accounts): State<Accounts>, Known(caller): Known) -> Result<Response> {
    accounts.service.sign_out(&caller).await?;
    Ok(answer::without_cookie(answer::done()))
}
