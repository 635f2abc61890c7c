//! DeleteObject.

use http::{HeaderValue, StatusCode};

use crate::s3_api::error::Result;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::service_error::{DELETE_MARKER, VERSION_ID};
use crate::s3_api::{conditional, version_id};
use crate::services::Services;
use crate::services::object_service::Deletion;

/// 204 also when there was nothing to delete.
pub async fn delete_object(services: &Services, request: Request) -> Result<Reply> {
    let target = request.object()?;
    let deletion = Deletion {
        key: target.key,
        version: request.version()?,
        condition: conditional::delete_condition(&request.headers)?,
    };
    let deleted = services.objects.delete(&request.principal, &target.bucket, deletion).await?;
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    if let Some(version) = deleted.version {
        reply::insert(reply.headers_mut(), VERSION_ID, version_id::text(version, deleted.is_null));
    }
    if deleted.delete_marker {
        reply.headers_mut().insert(DELETE_MARKER, HeaderValue::from_static("true"));
    }
    Ok(reply)
}
