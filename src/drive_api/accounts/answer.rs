//! Answers of accounts: JSON that nobody keeps, the session's cookie, and who asks.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use onggi_cluster::id::GrantId;
use serde::Serialize;

use crate::drive_api::accounts::Accounts;
use crate::drive_api::auth::{AuthError, COOKIE_NAME, Result, authenticate};
use crate::services::Secret;
use crate::services::account_service::{AccountError, CONSOLE_LIFE, Caller};

/// Who asks: proven before the handler runs, and before anything of the body is read.
pub struct Known(pub Caller);

impl FromRequestParts<Accounts> for Known {
    type Rejection = AuthError;

    async fn from_request_parts(head: &mut Parts, accounts: &Accounts) -> Result<Self> {
        authenticate(&accounts.service, head).await.map(Self)
    }
}

pub fn json(body: &impl Serialize) -> Response {
    private(Json(body).into_response())
}

pub fn done() -> Response {
    private(StatusCode::NO_CONTENT.into_response())
}

pub fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub fn with_cookie(response: Response, cookie: &Secret) -> Response {
    set_cookie(response, cookie.expose(), CONSOLE_LIFE.as_secs())
}

pub fn without_cookie(response: Response) -> Response {
    set_cookie(response, "", 0)
}

fn set_cookie(mut response: Response, value: &str, seconds: u64) -> Response {
    let text = format!("{COOKIE_NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    if let Ok(mut value) = HeaderValue::try_from(text) {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

pub fn id_text(id: GrantId) -> String {
    format!("{:016x}", id.0)
}

pub fn parse_id(text: &str) -> Result<GrantId> {
    let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten().ok_or(AccountError::NotFound)?;
    Ok(GrantId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert_eq!(parse_id(&id_text(GrantId(255))).unwrap(), GrantId(255));
        for bad in ["", "ff", "+0000000000000ff", "00000000000000fg"] {
            assert!(parse_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_for_this_host_over_https_and_for_no_script() {
        let response = with_cookie(done(), &Secret::new("ons_x"));
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert_eq!(cookie, "__Host-onggi=ons_x; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=1209600");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }
}
