//! Records: what stands in the metadata under each key (docs/data-layout.md).
//! Owns: the Rust shape of every record. Their bytes are in `record_format`, their keys in `key`.

use bytes::Bytes;

use crate::id::{
    BlobId, BucketId, DriveId, GroupId, HostId, NodeId, OwnerKey, RequestId, TokenId, UploadId, UserId, VersionId,
};
use crate::metadata::outcome::Outcome;

mod account;
pub mod tree;

pub use account::{
    AccessToken, CodeTerms, GrantKind, GrantRecord, PasswordHash, PasswordRecord, ReplacedToken, TokenHash,
};

/// Name → value pairs in the order given.
pub type Pairs = Vec<(String, String)>;

// ---- one owner's records ----

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnerRecord {
    /// The last bucket number given out.
    pub last_bucket: u64,
    pub totals: Counters,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BucketRecord {
    pub id: BucketId,
    pub name: String,
    pub created_ms: u64,
    /// LocationConstraint as the client gave it; empty for the default region.
    pub location: String,
    pub versioning: Versioning,
    pub tags: Pairs,
    /// The CORS configuration as canonical XML, checked before it came here; empty if there is none.
    pub cors: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    Never,
    Enabled,
    Suspended,
    /// The bucket is a tree: keys are paths and versions are revisions of files (docs/drive-tree.md). For ever so.
    Revisions,
}

/// Exact counts of a bucket, or of all buckets of an owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Keys whose latest version is not a delete marker.
    pub objects: u64,
    /// Versions that hold an object, latest ones included.
    pub versions: u64,
    pub delete_markers: u64,
    /// Multipart uploads in progress.
    pub uploads: u64,
    /// Sizes of all versions and of all parts of uploads in progress, summed: what a quota counts.
    pub bytes: u64,
}

/// One version of a key: an object or a delete marker.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRecord {
    pub version: VersionId,
    /// Written while versioning was off or suspended: `null` on the wire.
    pub is_null: bool,
    pub modified_ms: u64,
    pub kind: VersionKind,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "almost every version is an object")]
pub enum VersionKind {
    DeleteMarker,
    Object(ObjectRecord),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ObjectRecord {
    pub bytes: u64,
    pub etag: ETag,
    pub content: Content,
    pub checksum: Option<Checksum>,
    pub headers: ObjectHeaders,
    pub tags: Pairs,
}

/// Where the bytes of a version are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Empty,
    /// In the `inline_payload` column family.
    Inline {
        blob: BlobId,
    },
    /// In chunks `0..ceil(bytes / chunk_bytes)`, all but the last of `chunk_bytes`.
    Blob {
        blob: BlobId,
        chunk_bytes: u32,
    },
    /// In the parts that `ManifestRecord` of this upload lists. They stay in the bucket of the upload, also when a
    /// copy in another bucket names them, and even when that bucket itself is gone.
    Parts {
        bucket: BucketId,
        upload: UploadId,
    },
}

/// Entity tag: the MD5 of the bytes, or of the parts' MD5s with their count ("…-N"). RFC 9110 §8.8.3, Amazon S3 "ETag".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag {
    pub md5: [u8; 16],
    /// How many parts, for a completed multipart upload.
    pub parts: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
    Sha512,
    Md5,
    XxHash64,
    XxHash3,
    XxHash128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumType {
    FullObject,
    Composite,
}

/// A checksum that the client gave (and we verified) or that we computed. Big endian, unpadded: 4 to 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: ChecksumAlgorithm,
    pub kind: ChecksumType,
    pub value: Vec<u8>,
}

/// Headers that come back as they were stored. `None` was never given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectHeaders {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    /// Verbatim, valid date or not.
    pub expires: Option<String>,
    pub website_redirect_location: Option<String>,
    /// `x-amz-meta-*` without the prefix, names in lower case.
    pub user_metadata: Pairs,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UploadRecord {
    pub upload: UploadId,
    pub key: String,
    pub initiated_ms: u64,
    pub headers: ObjectHeaders,
    pub tags: Pairs,
    /// The algorithm and type that CreateMultipartUpload bound, if it did.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartRecord {
    /// 1 to 10,000.
    pub number: u16,
    pub bytes: u64,
    pub md5: [u8; 16],
    pub modified_ms: u64,
    pub content: Content,
    pub checksum: Option<Checksum>,
}

/// How many versions, parts or manifests name a blob or a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceRecord {
    pub count: u64,
}

/// Which parts make an object, in order. The parts stay where UploadPart put them.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestRecord {
    pub parts: Vec<(u16, u64)>,
}

/// What a replay of CompleteMultipartUpload is answered with. Kept for a day, whatever becomes of the object.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletedUploadRecord {
    pub key: String,
    pub completed_ms: u64,
    pub version: VersionId,
    pub is_null: bool,
    pub versioned: bool,
    pub etag: ETag,
    pub bytes: u64,
    pub checksum: Option<Checksum>,
}

