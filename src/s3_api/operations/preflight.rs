//! The preflight of browsers, and what their actual requests are answered with. Nobody is authenticated here: a page asks
//! whether it may ask.

use http::header::VARY;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::s3_api::cors::{self, CorsRule};
use crate::s3_api::error::{ErrorCode, Result};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::router::Target;
use crate::s3_api::xml;
use crate::services::Services;

/// A bucket without rules lets nobody, and one that does not exist looks the same: a preflight tells nothing.
pub async fn preflight(services: &Services, target: &Target, headers: &HeaderMap) -> Result<Reply> {
    let rules = rules(services, target).await?;
    let mut reply = reply::empty(StatusCode::OK);
    reply.headers_mut().extend(cors::preflight(&rules, headers)?);
    Ok(reply)
}

/// For the reply to a request that carries an `Origin`, whatever becomes of it. Caches must not mix origins up.
pub async fn response_headers(services: &Services, target: &Target, method: &Method, headers: &HeaderMap) -> HeaderMap {
    let rules = rules(services, target).await.unwrap_or_default();
    let mut reply = cors::actual(&rules, method, headers);
    if !rules.is_empty() && reply.is_empty() {
        reply.insert(VARY, HeaderValue::from_static("Origin"));
    }
    reply
}

async fn rules(services: &Services, target: &Target) -> Result<Vec<CorsRule>> {
    let Ok(bucket) = target.bucket() else { return Ok(Vec::new()) };
    let stored = match services.buckets.cors_for_preflight(bucket).await.map_err(Into::into) {
        Ok(stored) if stored.is_empty() => return Ok(Vec::new()),
        Ok(stored) => stored,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    xml::cors::parse_configuration(&stored)
}

fn is_missing(error: &crate::s3_api::error::S3Error) -> bool {
    error.code == ErrorCode::NoSuchBucket
}
