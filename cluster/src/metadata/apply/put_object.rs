//! PutObject.

use super::bucket_draft::BucketDraft;
use super::{Decision, Draft, condition, references};
use crate::id::OwnerKey;
use crate::metadata::command::PutObject;
use crate::metadata::outcome::Outcome;
use crate::metadata::record::ObjectRecord;

pub(super) fn put_object(draft: &mut Draft<'_>, owner: OwnerKey, put: &PutObject) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open_objects(draft, owner, put.bucket)?;
    condition::check(&put.condition, bucket.current_etag(&put.key)?.as_ref())?;

    references::name_new(bucket.draft, owner, &put.content)?;
    let object = ObjectRecord {
        bytes: put.content.bytes,
        etag: put.etag,
        content: put.content.content.clone(),
        checksum: put.checksum.clone(),
        headers: put.headers.clone(),
        tags: put.tags.clone(),
    };
    let written = bucket.write(&put.key, object, put.random)?;
    bucket.close(put.quota_bytes)?;
    Ok(Outcome::ObjectWritten(written))
}