// ---- records that a group keeps about itself ----

/// What the next decision depends on, besides the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecisionsRecord {
    /// Hybrid logical clock: the last one given to a version.
    pub clock: u64,
    /// Requests remembered so far; the next one takes slot `requests % slots`.
    pub requests: u64,
    /// The greatest request time among those the ring has forgotten.
    pub forgotten_ms: u64,
}

/// A request that was decided, in its slot of the ring.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    pub request: RequestId,
    pub time_ms: u64,
    pub outcome: Outcome,
}

/// The owners that a group decides about, first and last included. A group that was never split has no such record: its range is
/// the one that it was founded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeRecord {
    pub first: OwnerKey,
    pub last: OwnerKey,
}

impl RangeRecord {
    pub fn contains(&self, owner: OwnerKey) -> bool {
        (self.first..=self.last).contains(&owner)
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// `None`: they have no owner in common.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        self.overlaps(other).then(|| Self { first: self.first.max(other.first), last: self.last.min(other.last) })
    }
}

// ---- records of the system group ----

#[derive(Clone, Debug, PartialEq)]
pub struct ClusterRecord {
    pub name: String,
    pub created_ms: u64,
    /// The last user number given out.
    pub last_user: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UserRecord {
    pub id: UserId,
    pub name: String,
    pub created_ms: u64,
    pub enabled: bool,
    /// May use the admin API.
    pub admin: bool,
    /// Bytes this user's buckets may hold; `None` is without limit.
    pub quota_bytes: Option<u64>,
}

#[derive(Clone, PartialEq)]
pub struct AccessKeyRecord {
    pub access_key: String,
    pub user: UserId,
    pub created_ms: u64,
    pub enabled: bool,
    pub description: String,
    /// The secret, sealed under the node's master key (`identity/secret_box`).
    pub sealed_secret: Bytes,
}

impl std::fmt::Debug for AccessKeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKeyRecord")
            .field("access_key", &self.access_key)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Who owns a bucket name. `pending` until the owner's group has the bucket; the reservation ties both steps together.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketNameRecord {
    pub owner: UserId,
    pub reservation: RequestId,
    pub pending: bool,
    pub reserved_ms: u64,
    pub location: String,
}

/// A node that is or was a member. Kept for ever, so that its number is never given out again.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRecord {
    pub node: NodeId,
    /// Which nodes are lost together with it.
    pub host: HostId,
    /// The drive it was admitted with. Another drive under this number is refused: what the node promised is lost with it.
    pub drive: DriveId,
    /// `host:port`, as other nodes reach it; the same for the next two.
    pub peer_address: String,
    pub web_address: String,
    pub s3_address: String,
    /// The failure domain; empty if the operator named none.
    pub zone: String,
    /// Share of the data compared with other nodes; 100 is normal, 0 takes none.
    pub weight: u32,
    pub state: NodeState,
    pub joined_ms: u64,
    /// What it ran when it last said so.
    pub release: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    Active,
    /// Still serves, but is being emptied and gets nothing new.
    Draining,
    /// No member any more: its certificate is refused. There is no way back.
    Removed,
}

/// A token with which one node may join. The secret half is in the token's text only.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinTokenRecord {
    pub token: TokenId,
    pub created_ms: u64,
    pub expires_ms: u64,
    /// The zone of the node that joins with it, whatever the node says.
    pub zone: Option<String>,
    pub used_by: Option<NodeId>,
}

/// The cluster's certificate authority.
#[derive(Clone, PartialEq)]
pub struct AuthorityRecord {
    /// DER.
    pub certificate: Bytes,
    /// The private key, sealed under the master key.
    pub sealed_key: Bytes,
}

impl std::fmt::Debug for AuthorityRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorityRecord").field("certificate_bytes", &self.certificate.len()).finish_non_exhaustive()
    }
}

/// Which nodes hold a group, and which shall.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRecord {
    pub group: GroupId,
    /// Ascending.
    pub voters: Vec<NodeId>,
    /// Ascending; the same as `voters` when nothing moves.
    pub target: Vec<NodeId>,
    /// Raised by every change, so that two movers never undo each other's step.
    pub step: u64,
}

/// A split of a group, under way or done. Kept for ever: it says what a group was, to those that are behind.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitRecord {
    /// The group that comes of it; its number was never used before.
    pub child: GroupId,
    pub parent: GroupId,
    /// The parent's range before.
    pub range: RangeRecord,
    /// The first owner of the child.
    pub boundary: OwnerKey,
    pub begun_ms: u64,
    /// Set when it is done: a position of the parent's log behind the split. Whoever begins there has nothing to do with the child's owners.
    pub floor: Option<u64>,
}

impl SplitRecord {
    pub fn child_range(&self) -> RangeRecord {
        RangeRecord { first: self.boundary, last: self.range.last }
    }

    pub fn is_under_way(&self) -> bool {
        self.floor.is_none()
    }
}
