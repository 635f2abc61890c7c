//! Outcome: what `apply` decided, as the proposer gets it back.

use crate::id::{BucketId, EntryId, GroupId, NodeId, RequestId, UploadId, UserId, VersionId};
use crate::metadata::command::tree::RewindCursor;
use crate::metadata::record::tree::EntryRecord;
use crate::metadata::record::{Checksum, ETag};

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it lives for one answer")]
pub enum Outcome {
    Done,
    UserCreated {
        user: UserId,
    },
    BucketReserved {
        reservation: RequestId,
    },
    BucketCreated {
        bucket: BucketId,
    },
    /// PutObject, CopyObject, RenameObject, CompleteUpload.
    ObjectWritten(ObjectWritten),
    /// One for each delete, in order.
    ObjectsDeleted(Vec<Result<ObjectDeleted, Refusal>>),
    TagsSet {
        version: VersionId,
        is_null: bool,
    },
    UploadCreated {
        upload: UploadId,
    },
    Refused(Refusal),
    NodeAdmitted {
        node: NodeId,
    },
    SplitBegun {
        child: GroupId,
    },
    /// Most changes of a tree.
    EntryChanged(EntryChanged),
    /// One step of a purge.
    Purged {
        more: bool,
    },
    SessionAppended {
        received: u64,
    },
    /// Nothing went to the trash: from now on the device is held.
    DeviceHeld,
    /// One step of a rewind.
    Rewound(Rewound),
    /// The number under which sign-ins are made from now on.
    PasswordSet {
        sign_ins: u64,
    },
    /// A token was presented that is not valid any more: the grant is gone.
    GrantReused,
}

/// An entry after a change of it.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryChanged {
    /// From the root, with a slash in front of each name. Where it was, if it went to the trash.
    pub path: String,
    pub entry: EntryRecord,
    /// It was so already: nothing changed.
    pub unchanged: bool,
    /// The seq of its item in the trash, if it went there.
    pub trashed: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewound {
    pub counts: RewindCounts,
    /// None: that was all.
    pub next: Option<RewindCursor>,
}

/// What a rewind did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RewindCounts {
    /// Out of the trash, with what is below.
    pub restored: u64,
    /// Back to where they stood; a folder is one.
    pub moved: u64,
    /// Into the trash, with what is below.
    pub removed: u64,
    /// Files that got the contents that they had.
    pub reset: u64,
    /// Were there, and are gone for good, or what they held or stood in is.
    pub lost: u64,
}

impl RewindCounts {
    pub fn add(&mut self, more: Self) {
        self.restored += more.restored;
        self.moved += more.moved;
        self.removed += more.removed;
        self.reset += more.reset;
        self.lost += more.lost;
    }

