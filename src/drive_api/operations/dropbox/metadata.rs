//! Metadata as Dropbox's SDKs check it: times without fractions, revisions of nine digits at least.

use onggi_cluster::metadata::record::tree::RevisionRecord;
use serde_json::{Value, json};

use super::rev;
use crate::drive_api::text_form;
use crate::services::drive::entries::Entry;
use crate::services::drive::feed::Item;
use crate::services::drive::name;

/// With its `.tag`, as a member of `Metadata`.
pub fn of_entry(entry: &Entry) -> Value {
    match entry.record.file() {
        Some(file) => of_revision(entry, &file.head),
        None => {
            let mut folder = named(&entry.path);
            folder[".tag"] = json!("folder");
            folder["id"] = json!(text_form::entry_id(entry.record.id));
            folder
        }
    }
}

pub fn of_revision(entry: &Entry, revision: &RevisionRecord) -> Value {
    let mut file = named(&entry.path);
    file[".tag"] = json!("file");
    file["id"] = json!(text_form::entry_id(entry.record.id));
    file["rev"] = json!(rev::text(entry.record.id, revision.rev));
    file["size"] = json!(revision.bytes);
    file["is_downloadable"] = json!(true);
    file["server_modified"] = json!(text_form::time_in_seconds(revision.modified_ms));
    let client_modified = revision.client_modified_ms.unwrap_or(revision.modified_ms);
    file["client_modified"] = json!(text_form::time_in_seconds(client_modified));
    if let Some(hash) = revision.content_hash {
        file["content_hash"] = json!(hex::encode(hash));
    }
    file
}

pub fn of_item(item: &Item) -> Value {
    match item {
        Item::Entry(entry) => of_entry(entry),
        Item::Removed { path, .. } => {
            let mut removed = named(path);
            removed[".tag"] = json!("deleted");
            removed
        }
    }
}

fn named(path: &str) -> Value {
    let last = path.rsplit('/').next().unwrap_or_default();
    json!({ "name": last, "path_lower": name::folded_path(path), "path_display": path })
}
