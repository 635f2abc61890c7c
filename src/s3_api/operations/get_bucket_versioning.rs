//! GetBucketVersioning.

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

pub async fn get_bucket_versioning(services: &Services, request: Request) -> Result<Reply> {
    let bucket = services.buckets.get(&request.principal, request.bucket()?).await?;
    Ok(reply::xml(bucket_settings::versioning(bucket.versioning)))
}
