//! Keys: where each record stands (docs/data-layout.md).
//! Owns: the bytes of every metadata key, their order, and reading them back.
//! Does not own: what stands under a key (`record`).
//! Invariant: byte order of keys is the order of their parts; numbers are big endian, text is its UTF-8 bytes.

mod bucket_space;
mod escape;
mod group_space;
mod owner_space;
mod parse;
mod system_space;
mod tree_space;

pub use bucket_space::BucketSpace;
pub use group_space::GroupSpace;
pub use owner_space::{OwnerSpace, Referent};
pub use parse::{BucketKey, GroupKey, Key, OwnerTableKey, SystemKey, TreeKey, out_of_place, parse};
pub use system_space::SystemSpace;
pub use tree_space::TreeSpace;

/// The first byte. None is 0xFF, so that every prefix has an upper bound.
mod space {
    pub(super) const GROUP: u8 = 0x01;
    pub(super) const OWNER: u8 = 0x02;
    pub(super) const SYSTEM: u8 = 0x03;
}

mod table {
    // Group-local.
    pub(super) const APPLIED: u8 = 0x01;
    pub(super) const DECISIONS: u8 = 0x02;
    pub(super) const REQUEST: u8 = 0x03;
    pub(super) const RANGE: u8 = 0x04;
    // Owner, bucket 0.
    pub(super) const OWNER: u8 = 0x01;
    pub(super) const BUCKET_NAME: u8 = 0x02;
    pub(super) const REFERENCE: u8 = 0x03;
    pub(super) const GRANT: u8 = 0x08;
    // Owner, of a bucket.
    pub(super) const BUCKET: u8 = 0x10;
    pub(super) const COUNTERS: u8 = 0x11;
    pub(super) const OBJECT: u8 = 0x20;
    pub(super) const VERSION: u8 = 0x21;
    pub(super) const NULL_VERSION: u8 = 0x22;
    pub(super) const UPLOAD: u8 = 0x30;
    pub(super) const PART: u8 = 0x31;
    pub(super) const MANIFEST: u8 = 0x32;
    pub(super) const COMPLETED_UPLOAD: u8 = 0x33;
    // Owner, of a bucket that is a tree.
    pub(super) const TREE: u8 = 0x40;
    pub(super) const ENTRY: u8 = 0x41;
    pub(super) const ENTRY_NAME: u8 = 0x42;
    pub(super) const PLACE: u8 = 0x43;
    pub(super) const REVISION: u8 = 0x44;
    pub(super) const CHANGE: u8 = 0x45;
    pub(super) const VACATED: u8 = 0x46;
    pub(super) const TRASH: u8 = 0x47;
    pub(super) const SESSION: u8 = 0x48;
    pub(super) const SESSION_PART: u8 = 0x49;
    pub(super) const LINK: u8 = 0x4A;
    pub(super) const STOOD: u8 = 0x4B;
    pub(super) const MOMENT: u8 = 0x4C;
    pub(super) const BRAKE: u8 = 0x4D;
    // System.
    pub(super) const CLUSTER: u8 = 0x01;
    pub(super) const PARTITION_MAP: u8 = 0x02;
    pub(super) const USER: u8 = 0x03;
    pub(super) const USER_NAME: u8 = 0x04;
    pub(super) const ACCESS_KEY: u8 = 0x05;
    pub(super) const USER_KEY: u8 = 0x06;
    pub(super) const BUCKET_OWNER: u8 = 0x07;
    pub(super) const NODE: u8 = 0x08;
    pub(super) const USER_BUCKET: u8 = 0x09;
    pub(super) const NODE_DRIVE: u8 = 0x0A;
    pub(super) const JOIN_TOKEN: u8 = 0x0B;
    pub(super) const AUTHORITY: u8 = 0x0C;
    pub(super) const GROUP_NODES: u8 = 0x0D;
    pub(super) const SPLIT: u8 = 0x0E;
    pub(super) const PASSWORD: u8 = 0x18;
}

/// Joins the parts of a key, with one allocation.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod key_test;
