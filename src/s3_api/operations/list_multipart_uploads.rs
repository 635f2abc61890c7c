//! ListMultipartUploads.

use onggi_cluster::id::UploadId;
use onggi_cluster::metadata::query::{ListUploads, UploadsAfter};
use onggi_cluster::metadata::record::UploadRecord;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::listing::Listing;
use crate::s3_api::owner;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::list_uploads::{UploadEntry, UploadListing};
use crate::services::Services;

pub async fn list_multipart_uploads(services: &Services, request: Request) -> Result<Reply> {
    let listing = Listing::parse(&request.query, "max-uploads")?;
    let key_marker = request.query.get("key-marker").unwrap_or("");
    let upload_marker = request.query.get("upload-id-marker").unwrap_or("");
    let list = ListUploads {
        prefix: listing.prefix.clone(),
        delimiter: listing.delimiter.clone(),
        after: after(key_marker, upload_marker)?,
        limit: listing.limit as usize,
    };
    let bucket = request.bucket()?;
    let page = services.listing.uploads(&request.principal, bucket, list).await?;

    let next_upload = page.next.as_ref().and_then(|next| next.upload).map(|upload| upload.to_string());
    let document = UploadListing {
        bucket: bucket.as_str(),
        prefix: &listing.prefix,
        delimiter: listing.delimiter.as_deref(),
        encoding: listing.encoding,
        max_uploads: listing.limit,
        is_truncated: page.next.is_some(),
        key_marker,
        upload_id_marker: upload_marker,
        next_key_marker: page.next.as_ref().map(|next| next.key.as_str()),
        next_upload_id_marker: next_upload.as_deref(),
        owner: &owner::of(&request.principal),
        uploads: page.uploads.iter().map(entry).collect(),
        common_prefixes: &page.common_prefixes,
    };
    Ok(reply::xml(document.to_xml()))
}

/// An upload marker counts only together with a key marker.
fn after(key_marker: &str, upload_marker: &str) -> Result<Option<UploadsAfter>> {
    if key_marker.is_empty() {
        return Ok(None);
    }
    let invalid = || S3Error::invalid_argument("Invalid uploadId marker", "upload-id-marker", upload_marker);
    let upload = match upload_marker {
        "" => None,
        text => Some(UploadId::parse(text).ok_or_else(invalid)?),
    };
    Ok(Some(UploadsAfter { key: key_marker.to_owned(), upload }))
}

fn entry(upload: &UploadRecord) -> UploadEntry<'_> {
    UploadEntry {
        key: &upload.key,
        upload_id: upload.upload.to_string(),
        initiated_ms: upload.initiated_ms,
        checksum: upload.checksum,
    }
}
