//! Records of a tree: its entries, their revisions, its feed, its trash, its upload sessions and share links
//! (docs/drive-tree.md).

use bytes::Bytes;

use crate::id::{EntryId, LinkId, UploadId, UserId};
use crate::metadata::record::{Checksum, Content, ETag, ObjectHeaders, Pairs};

#[derive(Clone, Debug, PartialEq)]
pub struct TreeRecord {
    pub created_ms: u64,
    /// The last entry number given out.
    pub last_entry: u64,
    /// Of the last change: what a cursor of now stands at.
    pub seq: u64,
    /// Rows of the feed up to this seq may be gone: an older cursor starts over.
    pub feed_floor: u64,
    /// What open sessions declared and have not sent yet.
    pub reserved_bytes: u64,
    pub trash: Totals,
}

/// What is below a folder, or what the trash holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub files: u64,
    pub folders: u64,
    /// Of the head revisions.
    pub bytes: u64,
    /// All but the heads.
    pub revisions: u64,
    pub revision_bytes: u64,
}

/// A name as it was given (NFC), and folded: what makes two names the same. Folded by the proposer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName {
    pub name: String,
    pub key: String,
}

/// The names from below the root down; empty for the root.
pub type TreePath = Vec<EntryName>;

/// Its name is in its key.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryRecord {
    pub id: EntryId,
    pub created_ms: u64,
    /// The seq of its own last change. What is below an entry that arrived whole keeps an older one.
    pub changed_seq: u64,
    pub kind: EntryKind,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "almost every entry is a file")]
pub enum EntryKind {
    Folder(FolderRecord),
    File(FileRecord),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderRecord {
    /// The greatest seq of a change of it or below it.
    pub subtree_seq: u64,
    /// Its last change brought what is below along: moved, copied or restored.
    pub arrived_whole: bool,
    pub totals: Totals,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FileRecord {
    pub head: RevisionRecord,
    /// Besides the head.
    pub revisions: u64,
    pub revision_bytes: u64,
}

/// One state of a file's contents.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionRecord {
    /// The seq of the commit that made it.
    pub rev: u64,
    pub bytes: u64,
    pub content: Content,
    pub etag: ETag,
    pub checksum: Option<Checksum>,
    /// SHA-256 of the SHA-256s of its 4 MiB blocks (Dropbox's `content_hash`). Unknown for parts that came through S3.
    pub content_hash: Option<[u8; 32]>,
    pub headers: ObjectHeaders,
    pub tags: Pairs,
    pub modified_ms: u64,
    /// As the client says, of the file on its own disk.
    pub client_modified_ms: Option<u64>,
    pub author: Author,
    pub reason: RevisionReason,
    /// Never thinned out.
    pub keep: bool,
    pub label: String,
}

/// Who made a change, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub user: UserId,
    /// As it calls itself: "web", "laptop"; empty if it does not say.
    pub device: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionReason {
    Upload,
    Copy,
    Restore,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceRecord {
    Live {
        parent: EntryId,
        name: EntryName,
    },
    /// It was thrown away itself; what is below it is `Live` under it.
    Trashed {
        seq: u64,
    },
}

/// Where an entry stood until a change of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoodRecord {
    pub until_ms: u64,
    pub place: FormerPlace,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormerPlace {
    Folder {
        parent: EntryId,
        name: EntryName,
    },
    /// By itself.
    Trash,
}

/// How far a tree was when its first change of a span of time came (`MomentRecord::SPAN_MS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MomentRecord {
    pub seq: u64,
    pub last_entry: u64,
}

impl MomentRecord {
    /// The number of a span is its first millisecond divided by this.
    pub const SPAN_MS: u64 = 600_000;
}

/// What devices deleted lately (docs/mass-delete.md): those that delete last, last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrakeRecord {
    pub devices: Vec<DeviceDeletes>,
}

