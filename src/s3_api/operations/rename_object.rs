//! RenameObject.

use http::StatusCode;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::{conditional, copy_source};
use crate::services::object_service::RenameOptions;
use crate::services::{ObjectKey, Services};

pub async fn rename_object(services: &Services, request: Request) -> Result<Reply> {
    let target = request.object()?;
    let Some(source) = request.header("x-amz-rename-source") else {
        return Err(S3Error::invalid_request("Missing required header for this request: x-amz-rename-source"));
    };
    let options = RenameOptions {
        source: ObjectKey::parse(copy_source::rename_source(source, &target.bucket)?)?,
        source_condition: conditional::rename_source_condition(&request.headers)?,
        target_condition: conditional::write_condition(&request.headers)?,
    };
    services.objects.rename(&request.principal, target, options).await?;
    Ok(reply::empty(StatusCode::OK))
}
