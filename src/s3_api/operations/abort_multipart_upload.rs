//! AbortMultipartUpload.

use http::StatusCode;

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn abort_multipart_upload(services: &Services, request: Request) -> Result<Reply> {
    services.multipart.abort(&request.principal, request.upload()?).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