/// Of one device, since the beginning of its minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDeletes {
    pub device: String,
    pub since_ms: u64,
    /// Of the tree, before the first of them.
    pub since_seq: u64,
    pub deletes: u64,
    /// That went to the trash, with what was below.
    pub entries: u64,
    /// By the largest of the deletes.
    pub largest: u64,
    /// That the tree had before.
    pub of_entries: u64,
    /// Refused since then, until the owner says so.
    pub held_ms: Option<u64>,
    /// Not counted until then: the owner said so.
    pub allowed_until_ms: u64,
}

/// Who has a folded name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRecord {
    pub name: String,
    pub is_folder: bool,
}

/// A row of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeRecord {
    Entry(EntryId),
    Vacated { parent: EntryId, key: String },
}

/// The last entry that left a place, by move or into the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VacatedRecord {
    pub seq: u64,
    pub time_ms: u64,
    pub entry: EntryId,
    pub name: String,
    pub was_folder: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TrashRecord {
    pub seq: u64,
    pub trashed_ms: u64,
    pub by: Author,
    /// Where it stood.
    pub parent: EntryId,
    pub name: EntryName,
    /// The path at that time, for people.
    pub path: String,
    pub entry: EntryRecord,
    /// Purging began: it cannot come back.
    pub purging: bool,
}

/// An upload of one file in pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRecord {
    pub session: UploadId,
    pub kind: SessionKind,
    pub created_ms: u64,
    pub expires_ms: u64,
    /// Declared at the start.
    pub bytes: Option<u64>,
    /// Stored so far: of a sequential session the offset that comes next.
    pub received: u64,
    /// Of `bytes`, what is still to come, while it counts against the quota.
    pub reserved: u64,
    pub parts: u16,
    /// Takes no more bytes.
    pub closed: bool,
    /// What the service needs to finish it: target, mode, headers.
    pub details: Bytes,
    /// Running hashes, in the service's form.
    pub state: Bytes,
    pub finished: Option<FinishedSession>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Each piece begins where the last one ended.
    Sequential,
    /// Pieces in any order, each beginning at a multiple of 4 MiB.
    Concurrent,
}

/// A piece of a concurrent session: the digests of its blocks, in the service's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPartRecord {
    pub state: Bytes,
}

/// What became of it: enough to answer the finish again.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedSession {
    pub path: String,
    pub entry: EntryRecord,
}

#[derive(Clone, PartialEq)]
pub struct LinkRecord {
    pub link: LinkId,
    /// SHA-256 of the secret in the link's address.
    pub secret_hash: [u8; 32],
    pub entry: EntryId,
    pub role: LinkRole,
    pub created_ms: u64,
    pub created_by: Author,
    pub expires_ms: Option<u64>,
    /// Argon2id, PHC string.
    pub password: Option<String>,
    pub downloads_max: Option<u64>,
    pub downloads: u64,
}

impl std::fmt::Debug for LinkRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkRecord")
            .field("link", &self.link)
            .field("entry", &self.entry)
            .field("role", &self.role)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRole {
    View,
    Edit,
    /// Upload only: what is there is not shown.
    Drop,
}

impl EntryRecord {
    pub fn is_folder(&self) -> bool {
        matches!(self.kind, EntryKind::Folder(_))
    }

    pub fn file(&self) -> Option<&FileRecord> {
        match &self.kind {
            EntryKind::File(file) => Some(file),
            EntryKind::Folder(_) => None,
        }
    }

    pub fn folder(&self) -> Option<&FolderRecord> {
        match &self.kind {
            EntryKind::Folder(folder) => Some(folder),
            EntryKind::File(_) => None,
        }
    }

    /// It and what is below it.
    pub fn totals(&self) -> Totals {
        match &self.kind {
            EntryKind::Folder(folder) => Totals { folders: folder.totals.folders + 1, ..folder.totals },
            EntryKind::File(file) => Totals {
                files: 1,
                folders: 0,
                bytes: file.head.bytes,
                revisions: file.revisions,
                revision_bytes: file.revision_bytes,
            },
        }
    }
}
