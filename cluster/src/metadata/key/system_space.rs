//! Keys of the system group: `0x03 ‖ table ‖ …`.

use super::{join, space, table};
use crate::id::{DriveId, GroupId, NodeId, TokenId, UserId};
use crate::metadata::view::KeyRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemSpace;

impl SystemSpace {
    pub fn cluster(self) -> Vec<u8> {
        self.table(table::CLUSTER, &[])
    }

    /// `PartitionMap`: all of it in one record, because it is only ever read and changed as a whole.
    pub fn partition_map(self) -> Vec<u8> {
        self.table(table::PARTITION_MAP, &[])
    }

    pub fn user(self, user: UserId) -> Vec<u8> {
        self.table(table::USER, &user.0.to_be_bytes())
    }

    pub fn users(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::USER, &[]))
    }

    pub fn user_name(self, name: &str) -> Vec<u8> {
        self.table(table::USER_NAME, name.as_bytes())
    }

    pub fn access_key(self, access_key: &str) -> Vec<u8> {
        self.table(table::ACCESS_KEY, access_key.as_bytes())
    }

    pub fn user_key(self, user: UserId, access_key: &str) -> Vec<u8> {
        join(&[&[space::SYSTEM, table::USER_KEY], &user.0.to_be_bytes(), access_key.as_bytes()])
    }

    /// The access keys of a user.
    pub fn user_keys(self, user: UserId) -> KeyRange {
        KeyRange::of_prefix(self.user_key(user, ""))
    }

    /// `BucketNameRecord`: who owns the name.
    pub fn bucket_name(self, name: &str) -> Vec<u8> {
        self.table(table::BUCKET_OWNER, name.as_bytes())
    }

    pub fn bucket_names(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::BUCKET_OWNER, &[]))
    }

    pub fn user_bucket(self, user: UserId, name: &str) -> Vec<u8> {
        join(&[&[space::SYSTEM, table::USER_BUCKET], &user.0.to_be_bytes(), name.as_bytes()])
    }

    /// The bucket names that a user owns.
    pub fn user_buckets(self, user: UserId) -> KeyRange {
        KeyRange::of_prefix(self.user_bucket(user, ""))
    }

    pub fn node(self, node: NodeId) -> Vec<u8> {
        self.table(table::NODE, &node.0.to_be_bytes())
    }

    pub fn nodes(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::NODE, &[]))
    }

    /// `NodeId`: which node was admitted with this drive.
    pub fn node_drive(self, drive: &DriveId) -> Vec<u8> {
        self.table(table::NODE_DRIVE, drive)
    }

    pub fn join_token(self, token: TokenId) -> Vec<u8> {
        self.table(table::JOIN_TOKEN, &token.0)
    }

    pub fn join_tokens(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::JOIN_TOKEN, &[]))
    }

    pub fn authority(self) -> Vec<u8> {
        self.table(table::AUTHORITY, &[])
    }

    /// `GroupRecord`: which nodes hold the group.
    pub fn group_nodes(self, group: GroupId) -> Vec<u8> {
        self.table(table::GROUP_NODES, &group.0.to_be_bytes())
    }

    pub fn groups_nodes(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::GROUP_NODES, &[]))
    }

    /// `SplitRecord`, by the group that comes of it.
    pub fn split(self, child: GroupId) -> Vec<u8> {
        self.table(table::SPLIT, &child.0.to_be_bytes())
    }

    pub fn splits(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::SPLIT, &[]))
    }

    /// `PasswordRecord`
    pub fn password(self, user: UserId) -> Vec<u8> {
        self.table(table::PASSWORD, &user.0.to_be_bytes())
    }

    pub fn all(self) -> KeyRange {
        KeyRange::of_prefix(vec![space::SYSTEM])
    }

    fn table(self, table: u8, rest: &[u8]) -> Vec<u8> {
        join(&[&[space::SYSTEM, table], rest])
    }
}
