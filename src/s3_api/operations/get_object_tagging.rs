//! GetObjectTagging.

use onggi_cluster::metadata::record::Versioning;

use crate::s3_api::error::Result;
use crate::s3_api::object_reply::write_version;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

/// An object without tags has an empty set.
pub async fn get_object_tagging(services: &Services, request: Request) -> Result<Reply> {
    let found = services.objects.find(&request.principal, &request.object()?, request.version()?).await?;
    let mut reply = reply::xml(bucket_settings::tagging(&found.object.tags));
    let versioned = found.bucket.versioning != Versioning::Never;
    write_version(reply.headers_mut(), versioned, found.version, found.is_null);
    Ok(reply)
}
