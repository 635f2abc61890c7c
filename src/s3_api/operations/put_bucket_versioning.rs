//! PutBucketVersioning.

use http::StatusCode;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

pub async fn put_bucket_versioning(services: &Services, request: Request) -> Result<Reply> {
    let bucket = request.bucket()?.clone();
    let document = request.body.into_document(&request.headers, DocumentProof::Required).await?;
    let versioning = bucket_settings::parse_versioning(&document)?;
    services.buckets.set_versioning(&request.principal, &bucket, versioning).await?;
    Ok(reply::empty(StatusCode::OK))
}
