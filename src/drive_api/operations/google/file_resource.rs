//! File resource: an entry with the fields that Google's clients look for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::entry_json::{self, EntryJson};
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;

/// An entry, and what Google's clients compare with what they sent: `md5Hash` and `crc32c` in base64.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileResource {
    #[serde(flatten)]
    entry: EntryJson,
    kind: &'static str,
    mime_type: Option<String>,
    md5_checksum: Option<String>,
    md5_hash: Option<String>,
    crc32c: Option<String>,
}

impl FileResource {
    pub fn new(actor: &Actor, entry: &Entry) -> Self {
        let head = entry.record.file().map(|file| &file.head);
        let md5 = head.and_then(|head| entry_json::md5(&head.etag));
        let json = EntryJson::new(actor, entry);
        let mime_type = match &json {
            EntryJson::File(file) => Some(file.mime_type.clone()),
            EntryJson::Folder(_) | EntryJson::Removed(_) => None,
        };
        Self {
            entry: json,
            kind: "drive#file",
            mime_type,
            md5_checksum: md5.map(hex::encode),
            md5_hash: md5.map(|md5| STANDARD.encode(md5)),
            crc32c: head.and_then(entry_json::crc32c),
        }
    }
}
