//! Changes of a tree (docs/drive-tree.md).

use bytes::Bytes;

use crate::id::{EntryId, LinkId, UploadId};
use crate::metadata::command::{NewContent, NewPart, PartReference, WriteCondition};
use crate::metadata::record::tree::{EntryName, LinkRecord, SessionKind, TreePath};
use crate::metadata::record::{Checksum, ChecksumType, ETag, ObjectHeaders, Pairs};

#[derive(Clone, Debug, PartialEq)]
pub enum TreeChange {
    PutFile(PutFile),
    /// Refused if something has the name, unless it may be renamed.
    CreateFolder {
        path: TreePath,
        rename: Option<AutoRename>,
    },
    Move {
        from: At,
        to: TreePath,
        rename: Option<AutoRename>,
    },
    /// Of the head, or of the revision `rev` of a file.
    Copy {
        from: At,
        rev: Option<u64>,
        to: TreePath,
        rename: Option<AutoRename>,
    },
    Trash {
        at: At,
        expected_rev: Option<u64>,
    },
    /// To where it was, or to `to`.
    Untrash {
        trashed: u64,
        to: Option<TreePath>,
        rename: Option<AutoRename>,
    },
    /// Removes at most `limit` rows of an item of the trash for good.
    Purge {
        trashed: u64,
        limit: u32,
    },
    /// A new revision with the contents of an old one.
    Restore {
        entry: EntryId,
        rev: u64,
    },
    MarkRevision {
        entry: EntryId,
        rev: u64,
        keep: Option<bool>,
        label: Option<String>,
    },
    /// For good. If it is the head, the newest of the others is; with the last one the file goes.
    RemoveRevision {
        entry: EntryId,
        rev: u64,
    },
    CreateSession(CreateSession),
    AppendSession(AppendSession),
    FinishSession(FinishSession),
    AbortSession {
        session: UploadId,
    },
    /// A multipart upload that came through S3 becomes a file.
    CompleteUpload(CompleteFile),
    CreateLink {
        link: LinkRecord,
    },
    UpdateLink {
        link: LinkId,
        update: LinkUpdate,
    },
    RemoveLink {
        link: LinkId,
    },
    /// Refused once the link is past its end or its number of downloads.
    CountDownload {
        link: LinkId,
    },
    /// Forgets at most `limit` vacated places, oldest first, that were left before `before_ms`. Older cursors start over.
    TrimFeed {
        before_ms: u64,
        limit: u32,
    },
    /// Into the trash, unless too much of the tree goes there at once by this device.
    Delete {
        at: At,
        expected_rev: Option<u64>,
        brake: Brake,
    },
    /// A device that is held may go on; until `allowed_until_ms` nothing of it is counted.
    ReleaseDevice {
        device: String,
        allowed_until_ms: u64,
    },
    /// One step of bringing a folder back to how it was (docs/drive-rewind.md).
    Rewind(Rewind),
}

/// A device is held when it deletes more than both within a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    pub entries: u64,
    /// Of what the tree has.
    pub percent: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewind {
    pub folder: EntryId,
    pub to_ms: u64,
    /// As the step before gave it; none for the first.
    pub cursor: Option<RewindCursor>,
    /// Rows that are looked at.
    pub limit: u32,
}

/// Where a rewind goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewindCursor {
    pub stage: RewindStage,
    /// In the trash: items before this seq are next. In the feed: rows after it.
    pub at: u64,
    /// What came into the feed after this seq was done by this very stage, or by others meanwhile.
    pub until: u64,
}

/// In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewindStage {
    /// What was thrown away since comes back.
    Trash,
    /// What was moved since goes back.
    Places,
    /// What came since goes away.
    Arrivals,
    /// Files get the contents that they had.
    Contents,
}

/// What an entry is named by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    Path(TreePath),
    Entry(EntryId),
}

/// Small files, and files whose bytes are one blob. Missing parents are made.
#[derive(Clone, Debug, PartialEq)]
pub struct PutFile {
    pub path: TreePath,
    pub mode: WriteMode,
    pub rename: Option<AutoRename>,
    pub content: NewContent,
    pub file: NewFile,
}

/// What is known of a file besides where its bytes are.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFile {
    pub etag: ETag,
    pub checksum: Option<Checksum>,
    pub content_hash: Option<[u8; 32]>,
    pub headers: ObjectHeaders,
    pub tags: Pairs,
    pub client_modified_ms: Option<u64>,
}

/// What to do if something stands there already.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteMode {
    Add,
    Overwrite,
    /// Only over this head.
    Update {
        rev: u64,
    },
    /// As S3 does: always a new revision.
    Replace(WriteCondition),
}

/// How to make another name if the wanted one is taken: `stem (label n)extension`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoRename {
    pub stem: EntryName,
    /// "conflicted copy laptop 2026-11-22"; empty for numbers alone.
    pub label: EntryName,
    /// With its dot; empty if there is none.
    pub extension: EntryName,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateSession {
    pub session: UploadId,
    pub kind: SessionKind,
    /// Reserved against the quota.
    pub bytes: Option<u64>,
    pub details: Bytes,
    pub expires_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AppendSession {
    pub session: UploadId,
    pub offset: u64,
    /// Its number is given by `apply`. Empty content: nothing is appended.
    pub part: NewPart,
    /// The running hashes after this piece; of a concurrent session, those of the piece.
    pub state: Bytes,
    pub expires_ms: u64,
    pub close: bool,
}

/// The pieces become a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishSession {
    pub session: UploadId,
    pub path: TreePath,
    pub mode: WriteMode,
    pub rename: Option<AutoRename>,
    /// That the hashes in `file` are of.
    pub bytes: u64,
    pub file: NewFile,
}

/// CompleteMultipartUpload in a tree's bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct CompleteFile {
    pub path: TreePath,
    /// As the upload has it.
    pub key: String,
    pub upload: UploadId,
    pub mode: WriteMode,
    pub rename: Option<AutoRename>,
    pub parts: Vec<PartReference>,
    pub checksum: Option<Checksum>,
    pub checksum_type: Option<ChecksumType>,
    pub expected_bytes: Option<u64>,
    pub client_modified_ms: Option<u64>,
}

/// `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkUpdate {
    pub expires_ms: Option<Option<u64>>,
    pub password: Option<Option<String>>,
    pub downloads_max: Option<Option<u64>>,
}
