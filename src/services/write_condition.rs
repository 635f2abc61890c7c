//! Write conditions, checked early: so that a write that cannot succeed is refused before its bytes are sent.
//! Does not own: the decision, which `apply` makes with the same function at the moment of the commit.

use onggi_cluster::id::{BucketId, OwnerKey};
use onggi_cluster::metadata::apply::condition;
use onggi_cluster::metadata::command::{VersionSelector, WriteCondition};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::VersionKind;
use onggi_cluster::metadata::view::MetadataView;

pub(super) fn check_early(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    key: &str,
    write_condition: &WriteCondition,
) -> onggi_cluster::Result<Result<(), Refusal>> {
    if *write_condition == WriteCondition::None {
        return Ok(Ok(()));
    }
    let latest = query::version(view, owner, bucket, key, VersionSelector::Latest)?;
    let current = latest.as_ref().and_then(|(version, _)| match &version.kind {
        VersionKind::Object(object) => Some(&object.etag),
        VersionKind::DeleteMarker => None,
    });
    Ok(condition::check(write_condition, current))
}
