//! Shared entry: what a visitor is told of an entry. Nothing of who made it, with what, or where it stands in the tree.

use onggi_cluster::metadata::record::tree::EntryKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::{media_type, text_form};
use crate::services::drive::entries::Entry;

/// By `type`.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SharedEntryJson {
    File {
        id: String,
        name: String,
        path: String,
        rev: String,
        size: u64,
        #[schema(format = DateTime)]
        modified: String,
        #[schema(format = DateTime)]
        client_modified: Option<String>,
        mime_type: String,
    },
    Folder {
        id: String,
        name: String,
        path: String,
        #[schema(format = DateTime)]
        created: String,
        #[serde(flatten)]
        #[schema(value_type = Contents)]
        contents: Option<Contents>,
    },
}

/// What is below a folder, at any depth: of one that is not shown, nothing.
#[derive(Serialize, ToSchema)]
pub struct Contents {
    #[schema(required = false)]
    etag: String,
    #[schema(required = false)]
    files: u64,
    #[schema(required = false)]
    folders: u64,
    #[schema(required = false)]
    bytes: u64,
}

impl SharedEntryJson {
    /// `path`: as the visitor sees it.
    pub fn new(entry: &Entry, path: String) -> Self {
        match &entry.record.kind {
            EntryKind::Folder(folder) => {
                let contents = Contents {
                    etag: text_form::revision(folder.subtree_seq),
                    files: folder.totals.files,
                    folders: folder.totals.folders,
                    bytes: folder.totals.bytes,
                };
                Self::folder(entry, path, Some(contents))
            }
            EntryKind::File(file) => {
                let (name, head) = (name_of(entry), &file.head);
                Self::File {
                    id: text_form::entry_id(entry.record.id),
                    path,
                    rev: text_form::revision(head.rev),
                    size: head.bytes,
                    modified: text_form::time(head.modified_ms),
                    client_modified: head.client_modified_ms.map(text_form::time),
                    mime_type: media_type::of(head.headers.content_type.as_deref(), &name).to_owned(),
                    name,
                }
            }
        }
    }

    /// A folder that is not shown: not even when something in it changes.
    pub fn closed(entry: &Entry) -> Self {
        Self::folder(entry, String::new(), None)
    }

    fn folder(entry: &Entry, path: String, contents: Option<Contents>) -> Self {
        let (id, created) = (text_form::entry_id(entry.record.id), text_form::time(entry.record.created_ms));
        Self::Folder { id, name: name_of(entry), path, created, contents }
    }
}

fn name_of(entry: &Entry) -> String {
    entry.path.rsplit('/').next().unwrap_or_default().to_owned()
}
