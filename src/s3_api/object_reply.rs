//! What replies say about an object: the headers that PutObject, GetObject and their neighbours share.

use http::header::ETAG;
use http::{HeaderMap, HeaderName, StatusCode};
use onggi_cluster::id::VersionId;
use onggi_cluster::metadata::outcome::ObjectWritten;
use onggi_cluster::metadata::record::{Checksum, ETag};

use crate::s3_api::reply::{self, Reply};
use crate::s3_api::service_error::VERSION_ID;
use crate::s3_api::{checksum, etag, version_id};

const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");

/// 200 for PutObject and its like.
pub fn written(written: &ObjectWritten) -> Reply {
    let mut reply = reply::empty(StatusCode::OK);
    reply::insert(reply.headers_mut(), ETAG, etag::quoted(&written.etag));
    write_version(reply.headers_mut(), written.versioned, written.version, written.is_null);
    write_checksum(reply.headers_mut(), written.checksum.as_ref(), &written.etag);
    reply
}

/// A bucket that never had versioning has no version ids to show.
pub fn write_version(headers: &mut HeaderMap, versioned: bool, version: VersionId, is_null: bool) {
    if versioned {
        reply::insert(headers, VERSION_ID, version_id::text(version, is_null));
    }
}

/// `etag`: of the same object; a composite checksum shows its count of parts.
pub fn write_checksum(headers: &mut HeaderMap, stored: Option<&Checksum>, etag: &ETag) {
    if let Some(stored) = stored {
        reply::insert(headers, checksum::header_name(stored.algorithm), checksum::text(stored, etag.parts));
        reply::insert(headers, CHECKSUM_TYPE, checksum::type_name(stored.kind));
    }
}

/// Parts show no type: it is a matter of the whole.
pub fn write_part_checksum(headers: &mut HeaderMap, stored: Option<&Checksum>) {
    if let Some(stored) = stored {
        reply::insert(headers, checksum::header_name(stored.algorithm), checksum::text(stored, None));
    }
}
