//! DeleteObject and DeleteObjects: each key is decided by itself, in the order given.

use super::bucket_draft::BucketDraft;
use super::{Decision, Draft, condition};
use crate::error::Result;
use crate::id::{BucketId, OwnerKey};
use crate::metadata::command::{DeleteObject, VersionSelector};
use crate::metadata::outcome::{ObjectDeleted, Outcome, Refusal};

pub(super) fn delete_objects(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    deletes: &[DeleteObject],
) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open_objects(draft, owner, bucket)?;
    let mut deleted = Vec::with_capacity(deletes.len());
    for delete in deletes {
        deleted.push(delete_object(&mut bucket, delete)?);
    }
    bucket.close(None)?;
    Ok(Outcome::ObjectsDeleted(deleted))
}

/// A version that is not there is deleted already: that is success, as is a missing key.
fn delete_object(bucket: &mut BucketDraft<'_, '_>, delete: &DeleteObject) -> Result<Result<ObjectDeleted, Refusal>> {
    if let Err(refusal) = condition::check(&delete.condition, bucket.current_etag(&delete.key)?.as_ref()) {
        return Ok(Err(refusal));
    }
    let deleted = match delete.version {
        VersionSelector::Latest => bucket.delete_latest(&delete.key, delete.random)?,
        VersionSelector::Null | VersionSelector::Id(_) => bucket.remove_version(&delete.key, delete.version)?,
    };
    Ok(Ok(deleted))
}
