//! Command: every replicated change, as the proposer sends it and `apply` decides it.
//! Owns: the shape of the changes. Time and random numbers are chosen by the proposer and travel inside, so that
//! `apply` gives the same result on every node.

use bytes::Bytes;

use crate::id::{
    BlobId, BucketId, DriveId, GrantId, GroupId, HostId, NodeId, OwnerKey, RequestId, TokenId, UploadId, UserId,
    VersionId,
};
use crate::metadata::record::tree::Author;
use crate::metadata::record::{
    AccessKeyRecord, AuthorityRecord, Checksum, ChecksumAlgorithm, ChecksumType, Content, ETag, GrantRecord,
    GroupRecord, NodeState, ObjectHeaders, Pairs, RangeRecord, Versioning,
};
use crate::placement::PartitionMap;

mod account;
pub mod tree;

pub use account::{RenewGrant, SetPassword, TouchGrant};
use tree::TreeChange;

#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Same id, same effect once: a retry of an unknown outcome keeps it.
    pub request: RequestId,
    /// Set when an earlier attempt with this id may have been applied. Then `apply` must be able to prove that it was
    /// not, or refuses with `RequestTooOld` (`request_ring`).
    pub retry: bool,
    /// The proposer's wall clock, unix ms; of the first attempt, also in a retry.
    pub time_ms: u64,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "almost every change is one of an owner")]
pub enum Change {
    System(SystemChange),
    Owner {
        owner: OwnerKey,
        change: OwnerChange,
    },
    /// Of the group itself, whose number must be this.
    Group {
        group: GroupId,
        change: GroupChange,
    },
}

/// Changes of a group of owners as such.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupChange {
    Split(Split),
}

/// The owners from `boundary` on go to a new group. Refused unless the group's range is `range`.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    pub child: GroupId,
    pub range: RangeRecord,
    pub boundary: OwnerKey,
}

/// Changes decided by the system group.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemChange {
    /// The first entry of a new cluster: root user with its key. Refused if there is a user already.
    InitializeCluster {
        cluster_name: String,
        root_key: AccessKeyRecord,
    },
    CreateUser {
        name: String,
        admin: bool,
        quota_bytes: Option<u64>,
    },
    UpdateUser {
        user: UserId,
        enabled: Option<bool>,
        quota_bytes: Option<Option<u64>>,
    },
    /// Removes the access keys too. Refused for the root user, and while the user owns a bucket name.
    DeleteUser {
        user: UserId,
    },
    CreateAccessKey {
        key: AccessKeyRecord,
    },
    UpdateAccessKey {
        access_key: String,
        enabled: bool,
    },
    DeleteAccessKey {
        access_key: String,
    },
    ReserveBucketName {
        name: String,
        owner: UserId,
        location: String,
    },
    /// Step 3 of CreateBucket: the owner's group has the bucket.
    ConfirmBucketName {
        name: String,
        reservation: RequestId,
    },
    /// Step 2 of DeleteBucket: only if the name still stands under this reservation.
    ReleaseBucketName {
        name: String,
        reservation: RequestId,
    },
    /// Refused unless there is none yet, or its epoch is the one after that of the map that stands.
    SetPartitionMap {
        map: PartitionMap,
    },
    /// Node 1 of a cluster that has no nodes on record yet. The same drive again is the same node.
    RegisterFounder {
        founder: NewNode,
    },
    /// Refused if there is one already: every certificate hangs on it.
    SetAuthority {
        authority: AuthorityRecord,
    },
    CreateJoinToken {
        token: TokenId,
        expires_ms: u64,
        zone: Option<String>,
    },
    /// Refused once the token is used: then the node is what has to be removed.
    RevokeJoinToken {
        token: TokenId,
    },
    /// Uses up the token. The same token with the same drive again is the same node, so an interrupted join can go on.
    AdmitNode {
        token: TokenId,
        node: NewNode,
    },
    /// A zone is the host's, and so changes for all of its nodes.
    UpdateNode {
        node: NodeId,
        update: NodeUpdate,
    },
    /// One more drive of the host that `beside` is on: a node of its own. The same drive again is the same node.
    AdmitDrive {
        beside: NodeId,
        node: NewNode,
    },
    /// Every node of a host that was not removed, or none of them.
    UpdateHost {
        host: HostId,
        update: NodeUpdate,
    },
    /// Refused unless the record that stands has `expected_step` (0: none stands); the new one gets the step after it.
    SetGroup {
        record: GroupRecord,
        expected_step: u64,
    },
    /// Refused unless the map has `epoch`, and while another split is under way.
    BeginSplit {
        parent: GroupId,
        boundary: OwnerKey,
        epoch: u64,
    },
    /// The parent's log has the split: the map and the child's whereabouts follow. Again is done already.
    FinishSplit {
        child: GroupId,
        voters: Vec<NodeId>,
        floor: u64,
    },
    SetPassword(SetPassword),
}

/// What a node says of itself when it becomes a member.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNode {
    pub drive: DriveId,
    pub addresses: NodeAddresses,
    pub zone: String,
    pub weight: u32,
    pub release: String,
}

/// `host:port` each.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeAddresses {
    pub peer: String,
    pub web: String,
    pub s3: String,
}

/// `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeUpdate {
    pub zone: Option<String>,
    pub weight: Option<u32>,
    pub state: Option<NodeState>,
    pub addresses: Option<NodeAddresses>,
    pub release: Option<String>,
}

