//! Write conditions, checked early: so that a write that cannot succeed is refused before its bytes are sent.
//! Does not own: the decision, which `apply` makes with the same function at the moment of the commit.

use onggi_cluster::id::OwnerKey;
use onggi_cluster::metadata::apply::condition;
use onggi_cluster::metadata::command::{VersionSelector, WriteCondition};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::{BucketRecord, VersionKind};
use onggi_cluster::metadata::view::MetadataView;

use super::bucket_view;

pub(super) fn check_early(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: &BucketRecord,
    key: &str,
    write_condition: &WriteCondition,
) -> onggi_cluster::Result<Result<(), Refusal>> {
    if *write_condition == WriteCondition::None {
        return Ok(Ok(()));
    }
    let latest = bucket_view::version(view, owner, bucket, key, VersionSelector::Latest)?;
    let current = latest.as_ref().and_then(|(version, _)| match &version.kind {
        VersionKind::Object(object) => Some(&object.etag),
        VersionKind::DeleteMarker => None,
    });
    Ok(condition::check(write_condition, current))
}
