//! PutObjectTagging.

use http::StatusCode;
use onggi_cluster::metadata::record::Versioning;

use crate::s3_api::error::Result;
use crate::s3_api::object_reply::write_version;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::tagging::check_object_tags;
use crate::s3_api::xml::bucket_settings;
use crate::services::Services;

pub async fn put_object_tagging(services: &Services, request: Request) -> Result<Reply> {
    let (target, version) = (request.object()?, request.version()?);
    let document = request.body.into_document(&request.headers, DocumentProof::Required).await?;
    let tags = bucket_settings::parse_tagging(&document)?;
    check_object_tags(&tags)?;
    let found = services.objects.set_tags(&request.principal, &target, version, tags).await?;
    let mut reply = reply::empty(StatusCode::OK);
    let versioned = found.bucket.versioning != Versioning::Never;
    write_version(reply.headers_mut(), versioned, found.version, found.is_null);
    Ok(reply)
}
