//! DeleteBucketCors.

use bytes::Bytes;
use http::StatusCode;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn delete_bucket_cors(services: &Services, request: Request) -> Result<Reply> {
    services.buckets.set_cors(&request.principal, request.bucket()?, Bytes::new()).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
