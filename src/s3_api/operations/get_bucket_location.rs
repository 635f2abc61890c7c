//! GetBucketLocation.

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

/// What CreateBucket said; empty is the default region.
pub async fn get_bucket_location(services: &Services, request: Request) -> Result<Reply> {
    let bucket = services.buckets.get(&request.principal, request.bucket()?).await?;
    Ok(reply::xml(bucket_settings::location(&bucket.location)))
}
