//! Requests signed by others: the examples of AWS's documentation, URLs made by boto3, any request signed by AWS's own
//! signer. Then the same requests, changed: each must be refused.

mod changed;
mod hostile;
mod oracle;
mod published;

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::{AuthOptions, Authenticated, Authenticator, SecretKey, SignedRequest};
use crate::s3_api::error::Result;
use crate::s3_api::router::{Query, Target};

const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A request as it stands on the wire, easy to change.
#[derive(Clone, Debug)]
struct WireRequest {
    method: String,
    /// Path and query.
    target: String,
    headers: Vec<(String, String)>,
    /// The server's clock, unix seconds.
    now: u64,
    secret: String,
    options: AuthOptions,
}

impl WireRequest {
    fn new(method: &str, target: &str, headers: &[(&str, &str)], now: u64) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            now,
            secret: SECRET_KEY.to_owned(),
            options: AuthOptions::default(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(have, _)| have == name).map_or("", |(_, value)| value)
    }

    fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(have, _)| have != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn replace_in_header(&mut self, name: &str, from: &str, to: &str) {
        let value = self.header(name).replace(from, to);
        self.set_header(name, &value);
    }

    async fn authenticate(&self) -> Result<Authenticated> {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let uri: Uri = self.target.parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let query = Query::parse(uri.query().unwrap_or(""))?;
        let base_domains = ["s3.amazonaws.com".to_owned()];
        let target = Target::parse(uri.path(), self.header("host"), &base_domains)?;
        let now = UNIX_EPOCH + Duration::from_secs(self.now);
        let request =
            SignedRequest { method: &method, uri: &uri, headers: &headers, query: &query, target: &target, now };
        let lookup =
            async |access_key: String| Ok((access_key == ACCESS_KEY).then(|| SecretKey::new(self.secret.as_str())));
        Authenticator::new(self.options.clone()).authenticate(request, lookup).await
    }

    /// `ok`, or the code of the error.
    async fn answer(&self) -> &'static str {
        self.authenticate().await.map_or_else(|error| error.code.as_str(), |_| "ok")
    }
}