    pub fn changes(&self) -> u64 {
        self.restored + self.moved + self.removed + self.reset
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ObjectWritten {
    pub version: VersionId,
    /// What goes on the wire: nothing in a never-versioned bucket, `null` while suspended, else the id.
    pub is_null: bool,
    pub versioned: bool,
    pub etag: ETag,
    pub modified_ms: u64,
    pub checksum: Option<Checksum>,
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDeleted {
    /// The version that was removed, or the delete marker that was made. `None`: there was nothing, or an unversioned delete.
    pub version: Option<VersionId>,
    pub is_null: bool,
    /// A delete marker was made, or the removed version was one.
    pub delete_marker: bool,
}

/// Why `apply` changed nothing. The caller changes the request; a retry would be refused again.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    AlreadyInitialized,
    NoSuchUser,
    /// The root user is neither disabled nor deleted.
    RootUser,
    UserExists,
    UserOwnsBuckets,
    NoSuchAccessKey,
    AccessKeyExists,
    /// The name is someone else's.
    BucketNameTaken,
    /// The name is the caller's own, and the bucket exists.
    BucketOwnedByYou,
    /// The reservation is not the one that stands.
    StaleReservation,
    NoSuchBucket,
    BucketNotEmpty,
    NoSuchKey,
    NoSuchVersion,
    /// The named version is a delete marker.
    DeleteMarker,
    /// The version to copy was removed after the proposer read it: resolve the source again.
    CopySourceGone,
    NoSuchUpload,
    /// A part is missing, or its ETag is not the stored one.
    InvalidPart {
        number: u16,
    },
    InvalidPartOrder,
    /// A part other than the last is smaller than 5 MiB.
    PartTooSmall {
        number: u16,
        bytes: u64,
    },
    /// The whole would be larger than 5 TiB.
    ObjectTooLarge,
    /// `x-amz-mp-object-size` is not the sum of the parts.
    SizeMismatch,
    ChecksumMismatch,
    /// The checksum's algorithm or type is not the one CreateMultipartUpload bound, or the parts do not have it.
    ChecksumAlgorithmMismatch,
    PreconditionFailed,
    QuotaExceeded,
    /// The bytes are not on a majority of those who vote now: the group got other voters while they arrived. They are to be sent again.
    TooFewCopies,
    /// The map is not the next one after the one that stands.
    StalePartitionMap,
    /// The request is older than what the group remembers, so it cannot tell whether it was applied.
    RequestTooOld,
    /// Node 1 is on record with another drive.
    FounderKnown,
    AuthorityExists,
    TokenExists,
    NoSuchToken,
    TokenExpired,
    TokenUsed {
        by: NodeId,
    },
    /// The drive belongs to a node that is on record, perhaps a removed one.
    DriveKnown {
        node: NodeId,
    },
    NoSuchNode,
    NodeRemoved,
    /// Groups are on the node, or on their way to it.
    NodeHoldsGroups {
        groups: u32,
    },
    /// Fewer active nodes would be left than copies that a group must have.
    TooFewNodes {
        needed: u32,
    },
    /// The record of the group is not at the step that the change was made for.
    StaleGroup,
    /// Voters or target are empty, not ascending, or name a node that is no member.
    InvalidGroup,
    /// The group does not decide about the owner any more: another one does. Never leaves the metadata client.
    OwnerElsewhere,
    NoSuchGroup,
    /// One at a time.
    SplitUnderWay {
        child: GroupId,
    },
    /// The boundary is not inside of the group's range.
    InvalidBoundary,
    /// The split is not the one that stands, or was made for a range that the group does not have.
    StaleSplit,
    /// The bucket is a tree, or is none: the change is not for its kind.
    WrongBucketKind,
    NoSuchEntry,
    /// Something has that name in the folder.
    EntryExists {
        entry: EntryId,
        is_folder: bool,
    },
    /// A file stands where the path goes through.
    NotAFolder,
    /// A folder stands where a file was meant.
    NotAFile,
    /// The file was changed since `rev` was read.
    StaleRevision {
        head: u64,
    },
    NoSuchRevision,
    /// A folder cannot go into itself, and the root nowhere.
    IntoItself,
    /// More than one command may copy.
    TooManyEntries {
        limit: u64,
    },
    PathTooDeep,
    /// The folder that an item of the trash was in is gone: name another place.
    ParentGone,
    NoSuchTrashItem,
    NoSuchSession,
    /// The next piece begins elsewhere.
    IncorrectOffset {
        expected: u64,
    },
    /// The session takes no more bytes, or is finished.
    SessionClosed,
    SessionNotClosed,
    /// Pieces of a concurrent session are missing, or overlap.
    SessionIncomplete {
        missing_at: u64,
    },
    TooManyParts,
    NoSuchLink,
    /// Past its end, or its downloads are used up.
    LinkExpired,
    NoSuchGrant,
    GrantExists,
    GrantExpired,
    TooManyGrants {
        max: u64,
    },
    /// Since the old one was checked.
    PasswordChanged,
    /// The device deletes too much: the owner has to allow it.
    DeviceHeld,
    NoSuchDevice,
    /// What was where is known since `earliest_ms`.
    TooFarBack {
        earliest_ms: u64,
    },
}
