//! PutBucketCors.

use http::StatusCode;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::xml::cors;
use crate::services::Services;

pub async fn put_bucket_cors(services: &Services, request: Request) -> Result<Reply> {
    let bucket = request.bucket()?.clone();
    let document = request.body.into_document(&request.headers, DocumentProof::Required).await?;
    let rules = cors::parse_request(&document)?;
    services.buckets.set_cors(&request.principal, &bucket, cors::to_xml(&rules).into()).await?;
    Ok(reply::empty(StatusCode::OK))
}
