//! HeadBucket.

use http::{HeaderName, HeaderValue, StatusCode};

use crate::s3_api::api::S3Options;
use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");
const ACCESS_POINT_ALIAS: HeaderName = HeaderName::from_static("x-amz-access-point-alias");

pub async fn head_bucket(services: &Services, options: &S3Options, request: Request) -> Result<Reply> {
    let bucket = services.buckets.get(&request.principal, request.bucket()?).await?;
    let mut reply = reply::empty(StatusCode::OK);
    reply::insert(reply.headers_mut(), BUCKET_REGION, options.region_of(&bucket));
    reply.headers_mut().insert(ACCESS_POINT_ALIAS, HeaderValue::from_static("false"));
    Ok(reply)
}
