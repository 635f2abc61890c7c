//! Authentication of the drive: the one way in for each of its doors (docs/accounts.md).
//! Owns: where a proof stands in a request. Does not own: what it proves (`services::account_service`).
//! Invariant: a request that changes something with a cookie shows that a page of ours made it.

mod error;

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

pub use error::AuthError;

use crate::services::account_service::{AccountError, AccountService, Caller, Proof};

pub type Result<T> = std::result::Result<T, AuthError>;

/// Only over HTTPS, only for this host, whatever a subdomain or a page over HTTP sets (RFC 6265bis §4.1.3).
pub const COOKIE_NAME: &str = "__Host-onggi";
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-onggi-csrf");

/// Who is at the other end of the connection; the web listener puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub SocketAddr);

/// Proves who asks, from the head of a request: nothing of its body has to be read before.
pub async fn authenticate(accounts: &AccountService, head: &Parts) -> Result<Caller> {
    let address = PeerAddress::of(head)?.ip();
    let basic;
    let cookie;
    let proof = match sole(&head.headers, AUTHORIZATION)? {
        Some(authorization) => match split_scheme(authorization) {
            ("bearer", token) => Proof::Bearer(token),
            ("basic", encoded) => {
                basic = decode_basic(encoded).ok_or(AccountError::InvalidToken)?;
                Proof::Basic { user: &basic.0, password: &basic.1 }
            }
            _ => return Err(AccountError::Invalid("Authorization must be `Bearer TOKEN` or `Basic …`").into()),
        },
        None => {
            cookie = session_cookie(&head.headers)?.ok_or(AccountError::NoProof)?;
            let is_safe = matches!(head.method, Method::GET | Method::HEAD);
            let csrf = if is_safe { None } else { Some(sole(&head.headers, CSRF_HEADER)?.unwrap_or("")) };
            Proof::Console { cookie: &cookie, csrf }
        }
    };
    Ok(accounts.caller(proof, address).await?)
}

/// The token of `Authorization: Bearer …`, if that is the proof.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    match split_scheme(sole(headers, AUTHORIZATION).ok()??) {
        ("bearer", token) => Some(token),
        _ => None,
    }
}

impl PeerAddress {
    pub fn of(head: &Parts) -> Result<Self> {
        Ok(*head.extensions.get().ok_or(AccountError::Invalid("the request came without an address"))?)
    }

    pub fn ip(self) -> IpAddr {
        self.0.ip()
    }
}

impl<S: Sync> FromRequestParts<S> for PeerAddress {
    type Rejection = AuthError;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self> {
        Self::of(head)
    }
}

/// The value of the session cookie, if there is one.
pub fn session_cookie(headers: &HeaderMap) -> Result<Option<String>> {
    cookie(headers, COOKIE_NAME)
}

/// Of two cookies of one name nobody knows which is ours.
pub fn cookie(headers: &HeaderMap, name: &str) -> Result<Option<String>> {
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for pair in header.to_str().unwrap_or("").split(';') {
            let Some((_, value)) = pair.trim().split_once('=').filter(|(of, _)| *of == name) else { continue };
            if found.replace(value.to_owned()).is_some() {
                return Err(AccountError::Invalid("the request brings a cookie twice").into());
            }
        }
    }
    Ok(found)
}

fn sole(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(AccountError::Invalid("the request brings more than one proof").into());
    }
    Ok(value.map(|value| value.to_str().unwrap_or("")))
}

/// Names of schemes have no case (RFC 9110 §11.1).
fn split_scheme(authorization: &str) -> (&'static str, &str) {
    let (scheme, rest) = authorization.trim().split_once(' ').unwrap_or((authorization, ""));
    let known = ["bearer", "basic"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    (known.unwrap_or(""), rest.trim())
}

/// RFC 7617: the user's name has no colon.
fn decode_basic(encoded: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn cookies(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (COOKIE, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let found = |values: &[&'static str]| session_cookie(&cookies(values)).unwrap();
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["a=b; onggi=c; x__Host-onggi=d"]), None);
        assert_eq!(found(&["a=b;__Host-onggi=ons_x", "c=d"]).as_deref(), Some("ons_x"));
        assert!(session_cookie(&cookies(&["__Host-onggi=1; __Host-onggi=2"])).is_err());
        assert!(session_cookie(&cookies(&["__Host-onggi=1", "__Host-onggi=1"])).is_err());
    }

    #[test]
    fn schemes() {
        assert_eq!(split_scheme("Bearer  ona_x "), ("bearer", "ona_x"));
        assert_eq!(split_scheme("BASIC YTpi"), ("basic", "YTpi"));
        for other in ["", "Bearer", "AWS4-HMAC-SHA256 x", "ona_x"] {
            assert_eq!(split_scheme(other).0.len() * split_scheme(other).1.len(), 0, "{other}");
        }
    }

    #[test]
    fn a_basic_password_may_have_colons() {
        assert_eq!(decode_basic("YTpiOmM="), Some(("a".into(), "b:c".into())));
        for bad in ["", "YQ==", "//4=", "not base64"] {
            assert_eq!(decode_basic(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_proof_at_most() {
        let mut headers = HeaderMap::new();
        assert_eq!(sole(&headers, AUTHORIZATION).unwrap(), None);
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert_eq!(sole(&headers, AUTHORIZATION).unwrap(), Some("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(sole(&headers, AUTHORIZATION).is_err());
    }
}
