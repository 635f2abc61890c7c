//! Queries: what the services ask of the metadata. Pure look-ups over one consistent view; they may block on the disk.
//! Owns: which version is the latest, the order and the pages of listings.
//! Does not own: who may ask (services), how an answer looks on the wire (s3_api).

mod account;
mod buckets;
mod cursor;
mod fold;
mod identity;
mod list_objects;
mod list_uploads;
mod list_versions;
mod membership;
pub mod tree;
mod uploads;
mod versions;

pub use account::{grant, grants, password};
pub use buckets::{bucket, bucket_by_id, bucket_name, bucket_names, buckets, counters, owner_totals};
pub use identity::{access_key, access_keys, cluster, user, user_by_name, users};
pub use list_objects::{After, ListObjects, ObjectPage, list_objects};
pub use list_uploads::{ListUploads, UploadPage, UploadsAfter, list_uploads};
pub use list_versions::{ListVersions, ListedVersion, VersionPage, VersionsAfter, list_versions};
pub use membership::{authority, group, groups, join_token, join_tokens, node, node_of_drive, nodes, splits};
pub use uploads::{blob_is_named, completed_upload, manifest, part, parts, upload};
pub use versions::version;

pub(crate) use identity::owns_bucket_name;
pub(crate) use membership::last_node;
pub(crate) use versions::newest_other;

#[cfg(test)]
mod list_test;
