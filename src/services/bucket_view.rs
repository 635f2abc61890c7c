//! Bucket view: what stands under the keys of a bucket, be it a bucket of objects or that of a drive.
//! Owns: which of the two is asked. In a drive's bucket a key is a path, and a folder is a key with a slash at its end.

use onggi_cluster::id::{OwnerKey, VersionId};
use onggi_cluster::metadata::command::VersionSelector;
use onggi_cluster::metadata::command::tree::At;
use onggi_cluster::metadata::key::{BucketSpace, TreeSpace};
use onggi_cluster::metadata::query::tree::as_bucket;
use onggi_cluster::metadata::query::{self, ListObjects, ListVersions, ObjectPage, VersionPage};
use onggi_cluster::metadata::record::tree::TreePath;
use onggi_cluster::metadata::record::{
    BucketRecord, Content, ETag, ObjectHeaders, ObjectRecord, Pairs, VersionKind, VersionRecord, Versioning,
};
use onggi_cluster::metadata::view::MetadataView;

use super::drive::name::{NameRule, relative_path};

/// MD5 of nothing.
pub(super) const EMPTY_ETAG: ETag = ETag {
    md5: [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e],
    parts: None,
};

/// What a key of a drive's bucket names.
pub(super) enum DriveKey {
    File(TreePath),
    Folder(TreePath),
}

impl DriveKey {
    pub(super) fn parse(key: &str) -> Result<Self, NameRule> {
        match key.strip_suffix('/') {
            Some(folder) => relative_path(folder).map(Self::Folder),
            None => relative_path(key).map(Self::File),
        }
    }
}

pub(super) fn is_drive(bucket: &BucketRecord) -> bool {
    bucket.versioning == Versioning::Revisions
}

pub(super) fn tree_of(owner: OwnerKey, bucket: &BucketRecord) -> TreeSpace {
    TreeSpace(BucketSpace::new(owner, bucket.id))
}

/// The selected version of a key, and whether it is the latest.
pub(super) fn version(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: &BucketRecord,
    key: &str,
    selector: VersionSelector,
) -> onggi_cluster::Result<Option<(VersionRecord, bool)>> {
    if !is_drive(bucket) {
        return query::version(view, owner, bucket.id, key, selector);
    }
    let tree = tree_of(owner, bucket);
    match DriveKey::parse(key) {
        Ok(DriveKey::File(path)) => as_bucket::version(view, tree, &path, selector),
        Ok(DriveKey::Folder(path)) if selector == VersionSelector::Latest => {
            let found = query::tree::find(view, tree, &At::Path(path))?;
            let folder = found.filter(|found| found.record.is_folder());
            Ok(folder.map(|found| (folder_version(found.record.created_ms), true)))
        }
        // What may not be a name is the name of nothing.
        Ok(DriveKey::Folder(_)) | Err(_) => Ok(None),
    }
}

/// Clients that know folders write and read them as empty objects.
fn folder_version(created_ms: u64) -> VersionRecord {
    let object = ObjectRecord {
        bytes: 0,
        etag: EMPTY_ETAG,
        content: Content::Empty,
        checksum: None,
        headers: ObjectHeaders::default(),
        tags: Pairs::new(),
    };
    VersionRecord {
        version: VersionId::new(0, 0),
        is_null: true,
        modified_ms: created_ms,
        kind: VersionKind::Object(object),
    }
}

pub(super) fn list_objects(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: &BucketRecord,
    list: &ListObjects,
) -> onggi_cluster::Result<ObjectPage> {
    match is_drive(bucket) {
        true => as_bucket::list_objects(view, tree_of(owner, bucket), list),
        false => query::list_objects(view, owner, bucket.id, list),
    }
}

pub(super) fn list_versions(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: &BucketRecord,
    list: &ListVersions,
) -> onggi_cluster::Result<VersionPage> {
    match is_drive(bucket) {
        true => as_bucket::list_versions(view, tree_of(owner, bucket), list),
        false => query::list_versions(view, owner, bucket.id, list),
    }
}
