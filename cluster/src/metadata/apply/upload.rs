//! CreateMultipartUpload, UploadPart, AbortMultipartUpload.

use super::bucket_draft::{BucketDraft, signed};
use super::{Decision, Draft, references};
use crate::error::Result;
use crate::id::{BucketId, OwnerKey, UploadId};
use crate::metadata::command::NewPart;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{ChecksumAlgorithm, ChecksumType, ObjectHeaders, Pairs, PartRecord, UploadRecord};

/// Part numbers go from 1 to 10,000.
pub(super) const PARTS_MAX: usize = 10_000;

/// An upload is named by its key and its id together.
#[derive(Clone, Copy)]
pub(super) struct At<'c> {
    pub(super) key: &'c str,
    pub(super) upload: UploadId,
}

pub(super) struct NewUpload<'c> {
    pub(super) upload: UploadId,
    pub(super) key: &'c str,
    pub(super) headers: &'c ObjectHeaders,
    pub(super) tags: &'c Pairs,
    pub(super) checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

pub(super) fn create_upload(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    new: &NewUpload<'_>,
) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open(draft, owner, bucket)?;
    let record = UploadRecord {
        upload: new.upload,
        key: new.key.to_owned(),
        initiated_ms: bucket.draft.time_ms,
        headers: new.headers.clone(),
        tags: new.tags.clone(),
        checksum: new.checksum,
    };
    bucket.draft.put(bucket.space.upload(new.key, new.upload), &record);
    bucket.change.uploads += 1;
    bucket.close(None)?;
    Ok(Outcome::UploadCreated { upload: new.upload })
}

/// A part of the same number is replaced.
pub(super) fn put_part(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    at: At<'_>,
    new: &NewPart,
    quota_bytes: Option<u64>,
) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open(draft, owner, bucket)?;
    let upload = standing(&bucket, at)?;
    if let Some((bound, _)) = upload.checksum {
        // Complete can then count on every part having the checksum of which the object's is made.
        let is_bound_one = new.checksum.as_ref().is_some_and(|given| given.algorithm == bound);
        if !is_bound_one {
            return Err(Refusal::ChecksumAlgorithmMismatch.into());
        }
    }

    let place = bucket.space.part(at.upload, new.number);
    let replaced: Option<PartRecord> = bucket.draft.get(&place)?;
    references::name_new(bucket.draft, owner, &new.content)?;
    let record = PartRecord {
        number: new.number,
        bytes: new.content.bytes,
        md5: new.md5,
        modified_ms: bucket.draft.time_ms,
        content: new.content.content.clone(),
        checksum: new.checksum.clone(),
    };
    bucket.draft.put(place, &record);
    bucket.change.bytes += signed(record.bytes);
    if let Some(replaced) = replaced {
        bucket.change.bytes -= signed(replaced.bytes);
        references::release(bucket.draft, owner, &replaced.content)?;
    }
    bucket.close(quota_bytes)?;
    Ok(Outcome::Done)
}

pub(super) fn abort_upload(draft: &mut Draft<'_>, owner: OwnerKey, bucket: BucketId, at: At<'_>) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open(draft, owner, bucket)?;
    let upload = standing(&bucket, at)?;
    let parts = query::parts(bucket.draft.view(), owner, bucket.space.bucket, at.upload, 0, PARTS_MAX)?;
    remove_parts(&mut bucket, at.upload, &parts)?;
    remove_upload(&mut bucket, &upload);
    bucket.close(None)?;
    Ok(Outcome::Done)
}

pub(super) fn standing(bucket: &BucketDraft<'_, '_>, at: At<'_>) -> Decision<UploadRecord> {
    Ok(bucket.draft.get(&bucket.space.upload(at.key, at.upload))?.ok_or(Refusal::NoSuchUpload)?)
}

/// The parts are gone, and their bytes lose a name.
pub(super) fn remove_parts(bucket: &mut BucketDraft<'_, '_>, upload: UploadId, parts: &[PartRecord]) -> Result<()> {
    for part in parts {
        bucket.draft.delete(bucket.space.part(upload, part.number));
        bucket.change.bytes -= signed(part.bytes);
        references::release(bucket.draft, bucket.space.owner, &part.content)?;
    }
    Ok(())
}

/// The upload is no longer in progress.
pub(super) fn remove_upload(bucket: &mut BucketDraft<'_, '_>, upload: &UploadRecord) {
    bucket.draft.delete(bucket.space.upload(&upload.key, upload.upload));
    bucket.change.uploads -= 1;
}
