//! Multipart uploads, their parts, and what they became.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::{BlobId, BucketId, OwnerKey, UploadId};
use crate::metadata::key::{BucketSpace, OwnerSpace, Referent};
use crate::metadata::record::{CompletedUploadRecord, ManifestRecord, PartRecord, ReferenceRecord, UploadRecord};
use crate::metadata::view::{MetadataView, record};

pub fn upload(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    key: &str,
    upload: UploadId,
) -> Result<Option<UploadRecord>> {
    record(view, &BucketSpace::new(owner, bucket).upload(key, upload))
}

/// Parts of an upload in progress or of the object it became, from number `after + 1` on.
pub fn parts(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    upload: UploadId,
    after: u16,
    limit: usize,
) -> Result<Vec<PartRecord>> {
    let space = BucketSpace::new(owner, bucket);
    let Some(first) = after.checked_add(1) else {
        return Ok(Vec::new());
    };
    let mut parts = Vec::new();
    view.scan(space.parts_of(upload).starting_at(space.part(upload, first)).bounds(), &mut |_, value| {
        if parts.len() == limit {
            return ControlFlow::Break(());
        }
        parts.push(PartRecord::from_bytes(value));
        ControlFlow::Continue(())
    })?;
    Ok(parts.into_iter().collect::<Result<_, _>>()?)
}

pub fn part(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    upload: UploadId,
    number: u16,
) -> Result<Option<PartRecord>> {
    record(view, &BucketSpace::new(owner, bucket).part(upload, number))
}

/// `bucket` is the one in `Content::Parts`: a copy in another bucket names the manifest where it was made.
pub fn manifest(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    upload: UploadId,
) -> Result<Option<ManifestRecord>> {
    record(view, &BucketSpace::new(owner, bucket).manifest(upload))
}

pub fn completed_upload(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    upload: UploadId,
) -> Result<Option<CompletedUploadRecord>> {
    record(view, &BucketSpace::new(owner, bucket).completed_upload(upload))
}

/// Whether a version or a part names the blob. Its chunks may go if not, and if no request is still bringing them.
pub fn blob_is_named(view: &dyn MetadataView, blob: BlobId) -> Result<bool> {
    let reference: Option<ReferenceRecord> = record(view, &OwnerSpace(blob.owner()).reference(&Referent::Blob(blob)))?;
    Ok(reference.is_some())
}
