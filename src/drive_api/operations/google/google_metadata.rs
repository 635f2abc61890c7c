//! Google metadata: what its clients say of a file, and what ours says to them.

use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::At;
use onggi_cluster::metadata::record::tree::EntryKind;
use serde::{Deserialize, Serialize};

use super::google_error::Result;
use crate::drive_api::error::DriveError;
use crate::drive_api::file_metadata::FileMetadata;
use crate::drive_api::router::DriveApi;
use crate::drive_api::{entry_json, media_type, text_form};
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;

pub const FOLDER_TYPE: &str = "application/vnd.google-apps.folder";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GoogleMetadata {
    pub name: Option<String>,
    pub parents: Vec<String>,
    pub mime_type: Option<String>,
    pub modified_time: Option<String>,
    /// Ours: instead of name and parents.
    pub path: Option<String>,
    pub trashed: bool,
}

impl GoogleMetadata {
    /// Where the file shall stand. `standing`: where it does, if it is there.
    pub async fn path(&self, api: &DriveApi, actor: &Actor, standing: Option<&Entry>) -> Result<String> {
        if let Some(path) = &self.path {
            return Ok(path.clone());
        }
        let (parent, name) = match standing.and_then(|entry| entry.path.rsplit_once('/')) {
            Some((parent, name)) => (parent.to_owned(), name.to_owned()),
            None => (String::new(), "Untitled".to_owned()),
        };
        let parent = match self.parents.first() {
            Some(parent) => api.drive().entry(actor, entry_at(parent)?).await?.path,
            None => parent,
        };
        Ok(format!("{}/{}", parent.trim_end_matches('/'), self.name.as_deref().unwrap_or(&name)))
    }

    /// A name that is taken is no error to Google's clients: two files may have one.
    pub fn file_metadata(&self, path: String, replaces: bool) -> FileMetadata {
        FileMetadata {
            path: Some(path),
            mode: Some(if replaces { "overwrite" } else { "add" }.to_owned()),
            autorename: !replaces,
            client_modified: self.modified_time.clone(),
            mime_type: self.mime_type.clone(),
            ..FileMetadata::default()
        }
    }
}

/// `root`, or an id as we give them out.
pub fn entry_at(id: &str) -> std::result::Result<At, DriveError> {
    match id {
        "root" => Ok(At::Entry(EntryId::ROOT)),
        id => {
            let id = text_form::parse_entry_id(id);
            id.map(At::Entry).ok_or_else(|| DriveError::not_found("there is no file with this id"))
        }
    }
}

/// Numbers of 64 bits are text in Google's JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoogleFile {
    kind: &'static str,
    pub id: String,
    pub name: String,
    pub path: String,
    pub mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    created_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_time: Option<String>,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_revision_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5_checksum: Option<String>,
    trashed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parents: Vec<String>,
}

impl GoogleFile {
    /// `parent`: `None` if nobody looked.
    pub fn new(entry: &Entry, parent: Option<EntryId>) -> Self {
        let name = entry.path.rsplit('/').next().unwrap_or_default().to_owned();
        let record = &entry.record;
        let head = record.file().map(|file| &file.head);
        let mime_type = match head {
            Some(head) => media_type::of(head.headers.content_type.as_deref(), &name),
            None => FOLDER_TYPE,
        };
        let version = match &record.kind {
            EntryKind::File(file) => file.head.rev,
            EntryKind::Folder(folder) => folder.subtree_seq,
        };
        Self {
            kind: "drive#file",
            id: text_form::entry_id(record.id),
            mime_type: mime_type.to_owned(),
            name,
            path: entry.path.clone(),
            size: head.map(|head| head.bytes.to_string()),
            created_time: text_form::time(record.created_ms),
            modified_time: head.map(|head| text_form::time(head.client_modified_ms.unwrap_or(head.modified_ms))),
            version: version.to_string(),
            head_revision_id: head.map(|head| text_form::revision(head.rev)),
            md5_checksum: head.and_then(|head| entry_json::md5(&head.etag)).map(hex::encode),
            trashed: false,
            parents: parent.map(text_form::entry_id).into_iter().collect(),
        }
    }
}
