//! Messages of the drive API, as far as the command line reads them.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    File(File),
    Folder(Folder),
    Removed { path: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    pub id: String,
    pub path: String,
    pub rev: String,
    pub size: u64,
    pub modified: String,
    pub client_modified: Option<String>,
    pub content_hash: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Folder {
    pub id: String,
    pub path: String,
    pub files: u64,
    pub bytes: u64,
}

#[derive(Debug, Deserialize)]
pub struct Page {
    pub entries: Vec<Entry>,
    pub cursor: String,
    pub has_more: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Revision {
    pub rev: String,
    pub size: u64,
    pub modified: String,
    pub author: String,
    pub device: String,
    pub reason: String,
    pub label: String,
    pub keep_forever: bool,
    pub is_head: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Revisions {
    pub entries: Vec<Revision>,
    pub has_more: bool,
}

impl Entry {
    pub fn path(&self) -> &str {
        match self {
            Self::File(file) => &file.path,
            Self::Folder(folder) => &folder.path,
            Self::Removed { path } => path,
        }
    }
}
