//! Entries, revisions and what was removed, as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onggi_cluster::metadata::record::tree::{Author, EntryKind, RevisionReason, RevisionRecord, TrashRecord};
use onggi_cluster::metadata::record::{ChecksumAlgorithm, ETag};
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::{media_type, text_form};
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;
use crate::services::drive::feed::Item;

/// By `type`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntryJson {
    File(Box<FileJson>),
    Folder(FolderJson),
    Removed(RemovedJson),
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FileJson {
    pub id: String,
    pub name: String,
    pub path: String,
    /// Of the head.
    pub rev: String,
    pub size: u64,
    #[schema(format = DateTime)]
    pub modified: String,
    #[schema(format = DateTime)]
    /// As the client said it.
    pub client_modified: Option<String>,
    #[schema(format = DateTime)]
    pub created: String,
    /// Dropbox's: SHA-256 over the SHA-256 of each 4 MiB.
    pub content_hash: Option<String>,
    /// `null`: the bytes came in parts side by side.
    pub md5: Option<String>,
    pub mime_type: String,
    pub etag: String,
    pub author: String,
    pub device: String,
    /// The head included.
    pub revisions: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FolderJson {
    pub id: String,
    pub name: String,
    pub path: String,
    pub etag: String,
    #[schema(format = DateTime)]
    pub created: String,
    /// What is below it, at any depth.
    pub files: u64,
    pub folders: u64,
    pub bytes: u64,
}

/// In changes only: it went from here, and whatever was below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedJson {
    pub id: String,
    pub path: String,
    /// `file` or `folder`.
    pub was: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RevisionJson {
    pub rev: String,
    pub size: u64,
    #[schema(format = DateTime)]
    pub modified: String,
    #[schema(format = DateTime)]
    pub client_modified: Option<String>,
    pub author: String,
    pub device: String,
    /// `upload`, `copy` or `restore`.
    pub reason: &'static str,
    pub label: String,
    pub keep_forever: bool,
    pub content_hash: Option<String>,
    pub is_head: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TrashJson {
    /// Under which it lies in the trash.
    pub trashed: String,
    pub entry: EntryJson,
    /// Where it stood.
    pub path: String,
    #[schema(format = DateTime)]
    pub deleted: String,
}

impl EntryJson {
    pub fn new(actor: &Actor, entry: &Entry) -> Self {
        let name = entry.path.rsplit('/').next().unwrap_or_default().to_owned();
        let (id, created) = (text_form::entry_id(entry.record.id), text_form::time(entry.record.created_ms));
        let path = entry.path.clone();
        match &entry.record.kind {
            EntryKind::Folder(folder) => Self::Folder(FolderJson {
                id,
                name,
                path,
                etag: text_form::revision(folder.subtree_seq),
                created,
                files: folder.totals.files,
                folders: folder.totals.folders,
                bytes: folder.totals.bytes,
            }),
            EntryKind::File(file) => {
                let head = &file.head;
                Self::File(Box::new(FileJson {
                    id,
                    mime_type: media_type::of(head.headers.content_type.as_deref(), &name).to_owned(),
                    name,
                    path,
                    rev: text_form::revision(head.rev),
                    size: head.bytes,
                    modified: text_form::time(head.modified_ms),
                    client_modified: head.client_modified_ms.map(text_form::time),
                    created,
                    content_hash: head.content_hash.map(hex::encode),
                    md5: md5(&head.etag).map(hex::encode),
                    etag: text_form::revision(head.rev),
                    author: author(actor, &head.author),
                    device: head.author.device.clone(),
                    revisions: file.revisions + 1,
                }))
            }
        }
    }

    pub fn of_item(actor: &Actor, item: &Item) -> Self {
        match item {
            Item::Entry(entry) => Self::new(actor, entry),
            Item::Removed { path, entry, was_folder } => Self::Removed(RemovedJson {
                id: text_form::entry_id(*entry),
                path: path.clone(),
                was: if *was_folder { "folder" } else { "file" },
            }),
        }
    }
}

impl RevisionJson {
    pub fn new(actor: &Actor, revision: &RevisionRecord, head: u64) -> Self {
        Self {
            rev: text_form::revision(revision.rev),
            size: revision.bytes,
            modified: text_form::time(revision.modified_ms),
            client_modified: revision.client_modified_ms.map(text_form::time),
            author: author(actor, &revision.author),
            device: revision.author.device.clone(),
            reason: match revision.reason {
                RevisionReason::Upload => "upload",
                RevisionReason::Copy => "copy",
                RevisionReason::Restore => "restore",
            },
            label: revision.label.clone(),
            keep_forever: revision.keep,
            content_hash: revision.content_hash.map(hex::encode),
            is_head: revision.rev == head,
        }
    }
}

impl TrashJson {
    pub fn new(actor: &Actor, item: &TrashRecord) -> Self {
        let entry = Entry { path: item.path.clone(), record: item.entry.clone() };
        Self {
            trashed: item.seq.to_string(),
            entry: EntryJson::new(actor, &entry),
            path: item.path.clone(),
            deleted: text_form::time(item.trashed_ms),
        }
    }
}

/// Known unless the bytes came in parts side by side.
pub fn md5(etag: &ETag) -> Option<[u8; 16]> {
    etag.parts.is_none().then_some(etag.md5)
}

/// CRC32C in base64, as Google's clients compare it.
pub fn crc32c(revision: &RevisionRecord) -> Option<String> {
    let checksum = revision.checksum.as_ref()?;
    (checksum.algorithm == ChecksumAlgorithm::Crc32c).then(|| STANDARD.encode(&checksum.value))
}

fn author(actor: &Actor, author: &Author) -> String {
    if author.user == actor.principal.user { actor.principal.name.clone() } else { format!("u{}", author.user.0) }
}
