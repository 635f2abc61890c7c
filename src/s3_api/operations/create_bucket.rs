//! CreateBucket.

use http::StatusCode;
use http::header::LOCATION;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

pub async fn create_bucket(services: &Services, request: Request) -> Result<Reply> {
    let bucket = request.bucket()?.clone();
    let document = request.body.into_document(&request.headers, DocumentProof::NotNeeded).await?;
    let location = bucket_settings::parse_create_bucket(&document)?.unwrap_or_default();
    services.buckets.create(&request.principal, &bucket, &location).await?;
    let mut reply = reply::empty(StatusCode::OK);
    reply::insert(reply.headers_mut(), LOCATION, format!("/{bucket}"));
    Ok(reply)
}
