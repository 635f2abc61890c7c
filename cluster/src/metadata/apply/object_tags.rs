//! PutObjectTagging and DeleteObjectTagging: the tags of a version change in place; nothing else of it does.

use super::bucket_draft::BucketDraft;
use super::{Decision, Draft};
use crate::id::{BucketId, OwnerKey};
use crate::metadata::command::VersionSelector;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{Pairs, VersionKind};

pub(super) fn set_object_tags(
    draft: &mut Draft<'_>,
    owner: OwnerKey,
    bucket: BucketId,
    key: &str,
    selector: VersionSelector,
    tags: &Pairs,
) -> Decision<Outcome> {
    let mut bucket = BucketDraft::open_objects(draft, owner, bucket)?;
    let is_latest_asked = selector == VersionSelector::Latest;
    let found = query::version(bucket.draft.view(), owner, bucket.space.bucket, key, selector)?;
    let missing = if is_latest_asked { Refusal::NoSuchKey } else { Refusal::NoSuchVersion };
    let (mut record, _) = found.ok_or(missing)?;
    match &mut record.kind {
        VersionKind::Object(object) => object.tags = tags.clone(),
        VersionKind::DeleteMarker if is_latest_asked => return Err(Refusal::NoSuchKey.into()),
        VersionKind::DeleteMarker => return Err(Refusal::DeleteMarker.into()),
    }
    bucket.replace_in_place(key, &record)?;
    Ok(Outcome::TagsSet { version: record.version, is_null: record.is_null })
}
