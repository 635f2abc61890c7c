//! ListObjects, the older form.

use onggi_cluster::metadata::query::{After, ObjectPage};
use onggi_cluster::metadata::record::VersionKind;

use crate::s3_api::error::Result;
use crate::s3_api::listing::Listing;
use crate::s3_api::owner;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::elements::Owner;
use crate::s3_api::xml::list_objects::{ObjectEntry, ObjectListing};
use crate::services::{BucketName, Services};

pub async fn list_objects(services: &Services, request: Request) -> Result<Reply> {
    let listing = Listing::parse(&request.query, "max-keys")?;
    let marker = request.query.get("marker").unwrap_or("");
    let after = (!marker.is_empty()).then(|| After::Marker(marker.to_owned()));
    let bucket = request.bucket()?;
    let page = services.listing.objects(&request.principal, bucket, listing.objects(after)).await?;

    let owner = owner::of(&request.principal);
    let document = document(bucket, &listing, &page, Some(&owner));
    Ok(reply::xml(document.to_v1(marker, page.next.as_deref())))
}

/// What both forms answer.
pub(super) fn document<'a>(
    bucket: &'a BucketName,
    listing: &'a Listing,
    page: &'a ObjectPage,
    owner: Option<&'a Owner>,
) -> ObjectListing<'a> {
    ObjectListing {
        bucket: bucket.as_str(),
        prefix: &listing.prefix,
        delimiter: listing.delimiter.as_deref(),
        encoding: listing.encoding,
        max_keys: listing.limit,
        is_truncated: page.next.is_some(),
        objects: entries(page, owner),
        common_prefixes: &page.common_prefixes,
    }
}

/// Only objects are listed: a delete marker hides its key.
fn entries<'a>(page: &'a ObjectPage, owner: Option<&'a Owner>) -> Vec<ObjectEntry<'a>> {
    let objects = page.objects.iter().filter_map(|(key, version)| match &version.kind {
        VersionKind::Object(object) => Some((key, version.modified_ms, object)),
        VersionKind::DeleteMarker => None,
    });
    objects
        .map(|(key, modified_ms, object)| ObjectEntry {
            key,
            modified_ms,
            etag: &object.etag,
            bytes: object.bytes,
            checksum: object.checksum.as_ref().map(|checksum| (checksum.algorithm, checksum.kind)),
            owner,
        })
        .collect()
}
