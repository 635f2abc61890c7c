//! Keys of one bucket: `0x02 ‖ owner (8) ‖ bucket (8) ‖ table ‖ …`.

use super::escape;
use super::{join, space, table};
use crate::id::{BucketId, OwnerKey, UploadId, VersionId};
use crate::metadata::view::KeyRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketSpace {
    pub owner: OwnerKey,
    pub bucket: BucketId,
}

impl BucketSpace {
    pub fn new(owner: OwnerKey, bucket: BucketId) -> Self {
        Self { owner, bucket }
    }

    pub fn bucket(self) -> Vec<u8> {
        self.table(table::BUCKET, &[&[]])
    }

    pub fn counters(self) -> Vec<u8> {
        self.table(table::COUNTERS, &[&[]])
    }

    /// The latest version of a key, if it is not a delete marker.
    pub fn object(self, key: &str) -> Vec<u8> {
        self.table(table::OBJECT, &[key.as_bytes()])
    }

    /// The objects whose key begins with `prefix`, in key order.
    pub fn objects(self, prefix: &str) -> KeyRange {
        KeyRange::of_prefix(self.object(prefix))
    }

    pub fn version(self, key: &str, version: VersionId) -> Vec<u8> {
        self.table(table::VERSION, &[&escape::terminated(key), &inverted(version)])
    }

    /// The versions of one key that do not stand in `object`, newest first.
    pub fn versions_of(self, key: &str) -> KeyRange {
        KeyRange::of_prefix(self.table(table::VERSION, &[&escape::terminated(key)]))
    }

    /// The versions of all keys that begin with `prefix`: by key, then newest first.
    pub fn versions(self, prefix: &str) -> KeyRange {
        KeyRange::of_prefix(self.table(table::VERSION, &[&escape::prefix(prefix)]))
    }

    /// Where the null version of a key stands in the `version` table; absent while it stands in `object`.
    pub fn null_version(self, key: &str) -> Vec<u8> {
        self.table(table::NULL_VERSION, &[key.as_bytes()])
    }

    pub fn upload(self, key: &str, upload: UploadId) -> Vec<u8> {
        self.table(table::UPLOAD, &[&escape::terminated(key), &upload.0])
    }

    /// The uploads of one key, oldest first.
    pub fn uploads_of(self, key: &str) -> KeyRange {
        KeyRange::of_prefix(self.table(table::UPLOAD, &[&escape::terminated(key)]))
    }

    /// The uploads of all keys that begin with `prefix`: by key, then oldest first.
    pub fn uploads(self, prefix: &str) -> KeyRange {
        KeyRange::of_prefix(self.table(table::UPLOAD, &[&escape::prefix(prefix)]))
    }

    pub fn part(self, upload: UploadId, number: u16) -> Vec<u8> {
        self.table(table::PART, &[&upload.0, &number.to_be_bytes()])
    }

    pub fn parts_of(self, upload: UploadId) -> KeyRange {
        KeyRange::of_prefix(self.table(table::PART, &[&upload.0]))
    }

    pub fn manifest(self, upload: UploadId) -> Vec<u8> {
        self.table(table::MANIFEST, &[&upload.0])
    }

    pub fn completed_upload(self, upload: UploadId) -> Vec<u8> {
        self.table(table::COMPLETED_UPLOAD, &[&upload.0])
    }

    pub fn completed_uploads(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::COMPLETED_UPLOAD, &[&[]]))
    }

    /// All records of the bucket.
    pub fn all(self) -> KeyRange {
        KeyRange::of_prefix(join(&[&[space::OWNER], &self.owner.to_bytes(), &self.bucket.0.to_be_bytes()]))
    }

    pub(super) fn table(self, table: u8, rest: &[&[u8]]) -> Vec<u8> {
        let mut key = Vec::with_capacity(18 + rest.iter().map(|part| part.len()).sum::<usize>());
        key.push(space::OWNER);
        key.extend_from_slice(&self.owner.to_bytes());
        key.extend_from_slice(&self.bucket.0.to_be_bytes());
        key.push(table);
        for part in rest {
            key.extend_from_slice(part);
        }
        key
    }
}

/// Greater ids first.
pub(super) fn inverted(version: VersionId) -> [u8; 16] {
    version.0.map(|byte| !byte)
}
