//! GetBucketCors.

use crate::s3_api::error::{ErrorCode, Result};
use crate::s3_api::reply::{self, APPLICATION_XML, Reply, ReplyBody};
use crate::s3_api::request::Request;
use crate::services::Services;

/// The document as it was stored: canonical, and checked before it was.
pub async fn get_bucket_cors(services: &Services, request: Request) -> Result<Reply> {
    let bucket = services.buckets.get(&request.principal, request.bucket()?).await?;
    if bucket.cors.is_empty() {
        return Err(ErrorCode::NoSuchCORSConfiguration.into());
    }
    let mut reply = reply::with_body(http::StatusCode::OK, ReplyBody::Whole(bucket.cors));
    reply.headers_mut().insert(http::header::CONTENT_TYPE, APPLICATION_XML);
    Ok(reply)
}
