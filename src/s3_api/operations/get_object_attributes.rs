//! GetObjectAttributes.

use http::header::LAST_MODIFIED;
use onggi_cluster::metadata::record::{PartRecord, Versioning};

use crate::s3_api::error::Result;
use crate::s3_api::object_reply::write_version;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::object_attributes::{AttributePart, AttributeParts, ObjectAttributes, WantedAttributes};
use crate::s3_api::{listing, timestamp};
use crate::services::{FoundObject, Services};

pub async fn get_object_attributes(services: &Services, request: Request) -> Result<Reply> {
    let wanted = WantedAttributes::parse(&request.headers)?;
    let found = services.objects.find(&request.principal, &request.object()?, request.version()?).await?;
    let parts = if wanted.parts { part_page(services, &request, &found).await? } else { None };

    let document = ObjectAttributes {
        wanted,
        etag: &found.object.etag,
        bytes: found.object.bytes,
        checksum: found.object.checksum.as_ref(),
        parts: parts.as_ref().map(PartPage::document),
    };
    let mut reply = reply::xml(document.to_xml());
    reply::insert(reply.headers_mut(), LAST_MODIFIED, timestamp::http_date(found.modified_ms));
    let versioned = found.bucket.versioning != Versioning::Never;
    write_version(reply.headers_mut(), versioned, found.version, found.is_null);
    Ok(reply)
}

struct PartPage {
    marker: u16,
    limit: u32,
    parts: Vec<PartRecord>,
    is_truncated: bool,
}

/// Only an object of a multipart upload has parts.
async fn part_page(services: &Services, request: &Request, found: &FoundObject) -> Result<Option<PartPage>> {
    if found.part_count().is_none() {
        return Ok(None);
    }
    let marker = request.number_header::<u16>("x-amz-part-number-marker")?.unwrap_or(0);
    let limit = request.number_header::<u32>("x-amz-max-parts")?.unwrap_or(listing::ENTRIES_MAX);
    let limit = limit.min(listing::ENTRIES_MAX);
    let mut parts = services.objects.parts(found, marker, limit as usize + 1).await?;
    let is_truncated = parts.len() > limit as usize;
    parts.truncate(limit as usize);
    Ok(Some(PartPage { marker, limit, parts, is_truncated }))
}

impl PartPage {
    fn document(&self) -> AttributeParts<'_> {
        let with_checksum = self.parts.iter().filter_map(|part| Some((part, part.checksum.as_ref()?)));
        AttributeParts {
            part_number_marker: u32::from(self.marker),
            max_parts: self.limit,
            is_truncated: self.is_truncated,
            parts: with_checksum
                .map(|(part, checksum)| AttributePart { number: part.number, bytes: part.bytes, checksum })
                .collect(),
        }
    }
}
