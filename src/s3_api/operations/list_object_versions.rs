//! ListObjectVersions.

use onggi_cluster::metadata::command::VersionSelector;
use onggi_cluster::metadata::query::{ListVersions, ListedVersion};
use onggi_cluster::metadata::record::VersionKind;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::listing::Listing;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::list_versions::{VersionEntry, VersionListing, VersionObject};
use crate::s3_api::{owner, version_id};
use crate::services::Services;

pub async fn list_object_versions(services: &Services, request: Request) -> Result<Reply> {
    let listing = Listing::parse(&request.query, "max-keys")?;
    let key_marker = request.query.get("key-marker").unwrap_or("");
    let version_marker = request.query.get("version-id-marker").unwrap_or("");
    let list = ListVersions {
        prefix: listing.prefix.clone(),
        delimiter: listing.delimiter.clone(),
        after: None,
        limit: listing.limit as usize,
    };
    let after = after(key_marker, version_marker)?;
    let bucket = request.bucket()?;
    let page = services.listing.versions(&request.principal, bucket, list, after).await?;

    let next_version = page.next.as_ref().and_then(|next| next.version).map(|version| version.to_string());
    let document = VersionListing {
        bucket: bucket.as_str(),
        prefix: &listing.prefix,
        delimiter: listing.delimiter.as_deref(),
        encoding: listing.encoding,
        max_keys: listing.limit,
        is_truncated: page.next.is_some(),
        key_marker,
        version_id_marker: version_marker,
        next_key_marker: page.next.as_ref().map(|next| next.key.as_str()),
        next_version_id_marker: next_version.as_deref(),
        owner: &owner::of(&request.principal),
        versions: page.versions.iter().map(entry).collect(),
        common_prefixes: &page.common_prefixes,
    };
    Ok(reply::xml(document.to_xml()))
}

fn after(key_marker: &str, version_marker: &str) -> Result<Option<(String, VersionSelector)>> {
    match (key_marker, version_marker) {
        ("", "") => Ok(None),
        ("", version) => {
            let message = "A version-id marker cannot be specified without a key marker.";
            Err(S3Error::invalid_argument(message, "version-id-marker", version))
        }
        (key, "") => Ok(Some((key.to_owned(), VersionSelector::Latest))),
        (key, version) => Ok(Some((key.to_owned(), version_id::parse(Some(version))?))),
    }
}

fn entry(version: &ListedVersion) -> VersionEntry<'_> {
    let record = &version.record;
    let object = match &record.kind {
        VersionKind::DeleteMarker => None,
        VersionKind::Object(object) => Some(VersionObject {
            etag: &object.etag,
            bytes: object.bytes,
            checksum: object.checksum.as_ref().map(|checksum| (checksum.algorithm, checksum.kind)),
        }),
    };
    VersionEntry {
        key: &version.key,
        version_id: version_id::text(record.version, record.is_null),
        is_latest: version.is_latest,
        modified_ms: record.modified_ms,
        object,
    }
}
