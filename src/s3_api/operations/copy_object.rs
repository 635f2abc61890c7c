//! CopyObject.

use http::HeaderName;
use onggi_cluster::metadata::outcome::ObjectWritten;
use onggi_cluster::metadata::record::Versioning;

use crate::s3_api::checksum::request::requested_algorithm;
use crate::s3_api::conditional::{self, ReadConditions};
use crate::s3_api::copy_source::CopySource;
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::object_reply::write_version;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::{headers, keep_alive, tagging, version_id, xml};
use crate::services::object_service::CopyOptions;
use crate::services::{Error, FoundObject, ObjectKey, ObjectTarget, RESOLVE_ATTEMPTS_MAX, Services};

const COPY_SOURCE_VERSION_ID: HeaderName = HeaderName::from_static("x-amz-copy-source-version-id");
/// Of one CopyObject or one UploadPartCopy (Amazon S3 User Guide, "Copying objects").
const SOURCE_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
pub async fn copy_object(services: &Services, request: Request) -> Result<Reply> {
    let services = services.clone();
    keep_alive::keep_alive(request.id.clone(), async move { copy(&services, &request).await }).await
}

async fn copy(services: &Services, request: &Request) -> Result<Reply> {
    let target = request.object()?;
    let options = options(request)?;
    for _ in 0..RESOLVE_ATTEMPTS_MAX {
        let source = find_source(services, request).await?;
        if source.object.bytes > SOURCE_BYTES_MAX {
            let message =
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
            return Err(S3Error::invalid_request(message));
        }
        refuse_copy_to_itself(&source, &target, &options)?;
        match services.objects.copy(&request.principal, &source, target.clone(), options.clone()).await {
            Err(Error::Vanished) => continue,
            written => return Ok(copied(&source, &written?)),
        }
    }
    Err(Error::Vanished.into())
}

fn options(request: &Request) -> Result<CopyOptions> {
    let replaces = |name: &'static str| match request.header(name) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::invalid_argument(format!("Unknown directive in {name}."), name, other)),
    };
    let replaces_headers = replaces("x-amz-metadata-directive")?;
    let replaces_tags = replaces("x-amz-tagging-directive")?;
    Ok(CopyOptions {
        headers: if replaces_headers { Some(headers::object_headers(&request.headers)?) } else { None },
        tags: if replaces_tags {
            Some(tagging::parse_header(request.header("x-amz-tagging").unwrap_or(""))?)
        } else {
            None
        },
        condition: conditional::write_condition(&request.headers)?,
        checksum: requested_algorithm(&request.headers)?,
    })
}

/// The source of a copy, its own conditions checked.
pub(super) async fn find_source(services: &Services, request: &Request) -> Result<FoundObject> {
    let source = CopySource::parse(request.header("x-amz-copy-source").unwrap_or(""))?;
    let target = ObjectTarget { bucket: source.bucket, key: ObjectKey::parse(source.key)? };
    let found = match services.objects.find(&request.principal, &target, source.version).await {
        Err(Error::DeleteMarker { named: true, .. }) => {
            let message = "The source of a copy request may not specifically refer to a delete marker by version id.";
            return Err(S3Error::invalid_request(message));
        }
        found => found?,
    };
    ReadConditions::of_copy_source(&request.headers).require(&found.object.etag, found.modified_ms)?;
    Ok(found)
}

/// A copy onto itself that changes nothing is a mistake, unless it makes a new version.
fn refuse_copy_to_itself(source: &FoundObject, target: &ObjectTarget, options: &CopyOptions) -> Result<()> {
    let same_place = source.bucket.name == target.bucket.as_str() && source.key == target.key && source.is_latest;
    let changes = options.headers.is_some() || options.checksum.is_some();
    let makes_versions = matches!(source.bucket.versioning, Versioning::Enabled | Versioning::Revisions);
    if same_place && !changes && !makes_versions {
        return Err(S3Error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(())
}

fn copied(source: &FoundObject, written: &ObjectWritten) -> Reply {
    let document = xml::copy::object_copied(&written.etag, written.modified_ms, written.checksum.as_ref());
    let mut reply = reply::xml(document);
    write_version(reply.headers_mut(), written.versioned, written.version, written.is_null);
    write_source_version(&mut reply, source);
    reply
}

pub(super) fn write_source_version(reply: &mut Reply, source: &FoundObject) {
    if source.bucket.versioning != Versioning::Never {
        let version = version_id::text(source.version, source.is_null);
        reply::insert(reply.headers_mut(), COPY_SOURCE_VERSION_ID, version);
    }
}
