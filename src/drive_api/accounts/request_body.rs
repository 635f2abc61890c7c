//! Request bodies of accounts: forms and JSON with a few short fields, bounded before anybody is known.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::drive_api::auth::Result;
use crate::services::account_service::AccountError;

const BYTES_MAX: usize = 16 << 10;
/// A request that is worked on takes the place of another.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Of `application/x-www-form-urlencoded`, or of a query.
pub struct Form(Vec<(String, String)>);

impl Form {
    pub async fn read(body: Body) -> Result<Self> {
        Ok(Self::parse(&read(body).await?))
    }

    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// RFC 6749 §3.1: an empty one counts as left out, none comes twice.
    pub fn get(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(AccountError::Invalid("a parameter comes twice").into());
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    pub fn require(&self, name: &str, missing: &'static str) -> Result<&str> {
        Ok(self.get(name)?.ok_or(AccountError::Invalid(missing))?)
    }
}

/// A page elsewhere can send a form here without asking; JSON it cannot.
pub async fn json<T: DeserializeOwned>(request: Request) -> Result<T> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(AccountError::Invalid("the body must be application/json").into());
    }
    let bytes = read(request.into_body()).await?;
    serde_json::from_slice(&bytes)
        .map_err(|_| AccountError::Invalid("the body is not the JSON that is expected").into())
}

/// Browsers say where a request comes from (W3C Fetch Metadata). Whoever signs a person in must be a page of ours, or they
/// would work in an account that is not theirs.
pub fn refuse_other_sites(headers: &HeaderMap) -> Result<()> {
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    if matches!(site, None | Some(b"same-origin" | b"none")) {
        return Ok(());
    }
    Err(AccountError::Denied("the request comes from a page of another site").into())
}

async fn read(body: Body) -> Result<Bytes> {
    match timeout(TIME_MAX, to_bytes(body, BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) | Err(_) => {
            Err(AccountError::Invalid("the body cannot be read, comes too slowly, or has more than 16 KiB").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_comes_once() {
        let form = Form::parse(b"a=1+2%26&b=&c=1&c=1");
        assert_eq!(form.get("a").unwrap(), Some("1 2&"));
        assert_eq!(form.get("b").unwrap(), None);
        assert_eq!(form.get("d").unwrap(), None);
        assert!(form.get("c").is_err());
        assert!(form.require("b", "b is missing").is_err());
    }

    #[test]
    fn a_page_of_another_site_signs_nobody_in() {
        let check = |site: Option<&'static str>| {
            let headers = site.map(|site| ("sec-fetch-site".parse().unwrap(), http::HeaderValue::from_static(site)));
            refuse_other_sites(&headers.into_iter().collect()).is_ok()
        };
        assert_eq!([None, Some("same-origin"), Some("none")].map(check), [true; 3]);
        assert_eq!([Some("cross-site"), Some("same-site"), Some("")].map(check), [false; 3]);
    }

    #[tokio::test]
    async fn only_json_is_json() {
        let read = async |content_type: &str| {
            let request = Request::builder().header(CONTENT_TYPE, content_type).body(Body::from("[1]")).unwrap();
            json::<Vec<u32>>(request).await.is_ok()
        };
        assert!(read("application/json").await && read("Application/JSON; charset=utf-8").await);
        assert!(!read("text/plain").await && !read("application/x-www-form-urlencoded").await);
    }

    #[tokio::test]
    async fn a_long_body_is_not_read_to_its_end() {
        assert!(Form::read(Body::from(vec![b'a'; BYTES_MAX + 1])).await.is_err());
        assert!(Form::read(Body::from(vec![b'a'; BYTES_MAX])).await.is_ok());
    }
}
