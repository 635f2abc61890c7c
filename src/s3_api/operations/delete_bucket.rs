//! DeleteBucket.

use http::StatusCode;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn delete_bucket(services: &Services, request: Request) -> Result<Reply> {
    services.buckets.delete(&request.principal, request.bucket()?).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