/// Changes decided by the group of the owner.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "the large ones are what is mostly proposed")]
pub enum OwnerChange {
    /// Idempotent: a bucket of this name that is already there is success, so that an interrupted creation can go on.
    CreateBucket {
        name: String,
        location: String,
    },
    DeleteBucket {
        bucket: BucketId,
    },
    SetVersioning {
        bucket: BucketId,
        versioning: Versioning,
    },
    /// Empty removes them.
    SetBucketTags {
        bucket: BucketId,
        tags: Pairs,
    },
    /// Canonical XML; empty removes it.
    SetBucketCors {
        bucket: BucketId,
        cors: Bytes,
    },

    PutObject(PutObject),
    CopyObject(CopyObject),
    RenameObject {
        bucket: BucketId,
        source: String,
        target: String,
        source_condition: WriteCondition,
        target_condition: WriteCondition,
        random: u64,
    },
    DeleteObjects {
        bucket: BucketId,
        deletes: Vec<DeleteObject>,
    },
    SetObjectTags {
        bucket: BucketId,
        key: String,
        version: VersionSelector,
        tags: Pairs,
    },

    CreateUpload {
        bucket: BucketId,
        upload: UploadId,
        key: String,
        headers: ObjectHeaders,
        tags: Pairs,
        checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    },
    PutPart {
        bucket: BucketId,
        key: String,
        upload: UploadId,
        part: NewPart,
        quota_bytes: Option<u64>,
    },
    CompleteUpload(CompleteUpload),
    AbortUpload {
        bucket: BucketId,
        key: String,
        upload: UploadId,
    },

    /// The bucket of the owner's drive. Idempotent, as `CreateBucket` is.
    CreateTree {
        name: String,
    },
    Tree {
        bucket: BucketId,
        author: Author,
        quota_bytes: Option<u64>,
        change: TreeChange,
    },

    /// Expired ones go on this occasion.
    CreateGrant {
        grant: GrantRecord,
    },
    RenewGrant(RenewGrant),
    TouchGrant(TouchGrant),
    RevokeGrant {
        grant: GrantId,
    },
}

/// Bytes that are stored already, or travel here.
#[derive(Clone, Debug, PartialEq)]
pub struct NewContent {
    pub bytes: u64,
    pub content: Content,
    /// The payload, when `content` is `Inline`.
    pub inline: Bytes,
    /// Who had every chunk of a blob behind an `fdatasync` when it was given out. `None` for other contents, which travel with the log, and
    /// for blobs in logs of releases that did not say it.
    pub synced_on: Option<Vec<NodeId>>,
}

impl NewContent {
    pub fn empty() -> Self {
        Self { bytes: 0, content: Content::Empty, inline: Bytes::new(), synced_on: None }
    }

    pub fn inline(blob: BlobId, payload: Bytes) -> Self {
        Self { bytes: payload.len() as u64, content: Content::Inline { blob }, inline: payload, ..Self::empty() }
    }

    pub fn blob(blob: BlobId, bytes: u64, chunk_bytes: u32, synced_on: Vec<NodeId>) -> Self {
        Self { bytes, content: Content::Blob { blob, chunk_bytes }, synced_on: Some(synced_on), ..Self::empty() }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PutObject {
    pub bucket: BucketId,
    pub key: String,
    pub condition: WriteCondition,
    pub content: NewContent,
    pub etag: ETag,
    pub checksum: Option<Checksum>,
    pub headers: ObjectHeaders,
    pub tags: Pairs,
    pub random: u64,
    pub quota_bytes: Option<u64>,
}

/// Copy within one owner: the new version names the same blobs.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyObject {
    pub source_bucket: BucketId,
    pub source_key: String,
    /// The very version that the proposer read, authorised and checked conditions against.
    pub source_version: VersionId,
    pub bucket: BucketId,
    pub key: String,
    pub condition: WriteCondition,
    /// `None` copies the source's; the same for the next two.
    pub headers: Option<ObjectHeaders>,
    pub tags: Option<Pairs>,
    pub checksum: Option<Checksum>,
    pub random: u64,
    pub quota_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewPart {
    pub number: u16,
    pub content: NewContent,
    pub md5: [u8; 16],
    pub checksum: Option<Checksum>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CompleteUpload {
    pub bucket: BucketId,
    pub key: String,
    pub upload: UploadId,
    pub condition: WriteCondition,
    pub parts: Vec<PartReference>,
    /// Of the whole object, as the client gave it; checked in `apply` against the parts.
    pub checksum: Option<Checksum>,
    pub checksum_type: Option<ChecksumType>,
    /// `x-amz-mp-object-size`.
    pub expected_bytes: Option<u64>,
    pub random: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartReference {
    pub number: u16,
    pub md5: [u8; 16],
    pub checksum: Option<Checksum>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeleteObject {
    pub key: String,
    pub version: VersionSelector,
    pub condition: WriteCondition,
    pub random: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionSelector {
    Latest,
    Null,
    Id(VersionId),
}

/// Decided in `apply`, always against the latest version of the key, also when a delete names a version
/// (Amazon S3: "conditional delete evaluations only apply to the current version of the object").
#[derive(Clone, Debug, Default, PartialEq)]
pub enum WriteCondition {
    #[default]
    None,
    /// If-None-Match: * — a delete marker counts as nothing there.
    MustNotExist,
    /// If-Match: * — a missing key or a delete marker is `NoSuchKey`.
    MustExist,
    /// If-Match: one of these; a missing key or a delete marker is `NoSuchKey`.
    MustMatch(Vec<ETag>),
}
