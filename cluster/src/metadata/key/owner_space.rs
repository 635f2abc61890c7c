//! Keys of what an owner has as a whole: `0x02 ‖ owner (8) ‖ 0 (8) ‖ table ‖ …`.

use super::{join, space, table};
use crate::id::{BlobId, GrantId, OwnerKey, UploadId};
use crate::metadata::view::KeyRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerSpace(pub OwnerKey);

/// What a reference count is about. The two are told apart by their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Referent {
    Blob(BlobId),
    /// The manifest of a completed upload, and the parts in it.
    Upload(UploadId),
}

impl OwnerSpace {
    /// `OwnerRecord`.
    pub fn owner(self) -> Vec<u8> {
        self.table(table::OWNER, &[])
    }

    pub fn bucket_name(self, name: &str) -> Vec<u8> {
        self.table(table::BUCKET_NAME, name.as_bytes())
    }

    pub fn bucket_names(self, prefix: &str) -> KeyRange {
        KeyRange::of_prefix(self.bucket_name(prefix))
    }

    pub fn reference(self, referent: &Referent) -> Vec<u8> {
        match referent {
            Referent::Blob(blob) => self.table(table::REFERENCE, blob.as_bytes()),
            Referent::Upload(upload) => self.table(table::REFERENCE, &upload.0),
        }
    }

    pub fn references(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::REFERENCE, &[]))
    }

    pub fn grant(self, grant: GrantId) -> Vec<u8> {
        self.table(table::GRANT, &grant.0.to_be_bytes())
    }

    pub fn grants(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::GRANT, &[]))
    }

    /// All records of the owner, those of the buckets included.
    pub fn all(self) -> KeyRange {
        KeyRange::of_prefix(join(&[&[space::OWNER], &self.0.to_bytes()]))
    }

    pub fn everyone() -> KeyRange {
        KeyRange::of_prefix(vec![space::OWNER])
    }

    /// All records of the owners from `first` to `last`, both included.
    pub fn of_range(first: OwnerKey, last: OwnerKey) -> KeyRange {
        KeyRange { from: Self(first).all().from, to: Self(last).all().to }
    }

    /// Whose record stands under `key`; `None` if that is not one of an owner.
    pub fn owner_of(key: &[u8]) -> Option<OwnerKey> {
        let owner = key.strip_prefix(&[space::OWNER])?.first_chunk::<8>()?;
        Some(OwnerKey(u64::from_be_bytes(*owner)))
    }

    fn table(self, table: u8, rest: &[u8]) -> Vec<u8> {
        join(&[&[space::OWNER], &self.0.to_bytes(), &[0; 8], &[table], rest])
    }
}
