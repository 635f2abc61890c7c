//! CopyObject and RenameObject: the new version names the same bytes.

use super::bucket_draft::BucketDraft;
use super::versions::written;
use super::{Decision, Draft, condition, references};
use crate::id::{BucketId, OwnerKey};
use crate::metadata::command::{CopyObject, VersionSelector, WriteCondition};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{ObjectRecord, VersionKind, Versioning};

pub(super) fn copy_object(draft: &mut Draft<'_>, owner: OwnerKey, copy: &CopyObject) -> Decision<Outcome> {
    let selector = VersionSelector::Id(copy.source_version);
    let source = query::version(draft.view(), owner, copy.source_bucket, &copy.source_key, selector)?;
    let Some(VersionKind::Object(source)) = source.map(|(source, _)| source.kind) else {
        return Err(Refusal::CopySourceGone.into());
    };
    let mut bucket = BucketDraft::open_objects(draft, owner, copy.bucket)?;
    condition::check(&copy.condition, bucket.current_etag(&copy.key)?.as_ref())?;

    // Named before the target's old version is released: that may be the source itself.
    references::name_again(bucket.draft, owner, &source.content)?;
    let object = ObjectRecord {
        bytes: source.bytes,
        etag: source.etag,
        content: source.content,
        checksum: copy.checksum.clone().or(source.checksum),
        headers: copy.headers.clone().unwrap_or(source.headers),
        tags: copy.tags.clone().unwrap_or(source.tags),
    };
    let written = bucket.write(&copy.key, object, copy.random)?;
    bucket.close(copy.quota_bytes)?;
    Ok(Outcome::ObjectWritten(written))
}

pub(super) struct Rename<'c> {
    pub(super) source: &'c str,
    pub(super) target: &'c str,
    pub(super) source_condition: &'c WriteCondition,
    pub(super) target_condition: &'c WriteCondition,
    pub(super) random: u64,
}

/// A copy to the target and a delete of the source in one step. With versioning on, the source keeps its versions behind
/// a delete marker.
pub(super) fn rename_object(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    rename: &Rename<'_>,
) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open_objects(draft, owner, bucket)?;
    condition::check(rename.source_condition, bucket.current_etag(rename.source)?.as_ref())?;
    condition::check(rename.target_condition, bucket.current_etag(rename.target)?.as_ref())?;
    let source = bucket.object(rename.source)?.ok_or(Refusal::NoSuchKey)?;
    if rename.source == rename.target {
        let versioned = bucket.record.versioning != Versioning::Never;
        return Ok(Outcome::ObjectWritten(written(&source, versioned)?));
    }
    let VersionKind::Object(object) = source.kind else {
        return Err(Refusal::NoSuchKey.into());
    };

    references::name_again(bucket.draft, owner, &object.content)?;
    let written = bucket.write(rename.target, object, rename.random)?;
    bucket.delete_latest(rename.source, rename.random)?;
    bucket.close(None)?;
    Ok(Outcome::ObjectWritten(written))
}
