//! Versions of one key: the latest, the null one, or a named one.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::{BucketId, OwnerKey};
use crate::metadata::command::VersionSelector;
use crate::metadata::key::BucketSpace;
use crate::metadata::record::VersionRecord;
use crate::metadata::view::{MetadataView, record};

/// The selected version and whether it is the latest. The latest may be a delete marker.
pub fn version(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    key: &str,
    selector: VersionSelector,
) -> Result<Option<(VersionRecord, bool)>> {
    let space = BucketSpace::new(owner, bucket);
    let object: Option<VersionRecord> = record(view, &space.object(key))?;
    let other = match (selector, object) {
        (VersionSelector::Latest, Some(object)) => return Ok(Some((object, true))),
        (VersionSelector::Latest, None) => return Ok(newest_other(view, space, key)?.map(|newest| (newest, true))),
        (VersionSelector::Null, Some(object)) if object.is_null => return Ok(Some((object, true))),
        (VersionSelector::Id(id), Some(object)) if object.version == id => return Ok(Some((object, true))),
        (VersionSelector::Null, object) => record(view, &space.null_version(key))?.map(|id| (id, object.is_some())),
        (VersionSelector::Id(id), object) => Some((id, object.is_some())),
    };
    let Some((id, has_object)) = other else {
        return Ok(None);
    };
    let Some(found) = record::<VersionRecord>(view, &space.version(key, id))? else {
        return Ok(None);
    };
    let is_latest = !has_object && newest_other(view, space, key)?.is_some_and(|newest| newest.version == id);
    Ok(Some((found, is_latest)))
}

/// The newest version that does not stand in `object`. If the key has no `object`, this is the latest: a delete marker.
pub(crate) fn newest_other(view: &dyn MetadataView, space: BucketSpace, key: &str) -> Result<Option<VersionRecord>> {
    let mut newest = None;
    view.scan(space.versions_of(key).bounds(), &mut |_, value| {
        newest = Some(VersionRecord::from_bytes(value));
        ControlFlow::Break(())
    })?;
    Ok(newest.transpose()?)
}
