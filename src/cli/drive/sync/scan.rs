//! Scan: the local tree, as it stands on the disk.
//! Owns: what is read and what is not: a file whose stamp is known is not; and what cannot be synced, with the reason.
//! Invariant: what cannot be read is never taken for deleted.

use std::collections::BTreeMap;
use std::fs::{DirEntry, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::disk::HIDDEN;
use super::tree::{Identity, Local, LocalFile, LocalItem, SECOND_NS, Stamp, Synced, Tree, Trees, key};
use crate::services::drive::content_hash::hash_blocks;
use crate::services::drive::name;

const READ_BYTES: usize = 1 << 20;

/// Fills in `local`, `unsyncable` and `twins`. `root`: the folder of the drive, as its names count for the length of paths.
/// Returns whether something was changing while it was looked at.
pub fn scan(dir: &Path, root: &str, trees: &mut Trees) -> Result<bool> {
    let mut scan = Scan { root, synced: &trees.synced, known: &trees.local, found: Trees::default(), is_busy: false };
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let listed = std::fs::read_dir(dir.join(&folder)).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        match listed {
            Ok(entries) => folders.extend(scan.folder(&folder, entries)),
            Err(error) if folder.is_empty() => return Err(error).with_context(|| format!("read {}", dir.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => scan.is_busy = true,
            Err(error) => scan.refuse(&folder, format!("cannot be read: {error}")),
        }
    }
    let Scan { found, is_busy, .. } = scan;
    (trees.local, trees.unsyncable, trees.twins) = (found.local, found.unsyncable, found.twins);
    Ok(is_busy)
}

struct Scan<'a> {
    root: &'a str,
    synced: &'a Tree<Synced>,
    /// Of the scan before.
    known: &'a Tree<Local>,
    found: Trees,
    is_busy: bool,
}

impl Scan<'_> {
    /// Returns the folders in it.
    fn folder(&mut self, folder: &str, entries: Vec<DirEntry>) -> Vec<String> {
        let mut by_key: BTreeMap<String, Vec<(String, DirEntry)>> = BTreeMap::new();
        for entry in entries {
            let name = entry.file_name();
            if folder.is_empty() && name == HIDDEN {
                continue;
            }
            let path = join(folder, &name.to_string_lossy());
            match name.to_str().map(|_| name::tree_path(&format!("{}/{path}", self.root))) {
                None => self.refuse(&path, "its name is no UTF-8".to_owned()),
                Some(Err(rule)) => self.refuse(&path, rule.to_string()),
                Some(Ok(_)) => by_key.entry(key(&path)).or_default().push((path, entry)),
            }
        }
        let mut folders = Vec::new();
        for (key, mut twins) in by_key {
            // The one that was synced goes on being it.
            let synced = self.synced.get(&key).map(|synced| synced.local_path.as_str());
            twins.sort_by_key(|(path, _)| (Some(path.as_str()) != synced, path.clone()));
            if twins.len() > 1 {
                self.found.twins.insert(key.clone());
            }
            let Some((path, entry)) = twins.into_iter().next() else { continue };
            if self.entry(key, path.clone(), &entry) {
                folders.push(path);
            }
        }
        folders
    }

    /// Returns whether it is a folder.
    fn entry(&mut self, key: String, path: String, entry: &DirEntry) -> bool {
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.is_busy = true;
                return false;
            }
            Err(error) => {
                self.refuse(&path, format!("cannot be read: {error}"));
                return false;
            }
        };
        let item = if metadata.is_dir() {
            LocalItem::Folder
        } else if metadata.is_file() {
            match self.file(&key, &entry.path(), &metadata) {
                Ok(Some(file)) => LocalItem::File(file),
                Ok(None) => {
                    self.is_busy = true;
                    // It is here, and not to be touched.
                    self.found.unsyncable.insert(key, String::new());
                    return false;
                }
                Err(error) => {
                    self.refuse(&path, format!("cannot be read: {error}"));
                    return false;
                }
            }
        } else {
            self.refuse(&path, kind(&metadata).to_owned());
            return false;
        };
        let is_folder = item == LocalItem::Folder;
        self.found.local.insert(key, Local { path, identity: identity(&metadata), item });
        is_folder
    }

    /// `None`: it changed while it was read.
    fn file(&self, key: &str, path: &Path, metadata: &Metadata) -> std::io::Result<Option<LocalFile>> {
        let stamp = stamp(metadata);
        let synced = self.synced.get(key).and_then(|synced| synced.file()).map(|(_, file)| file);
        let scanned = self.known.get(key).and_then(Local::file);
        let known = synced.into_iter().chain(scanned).find(|file| file.stamp == stamp && file.is_settled());
        if let Some(known) = known {
            return Ok(Some(known.clone()));
        }
        let hashed_ns = now_ns();
        let (hash, after) = hash_file(path)?;
        Ok((after == stamp).then_some(LocalFile { stamp, hash, hashed_ns }))
    }

    fn refuse(&mut self, path: &str, why: String) {
        self.found.unsyncable.insert(key(path), format!("{path}: {why}"));
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_symlink() { "is a symbolic link" } else { "is neither a file nor a folder" }
}

pub fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        bytes: metadata.len(),
        modified_ns: metadata.mtime().saturating_mul(SECOND_NS).saturating_add(metadata.mtime_nsec()),
        changed_ns: metadata.ctime().saturating_mul(SECOND_NS).saturating_add(metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

/// `None`: the file system does not say when it was born, or it has several names.
pub fn identity(metadata: &Metadata) -> Option<Identity> {
    let has_one_name = metadata.is_dir() || metadata.nlink() == 1;
    let born_ns = ns(metadata.created().ok()?);
    has_one_name.then_some(Identity { inode: metadata.ino(), born_ns })
}

pub fn now_ns() -> i64 {
    ns(SystemTime::now())
}

fn ns(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Content hash in hex, and the stamp when the last byte was read.
pub fn hash_file(path: &Path) -> std::io::Result<(String, Stamp)> {
    let mut file = File::open(path)?;
    let (mut block, mut whole, mut at) = (Sha256::new(), Sha256::new(), 0);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash_blocks(&mut block, at, &buffer[..read], |digest| whole.update(digest));
        at += read as u64;
    }
    if !at.is_multiple_of(crate::services::drive::content_hash::BLOCK_BYTES) {
        whole.update(block.finalize());
    }
    Ok((hex::encode(whole.finalize()), stamp(&file.metadata()?)))
}

#[cfg(test)]
mod scan_test;
