//! ListParts.

use onggi_cluster::metadata::record::PartRecord;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::multipart::{PartEntry, PartListing};
use crate::s3_api::{listing, owner};
use crate::services::Services;

pub async fn list_parts(services: &Services, request: Request) -> Result<Reply> {
    let target = request.upload()?;
    let limit = listing::limit(&request.query, "max-parts", listing::ENTRIES_MAX)?;
    let marker = marker(request.query.get("part-number-marker"))?;
    let page = services.multipart.parts(&request.principal, &target, marker, limit as usize).await?;

    let document = PartListing {
        bucket: target.target.bucket.as_str(),
        key: target.target.key.as_str(),
        upload_id: &target.upload.to_string(),
        part_number_marker: u32::from(marker),
        max_parts: limit,
        is_truncated: page.is_truncated,
        owner: &owner::of(&request.principal),
        checksum: page.upload.checksum,
        parts: page.parts.iter().map(entry).collect(),
    };
    Ok(reply::xml(document.to_xml()))
}

fn marker(text: Option<&str>) -> Result<u16> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(0) };
    // Past the last part number there is nothing, however far.
    text.parse::<u32>().map(|marker| u16::try_from(marker).unwrap_or(u16::MAX)).map_err(|_| {
        let message = "Provided part-number-marker not an integer or within integer range";
        S3Error::invalid_argument(message, "part-number-marker", text)
    })
}

fn entry(part: &PartRecord) -> PartEntry<'_> {
    PartEntry {
        number: part.number,
        modified_ms: part.modified_ms,
        md5: part.md5,
        bytes: part.bytes,
        checksum: part.checksum.as_ref(),
    }
}
