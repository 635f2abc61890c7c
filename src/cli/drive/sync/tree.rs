//! Trees: what stands where, here, on the drive, and on both when they were last the same.
//! Owns: what an entry is known by, and how names are compared. Paths are relative, without a slash at either end; the root has no row.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::services::drive::name;

/// By key. A folder's key sorts before what is below it.
pub type Tree<T> = BTreeMap<String, T>;

/// Paths with one key are one place on the drive: case and the composition of accents make no difference.
pub fn key(path: &str) -> String {
    name::folded_path(path)
}

pub fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub fn parent_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

pub fn is_below(key: &str, folder: &str) -> bool {
    key.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whatever is below a folder, at any depth; not the folder itself.
pub fn below<'a, T>(tree: &'a Tree<T>, folder: &str) -> impl Iterator<Item = (&'a String, &'a T)> {
    // `0` comes after `/`.
    let (first, end) = (format!("{folder}/"), format!("{folder}0"));
    tree.range((Bound::Included(first), Bound::Excluded(end)))
}

pub fn remove_below<T>(tree: &mut Tree<T>, folder: &str) {
    let gone: Vec<String> = below(tree, folder).map(|(key, _)| key.clone()).collect();
    for key in gone {
        tree.remove(&key);
    }
}

impl Trees {
    /// Something below stands here that is not synced.
    pub fn has_strangers(&self, folder: &str) -> bool {
        below(&self.unsyncable, folder).next().is_some() || self.twins.iter().any(|twin| is_below(twin, folder))
    }
}

/// Nearest first.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent_of(path), |path| parent_of(path))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    pub path: String,
    pub identity: Option<Identity>,
    pub item: LocalItem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalItem {
    Folder,
    File(LocalFile),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFile {
    pub stamp: Stamp,
    /// Dropbox's content hash, in hex, as the drive tells it.
    pub hash: String,
    /// By this machine's clock.
    pub hashed_ns: i64,
}

/// A file can change twice within a tick of its file system's clock.
const TICK_NS: i64 = 100_000_000;
/// Of a clock that counts whole seconds (FAT counts every other).
const COARSE_TICK_NS: i64 = 2_000_000_000;
pub const SECOND_NS: i64 = 1_000_000_000;

impl LocalFile {
    /// Whatever was written after it was hashed has given it another stamp.
    pub fn is_settled(&self) -> bool {
        let changed_ns = self.stamp.changed_ns;
        let tick = if changed_ns % SECOND_NS == 0 { COARSE_TICK_NS } else { TICK_NS };
        self.hashed_ns.saturating_sub(changed_ns) > tick
    }
}

/// What tells, without reading it, that a file is the one that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub bytes: u64,
    pub modified_ns: i64,
    pub changed_ns: i64,
    pub inode: u64,
}

/// What stays when something is renamed. Inodes are given again, but not with the same time of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub inode: u64,
    pub born_ns: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub path: String,
    pub id: String,
    pub item: RemoteItem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteItem {
    Folder,
    File(RemoteFile),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    pub rev: String,
    pub bytes: u64,
    /// Unknown for files that came in parts through S3.
    pub hash: Option<String>,
    pub client_modified_ms: Option<i64>,
}

/// What both sides held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    pub local_path: String,
    pub remote_path: String,
    pub identity: Option<Identity>,
    pub id: String,
    pub item: SyncedItem,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncedItem {
    Folder,
    File { rev: String, local: LocalFile },
}

#[derive(Debug, Default)]
pub struct Trees {
    pub local: Tree<Local>,
    pub remote: Tree<Remote>,
    pub synced: Tree<Synced>,
    /// Stands here and cannot be held by the drive: why. Never touched.
    pub unsyncable: Tree<String>,
    /// Where something else stands beside what is synced, under a name that is the same on the drive. Never touched.
    pub twins: BTreeSet<String>,
}

impl Local {
    pub fn is_folder(&self) -> bool {
        self.item == LocalItem::Folder
    }

    pub fn file(&self) -> Option<&LocalFile> {
        match &self.item {
            LocalItem::File(file) => Some(file),
            LocalItem::Folder => None,
        }
    }
}

impl Remote {
    pub fn is_folder(&self) -> bool {
        self.item == RemoteItem::Folder
    }

    pub fn file(&self) -> Option<&RemoteFile> {
        match &self.item {
            RemoteItem::File(file) => Some(file),
            RemoteItem::Folder => None,
        }
    }
}

impl Synced {
    /// `None` for a file here and a folder there. Whether the contents are the same is for the caller to know.
    pub fn of(local: &Local, remote: &Remote) -> Option<Self> {
        let item = match (&local.item, &remote.item) {
            (LocalItem::Folder, RemoteItem::Folder) => SyncedItem::Folder,
            (LocalItem::File(local), RemoteItem::File(remote)) => {
                SyncedItem::File { rev: remote.rev.clone(), local: local.clone() }
            }
            _ => return None,
        };
        Some(Self {
            local_path: local.path.clone(),
            remote_path: remote.path.clone(),
            identity: local.identity,
            id: remote.id.clone(),
            item,
        })
    }

    /// Worth to be written down in the place of `then`. When a file was hashed is, once that proves something.
    pub fn tells_more_than(&self, then: &Self) -> bool {
        match (self.file(), then.file()) {
            (Some((_, local)), Some((rev, known))) if !local.is_settled() || known.is_settled() => {
                let mut then = then.clone();
                let known = LocalFile { hashed_ns: local.hashed_ns, ..known.clone() };
                then.item = SyncedItem::File { rev: rev.to_owned(), local: known };
                then != *self
            }
            _ => then != self,
        }
    }

    pub fn is_folder(&self) -> bool {
        self.item == SyncedItem::Folder
    }

    pub fn file(&self) -> Option<(&str, &LocalFile)> {
        match &self.item {
            SyncedItem::File { rev, local } => Some((rev, local)),
            SyncedItem::Folder => None,
        }
    }
}
