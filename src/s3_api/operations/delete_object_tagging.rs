//! DeleteObjectTagging.

use http::StatusCode;
use onggi_cluster::metadata::record::{Pairs, Versioning};

use crate::s3_api::error::Result;
use crate::s3_api::object_reply::write_version;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn delete_object_tagging(services: &Services, request: Request) -> Result<Reply> {
    let target = request.object()?;
    let found = services.objects.set_tags(&request.principal, &target, request.version()?, Pairs::new()).await?;
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    let versioned = found.bucket.versioning != Versioning::Never;
    write_version(reply.headers_mut(), versioned, found.version, found.is_null);
    Ok(reply)
}
