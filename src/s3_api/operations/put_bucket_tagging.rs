//! PutBucketTagging.

use http::StatusCode;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::tagging::check_bucket_tags;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

pub async fn put_bucket_tagging(services: &Services, request: Request) -> Result<Reply> {
    let bucket = request.bucket()?.clone();
    let document = request.body.into_document(&request.headers, DocumentProof::Required).await?;
    let tags = bucket_settings::parse_tagging(&document)?;
    check_bucket_tags(&tags)?;
    services.buckets.set_tags(&request.principal, &bucket, tags).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
