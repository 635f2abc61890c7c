//! GetBucketTagging.

use crate::s3_api::error::{ErrorCode, Result};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

pub async fn get_bucket_tagging(services: &Services, request: Request) -> Result<Reply> {
    let bucket = services.buckets.get(&request.principal, request.bucket()?).await?;
    if bucket.tags.is_empty() {
        return Err(ErrorCode::NoSuchTagSet.into());
    }
    Ok(reply::xml(bucket_settings::tagging(&bucket.tags)))
}
