//! CompleteMultipartUpload: the parts become an object where they are.
//! Owns: which parts may make an object, the replay of a completion, the end of the parts left out.
//! Invariant: a refused completion leaves the upload and all its parts as they were.

use md5::{Digest, Md5};
use onggi_storage_engine::format::Record;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::bucket_draft::{BucketDraft, signed};
use super::upload::{self, PARTS_MAX};
use super::{Decision, Draft, condition, references, whole_checksum};
use crate::error::Result;
use crate::id::{OwnerKey, UploadId};
use crate::metadata::command::{CompleteUpload, PartReference};
use crate::metadata::outcome::{ObjectWritten, Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{
    Checksum, ChecksumType, CompletedUploadRecord, Content, ETag, ManifestRecord, ObjectRecord, PartRecord,
    UploadRecord,
};

/// Amazon S3's limits: a part but the last, and an object.
const PART_BYTES_MIN: u64 = 5 << 20;
const OBJECT_BYTES_MAX: u64 = 5 << 40;

/// How long a replay is answered. A client that retries does so within minutes.
const REPLAY_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// Records past that age which one completion clears away: more than one, so that they do not pile up.
const REPLAYS_CLEARED_MAX: usize = 4;

/// What completes which upload: of an object, or of a file in a tree.
pub(super) struct Completion<'c> {
    pub(super) key: &'c str,
    pub(super) upload: UploadId,
    pub(super) parts: &'c [PartReference],
    pub(super) checksum: Option<&'c Checksum>,
    pub(super) checksum_type: Option<ChecksumType>,
    pub(super) expected_bytes: Option<u64>,
}

pub(super) fn complete_upload(draft: &mut Draft<'_>, owner: OwnerKey, complete: &CompleteUpload) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open_objects(draft, owner, complete.bucket)?;
    let completion = Completion {
        key: &complete.key,
        upload: complete.upload,
        parts: &complete.parts,
        checksum: complete.checksum.as_ref(),
        checksum_type: complete.checksum_type,
        expected_bytes: complete.expected_bytes,
    };
    let Some(upload) = standing(&bucket, &completion)? else {
        return replay(&bucket, &completion);
    };
    condition::check(&complete.condition, bucket.current_etag(&complete.key)?.as_ref())?;
    let object = assemble(&mut bucket, upload, &completion)?;
    let written = bucket.write(&complete.key, object, complete.random)?;
    remember(&mut bucket, &completion, &written)?;
    bucket.close(None)?;
    Ok(Outcome::ObjectWritten(written))
}

pub(super) fn standing(bucket: &BucketDraft<'_, '_>, completion: &Completion<'_>) -> Result<Option<UploadRecord>> {
    bucket.draft.get(&bucket.space.upload(completion.key, completion.upload))
}

/// Ends the upload: its parts get a manifest, which the object names.
pub(super) fn assemble(
    bucket: &mut BucketDraft<'_, '_>,
    upload: UploadRecord,
    completion: &Completion<'_>,
) -> Decision<ObjectRecord> {
    let space = bucket.space;
    let stored = query::parts(bucket.draft.view(), space.owner, space.bucket, upload.upload, 0, PARTS_MAX)?;
    let mut unselected: BTreeMap<u16, PartRecord> = stored.into_iter().map(|part| (part.number, part)).collect();
    let selected = select(completion.parts, &mut unselected)?;
    let bytes = checked_bytes(&selected, completion.expected_bytes)?;
    let checksum = whole_checksum::checked(&upload, completion, &selected)?;
    let etag = etag_of_parts(&selected);

    let unselected: Vec<PartRecord> = unselected.into_values().collect();
    upload::remove_parts(bucket, upload.upload, &unselected)?;
    upload::remove_upload(bucket, &upload);
    // The bytes of the selected parts are counted with the object from now on.
    bucket.change.bytes -= signed(bytes);

    let manifest = ManifestRecord { parts: selected.iter().map(|part| (part.number, part.bytes)).collect() };
    bucket.draft.put(space.manifest(upload.upload), &manifest);
    let content = Content::Parts { bucket: space.bucket, upload: upload.upload };
    references::name_again(bucket.draft, space.owner, &content)?;
    Ok(ObjectRecord { bytes, etag, content, checksum, headers: upload.headers, tags: upload.tags })
}

