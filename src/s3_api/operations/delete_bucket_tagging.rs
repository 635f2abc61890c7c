//! DeleteBucketTagging.

use http::StatusCode;
use onggi_cluster::metadata::record::Pairs;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn delete_bucket_tagging(services: &Services, request: Request) -> Result<Reply> {
    services.buckets.set_tags(&request.principal, request.bucket()?, Pairs::new()).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
