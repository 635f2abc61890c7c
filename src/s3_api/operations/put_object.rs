//! PutObject.

use crate::s3_api::error::Result;
use crate::s3_api::reply::Reply;
use crate::s3_api::request::Request;
use crate::s3_api::{conditional, headers, object_reply};
use crate::services::Services;
use crate::services::object_service::PutOptions;

pub async fn put_object(services: &Services, request: Request) -> Result<Reply> {
    let target = request.object()?;
    let options = PutOptions {
        headers: headers::object_headers(&request.headers)?,
        tags: request.tags()?,
        condition: conditional::write_condition(&request.headers)?,
    };
    let body = request.body.into_upload(&request.headers)?;
    let written = services.objects.put(&request.principal, target, options, body).await?;
    Ok(object_reply::written(&written))
}