/// Takes the parts that the client listed out of `stored`.
fn select(listed: &[PartReference], stored: &mut BTreeMap<u16, PartRecord>) -> Result<Vec<PartRecord>, Refusal> {
    let is_ascending = listed.windows(2).all(|pair| pair[0].number < pair[1].number);
    if !is_ascending {
        return Err(Refusal::InvalidPartOrder);
    }
    if listed.is_empty() {
        return Err(Refusal::InvalidPart { number: 0 });
    }
    let mut selected = Vec::with_capacity(listed.len());
    for reference in listed {
        let invalid = Refusal::InvalidPart { number: reference.number };
        let part = stored.remove(&reference.number).ok_or(invalid.clone())?;
        let is_same = part.md5 == reference.md5
            && (reference.checksum.is_none()
                || reference.checksum.as_ref().map(|given| (given.algorithm, &given.value))
                    == part.checksum.as_ref().map(|kept| (kept.algorithm, &kept.value)));
        if !is_same {
            return Err(invalid);
        }
        selected.push(part);
    }
    Ok(selected)
}

fn checked_bytes(parts: &[PartRecord], expected_bytes: Option<u64>) -> Result<u64, Refusal> {
    let but_last = &parts[..parts.len().saturating_sub(1)];
    if let Some(small) = but_last.iter().find(|part| part.bytes < PART_BYTES_MIN) {
        return Err(Refusal::PartTooSmall { number: small.number, bytes: small.bytes });
    }
    let bytes = parts.iter().map(|part| part.bytes).sum();
    if bytes > OBJECT_BYTES_MAX {
        return Err(Refusal::ObjectTooLarge);
    }
    if expected_bytes.is_some_and(|expected_bytes| expected_bytes != bytes) {
        return Err(Refusal::SizeMismatch);
    }
    Ok(bytes)
}

/// The MD5 of the parts' MD5s, and how many they are.
fn etag_of_parts(parts: &[PartRecord]) -> ETag {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part.md5);
    }
    ETag { md5: md5.finalize().into(), parts: Some(parts.len() as u32) }
}

/// A completion that is done already is answered as it was, whatever happened to the key since.
pub(super) fn replay(bucket: &BucketDraft<'_, '_>, completion: &Completion<'_>) -> Decision<Outcome> {
    let done: Option<CompletedUploadRecord> = bucket.draft.get(&bucket.space.completed_upload(completion.upload))?;
    let done = done.filter(|done| done.key == completion.key).ok_or(Refusal::NoSuchUpload)?;
    Ok(Outcome::ObjectWritten(ObjectWritten {
        version: done.version,
        is_null: done.is_null,
        versioned: done.versioned,
        etag: done.etag,
        modified_ms: done.completed_ms,
        checksum: done.checksum,
        bytes: done.bytes,
    }))
}

pub(super) fn remember(
    bucket: &mut BucketDraft<'_, '_>,
    completion: &Completion<'_>,
    written: &ObjectWritten,
) -> Result<()> {
    for key in replays_to_clear(bucket)? {
        bucket.draft.delete(key);
    }
    let done = CompletedUploadRecord {
        key: completion.key.to_owned(),
        completed_ms: written.modified_ms,
        version: written.version,
        is_null: written.is_null,
        versioned: written.versioned,
        etag: written.etag,
        bytes: written.bytes,
        checksum: written.checksum.clone(),
    };
    bucket.draft.put(bucket.space.completed_upload(completion.upload), &done);
    Ok(())
}

/// Upload ids begin with the time, so the oldest come first.
fn replays_to_clear(bucket: &BucketDraft<'_, '_>) -> Result<Vec<Vec<u8>>> {
    let now_ms = bucket.draft.time_ms;
    let mut old = Vec::new();
    let mut unreadable = None;
    bucket.draft.view().scan(bucket.space.completed_uploads().bounds(), &mut |key, value| {
        match CompletedUploadRecord::from_bytes(value) {
            Ok(done) if old.len() < REPLAYS_CLEARED_MAX && done.completed_ms + REPLAY_MS_MAX < now_ms => {
                old.push(key.to_vec());
                return ControlFlow::Continue(());
            }
            Ok(_) => {}
            Err(error) => unreadable = Some(error),
        }
        ControlFlow::Break(())
    })?;
    unreadable.map_or(Ok(old), |error| Err(error.into()))
}
