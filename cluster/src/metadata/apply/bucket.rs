//! Buckets in their owner's group: creation, deletion, settings.

use bytes::Bytes;
use std::ops::ControlFlow;

use super::bucket_draft::BucketDraft;
use super::{Decision, Draft, upload};
use crate::id::{BucketId, OwnerKey};
use crate::metadata::key::{BucketSpace, OwnerSpace};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::{self, ListUploads};
use crate::metadata::record::{BucketRecord, Counters, OwnerRecord, Pairs, Versioning};

/// What DeleteBucket aborts by itself. A bucket with more uploads, or with more parts in one of them, is not empty: one
/// log entry stays of bounded size.
const ABORTED_UPLOADS_MAX: usize = 1_000;
const ABORTED_PARTS_MAX: usize = 100_000;

pub(super) fn create(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    name: &str,
    location: &str,
    versioning: Versioning,
) -> Decision<Outcome> {
    let owner_space = OwnerSpace(owner);
    if let Some(standing) = query::bucket(draft.view(), owner, name)? {
        return Ok(Outcome::BucketCreated { bucket: standing.id });
    }
    let mut owner_record: OwnerRecord = draft.get(&owner_space.owner())?.unwrap_or_default();
    owner_record.last_bucket += 1;
    let id = BucketId(owner_record.last_bucket);
    let record = BucketRecord {
        id,
        name: name.to_owned(),
        created_ms: draft.time_ms,
        location: location.to_owned(),
        versioning,
        tags: Pairs::new(),
        cors: Bytes::new(),
    };
    draft.put(owner_space.owner(), &owner_record);
    draft.put(owner_space.bucket_name(name), &id);
    draft.put(BucketSpace::new(owner, id).bucket(), &record);
    Ok(Outcome::BucketCreated { bucket: id })
}

/// Refused while a version or delete marker is left. Uploads in progress do not keep a bucket: they are aborted.
pub(super) fn delete(draft: &mut Draft<'_>, owner: OwnerKey, bucket: BucketId) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open_objects(draft, owner, bucket)?;
    let space = bucket.space;
    let counters: Counters = bucket.draft.get(&space.counters())?.unwrap_or_default();
    if counters.versions > 0 || counters.delete_markers > 0 {
        return Err(Refusal::BucketNotEmpty.into());
    }
    abort_uploads(&mut bucket)?;
    let name = bucket.record.name.clone();
    bucket.close(None)?;

    for key in keys_of_completed_uploads(draft, space)? {
        draft.delete(key);
    }
    draft.delete(space.counters());
    draft.delete(space.bucket());
    draft.delete(OwnerSpace(owner).bucket_name(&name));
    Ok(Outcome::Done)
}

fn abort_uploads(bucket: &mut BucketDraft<'_, '_>) -> Decision<()> {
    let (owner, id) = (bucket.space.owner, bucket.space.bucket);
    let all = ListUploads { limit: ABORTED_UPLOADS_MAX, ..ListUploads::default() };
    let page = query::list_uploads(bucket.draft.view(), owner, id, &all)?;
    if page.next.is_some() {
        return Err(Refusal::BucketNotEmpty.into());
    }
    let mut parts_left = ABORTED_PARTS_MAX;
    for standing in page.uploads {
        let parts = query::parts(bucket.draft.view(), owner, id, standing.upload, 0, parts_left + 1)?;
        parts_left = parts_left.checked_sub(parts.len()).ok_or(Refusal::BucketNotEmpty)?;
        upload::remove_parts(bucket, standing.upload, &parts)?;
        upload::remove_upload(bucket, &standing);
    }
    Ok(())
}

/// At most those of a day, and those that no later completion has cleared away.
fn keys_of_completed_uploads(draft: &Draft<'_>, space: BucketSpace) -> Decision<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    draft.view().scan(space.completed_uploads().bounds(), &mut |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(keys)
}

/// A bucket that had versioning once can only suspend it. That of a tree stays as it is.
pub(super) fn set_versioning(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    versioning: Versioning,
) -> Decision<Outcome> {
    let BucketDraft { draft, space, mut record, .. } = BucketDraft::open_objects(draft, owner, bucket)?;
    record.versioning = match (record.versioning, versioning) {
        (_, Versioning::Revisions) => return Err(Refusal::WrongBucketKind.into()),
        (Versioning::Never, Versioning::Never) => Versioning::Never,
        (_, Versioning::Enabled) => Versioning::Enabled,
        (_, Versioning::Suspended | Versioning::Never) => Versioning::Suspended,
    };
    draft.put(space.bucket(), &record);
    Ok(Outcome::Done)
}

pub(super) fn set_tags(draft: &mut Draft<'_>, owner: OwnerKey, bucket: BucketId, tags: &Pairs) -> Decision<Outcome> {
    change_settings(draft, owner, bucket, |record| record.tags = tags.clone())
}

pub(super) fn set_cors(draft: &mut Draft<'_>, owner: OwnerKey, bucket: BucketId, cors: &Bytes) -> Decision<Outcome> {
    change_settings(draft, owner, bucket, |record| record.cors = cors.clone())
}

fn change_settings(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    change: impl FnOnce(&mut BucketRecord),
) -> Decision<Outcome> {
    let BucketDraft { draft, space, mut record, .. } = BucketDraft::open(draft, owner, bucket)?;
    change(&mut record);
    draft.put(space.bucket(), &record);
    Ok(Outcome::Done)
}
