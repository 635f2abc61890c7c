//! Parse: from the bytes of a key back to what it names.

use super::bucket_space::inverted;
use super::owner_space::Referent;
use super::{BucketSpace, escape, space, table};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{
    BlobId, BucketId, DriveId, EntryId, GrantId, GroupId, LinkId, NodeId, OwnerKey, TokenId, UploadId, UserId,
    VersionId,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Group(GroupId, GroupKey),
    Owner(OwnerKey, OwnerTableKey),
    Bucket(BucketSpace, BucketKey),
    System(SystemKey),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    Applied,
    Decisions,
    Request { slot: u32 },
    Range,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerTableKey {
    Owner,
    BucketName { name: String },
    Reference(Referent),
    Grant(GrantId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketKey {
    Bucket,
    Counters,
    Object { key: String },
    Version { key: String, version: VersionId },
    NullVersion { key: String },
    Upload { key: String, upload: UploadId },
    Part { upload: UploadId, number: u16 },
    Manifest { upload: UploadId },
    CompletedUpload { upload: UploadId },
    Tree(TreeKey),
}

/// Of a bucket that is a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeKey {
    Tree,
    /// `name` with the slash of a folder.
    Entry {
        parent: EntryId,
        name: String,
    },
    Name {
        parent: EntryId,
        folded: String,
    },
    Place(EntryId),
    Revision {
        entry: EntryId,
        rev: u64,
    },
    Change {
        seq: u64,
    },
    Vacated {
        parent: EntryId,
        folded: String,
    },
    Trash {
        seq: u64,
    },
    Session(UploadId),
    SessionPart {
        session: UploadId,
        part: u16,
    },
    Link(LinkId),
    Stood {
        entry: EntryId,
        seq: u64,
    },
    Moment {
        span: u64,
    },
    Brake,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemKey {
    Cluster,
    PartitionMap,
    User(UserId),
    UserName { name: String },
    AccessKey { access_key: String },
    UserKey { user: UserId, access_key: String },
    BucketName { name: String },
    Node(NodeId),
    UserBucket { user: UserId, name: String },
    NodeDrive(DriveId),
    JoinToken(TokenId),
    Authority,
    GroupNodes(GroupId),
    Split(GroupId),
    Password(UserId),
}

pub fn parse(key: &[u8]) -> Result<Key> {
    read(key).ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("metadata key {key:02x?} is none of ours")))
}

/// A key that stands in a table where it does not belong.
pub fn out_of_place(key: &Key) -> Error {
    Error::new(ErrorKind::Corrupt, format!("metadata key {key:?} is out of place"))
}

fn read(key: &[u8]) -> Option<Key> {
    match key {
        [space::GROUP, rest @ ..] => group(rest),
        [space::OWNER, rest @ ..] => {
            let (owner, rest) = number(rest)?;
            let (bucket, rest) = number(rest)?;
            let (table, rest) = rest.split_first()?;
            if bucket == 0 {
                return Some(Key::Owner(OwnerKey(owner), owner_table(*table, rest)?));
            }
            Some(Key::Bucket(BucketSpace::new(OwnerKey(owner), BucketId(bucket)), bucket_table(*table, rest)?))
        }
        [space::SYSTEM, table, rest @ ..] => Some(Key::System(system(*table, rest)?)),
        _ => None,
    }
}

fn group(rest: &[u8]) -> Option<Key> {
    let (group, rest) = rest.split_first_chunk::<4>()?;
    let key = match rest {
        [table::APPLIED] => GroupKey::Applied,
        [table::DECISIONS] => GroupKey::Decisions,
        [table::REQUEST, slot @ ..] => GroupKey::Request { slot: u32::from_be_bytes(exact(slot)?) },
        [table::RANGE] => GroupKey::Range,
        _ => return None,
    };
    Some(Key::Group(GroupId(u32::from_be_bytes(*group)), key))
}

fn owner_table(table: u8, rest: &[u8]) -> Option<OwnerTableKey> {
    Some(match (table, rest.len()) {
        (table::OWNER, 0) => OwnerTableKey::Owner,
        (table::BUCKET_NAME, _) => OwnerTableKey::BucketName { name: text(rest)? },
        (table::REFERENCE, BlobId::BYTES) => OwnerTableKey::Reference(Referent::Blob(BlobId::from_bytes(exact(rest)?))),
        (table::GRANT, _) => OwnerTableKey::Grant(GrantId(u64::from_be_bytes(exact(rest)?))),
        (table::REFERENCE, _) => OwnerTableKey::Reference(Referent::Upload(UploadId(exact(rest)?))),
        _ => return None,
    })
}

fn bucket_table(table: u8, rest: &[u8]) -> Option<BucketKey> {
    Some(match (table, rest.len()) {
        (table::BUCKET, 0) => BucketKey::Bucket,
        (table::COUNTERS, 0) => BucketKey::Counters,
        (table::OBJECT, _) => BucketKey::Object { key: text(rest)? },
        (table::VERSION, _) => {
            let (key, version) = escape::split(rest)?;
            BucketKey::Version { key, version: VersionId(inverted(VersionId(exact(version)?))) }
        }
        (table::NULL_VERSION, _) => BucketKey::NullVersion { key: text(rest)? },
        (table::UPLOAD, _) => {
            let (key, upload) = escape::split(rest)?;
            BucketKey::Upload { key, upload: UploadId(exact(upload)?) }
        }
        (table::PART, _) => {
            let (upload, number) = rest.split_first_chunk::<16>()?;
            BucketKey::Part { upload: UploadId(*upload), number: u16::from_be_bytes(exact(number)?) }
        }
        (table::MANIFEST, _) => BucketKey::Manifest { upload: UploadId(exact(rest)?) },
        (table::COMPLETED_UPLOAD, _) => BucketKey::CompletedUpload { upload: UploadId(exact(rest)?) },
        _ => BucketKey::Tree(tree_table(table, rest)?),
    })
}

fn tree_table(table: u8, rest: &[u8]) -> Option<TreeKey> {
    Some(match table {
        table::TREE if rest.is_empty() => TreeKey::Tree,
        table::ENTRY => in_folder(rest, |parent, name| TreeKey::Entry { parent, name })?,
        table::ENTRY_NAME => in_folder(rest, |parent, folded| TreeKey::Name { parent, folded })?,
        table::PLACE => TreeKey::Place(EntryId(u64::from_be_bytes(exact(rest)?))),
        table::REVISION => {
            let (entry, rev) = number(rest)?;
            TreeKey::Revision { entry: EntryId(entry), rev: !u64::from_be_bytes(exact(rev)?) }
        }
        table::CHANGE => TreeKey::Change { seq: u64::from_be_bytes(exact(rest)?) },
        table::VACATED => in_folder(rest, |parent, folded| TreeKey::Vacated { parent, folded })?,
        table::TRASH => TreeKey::Trash { seq: !u64::from_be_bytes(exact(rest)?) },
        table::SESSION => TreeKey::Session(UploadId(exact(rest)?)),
        table::SESSION_PART => {
            let (session, part) = rest.split_first_chunk::<16>()?;
            TreeKey::SessionPart { session: UploadId(*session), part: u16::from_be_bytes(exact(part)?) }
        }
        table::LINK => TreeKey::Link(LinkId(exact(rest)?)),
        table::STOOD => {
            let (entry, seq) = number(rest)?;
            TreeKey::Stood { entry: EntryId(entry), seq: u64::from_be_bytes(exact(seq)?) }
        }
        table::BRAKE if rest.is_empty() => TreeKey::Brake,
        table::MOMENT => TreeKey::Moment { span: u64::from_be_bytes(exact(rest)?) },
        _ => return None,
    })
}

fn in_folder(rest: &[u8], key: impl FnOnce(EntryId, String) -> TreeKey) -> Option<TreeKey> {
    let (parent, name) = number(rest)?;
    Some(key(EntryId(parent), text(name)?))
}

fn system(table: u8, rest: &[u8]) -> Option<SystemKey> {
    Some(match table {
        table::CLUSTER if rest.is_empty() => SystemKey::Cluster,
        table::PARTITION_MAP => SystemKey::PartitionMap,
        table::USER => SystemKey::User(UserId(u64::from_be_bytes(exact(rest)?))),
        table::USER_NAME => SystemKey::UserName { name: text(rest)? },
        table::ACCESS_KEY => SystemKey::AccessKey { access_key: text(rest)? },
        table::USER_KEY => {
            let (user, rest) = number(rest)?;
            SystemKey::UserKey { user: UserId(user), access_key: text(rest)? }
        }
        table::BUCKET_OWNER => SystemKey::BucketName { name: text(rest)? },
        table::NODE => SystemKey::Node(NodeId(u64::from_be_bytes(exact(rest)?))),
        table::USER_BUCKET => {
            let (user, rest) = number(rest)?;
            SystemKey::UserBucket { user: UserId(user), name: text(rest)? }
        }
        table::NODE_DRIVE => SystemKey::NodeDrive(exact(rest)?),
        table::JOIN_TOKEN => SystemKey::JoinToken(TokenId(exact(rest)?)),
        table::AUTHORITY if rest.is_empty() => SystemKey::Authority,
        table::GROUP_NODES => SystemKey::GroupNodes(GroupId(u32::from_be_bytes(exact(rest)?))),
        table::SPLIT => SystemKey::Split(GroupId(u32::from_be_bytes(exact(rest)?))),
        table::PASSWORD => SystemKey::Password(UserId(u64::from_be_bytes(exact(rest)?))),
        _ => return None,
    })
}

fn number(rest: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = rest.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn exact<const N: usize>(rest: &[u8]) -> Option<[u8; N]> {
    rest.try_into().ok()
}

fn text(rest: &[u8]) -> Option<String> {
    String::from_utf8(rest.to_vec()).ok()
}
