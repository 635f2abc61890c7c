//! File keys: the live files of a tree as S3 keys, in the byte order of those, wherever one begins.
//! Invariant: a folder stands in its parent as its name with a slash, so the order of entries, level by level, is that of keys.

use onggi_storage_engine::format::Record;

use super::list::standing_name;
use super::page::tree_key;
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::key::TreeSpace;
use crate::metadata::query::cursor::Cursor;
use crate::metadata::record::tree::EntryRecord;
use crate::metadata::view::{MetadataView, after_prefix};

/// Those that begin with a prefix.
pub(super) struct FileKeys<'v> {
    prefix: &'v str,
    view: &'v dyn MetadataView,
    space: TreeSpace,
    /// From the root down.
    levels: Vec<Level<'v>>,
}

struct Level<'v> {
    folder: EntryId,
    /// With a slash at the end; empty for the root.
    path: String,
    cursor: Cursor<'v>,
}

impl<'v> FileKeys<'v> {
    pub(super) fn new(view: &'v dyn MetadataView, space: TreeSpace, prefix: &'v str) -> Result<Self> {
        let mut keys = Self { prefix, view, space, levels: Vec::new() };
        keys.seek(b"")?;
        Ok(keys)
    }

    fn open(&mut self, folder: EntryId, path: String) {
        let cursor = Cursor::new(self.view, self.space.entries_of(folder));
        self.levels.push(Level { folder, path, cursor });
    }

    /// The next file.
    pub(super) fn peek(&mut self) -> Result<Option<(String, EntryRecord)>> {
        while let Some(level) = self.levels.last_mut() {
            let Some((name, entry)) = level.next()? else {
                self.levels.pop();
                continue;
            };
            let path = format!("{}{name}", level.path);
            if !entry.is_folder() {
                let is_asked_for = path.starts_with(self.prefix);
                return Ok(is_asked_for.then_some((path, entry)));
            }
            level.cursor.advance();
            self.open(entry.id, path);
        }
        Ok(None)
    }

    pub(super) fn advance(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.cursor.advance();
        }
    }

    /// To the first key at or after `target`, forward or back, but not before the prefix.
    pub(super) fn seek(&mut self, target: &[u8]) -> Result<()> {
        let target = target.max(self.prefix.as_bytes());
        self.levels.clear();
        self.open(EntryId::ROOT, String::new());
        for name in target.split_inclusive(|byte| *byte == b'/') {
            let space = self.space;
            let Some(level) = self.levels.last_mut() else {
                return Ok(());
            };
            level.cursor.skip_to(space.entries_from(level.folder, name));
            let Some((standing, entry)) = level.next()? else {
                return Ok(());
            };
            if !entry.is_folder() || standing.as_bytes() != name {
                return Ok(());
            }
            let path = format!("{}{standing}", level.path);
            level.cursor.advance();
            self.open(entry.id, path);
        }
        Ok(())
    }

    pub(super) fn seek_past(&mut self, key: &str) -> Result<()> {
        self.seek(&[key.as_bytes(), &[0]].concat())
    }

    /// Past all keys that begin with `prefix`.
    pub(super) fn seek_behind(&mut self, prefix: &str) -> Result<()> {
        match after_prefix(prefix.as_bytes()) {
            Some(after) => self.seek(&after),
            None => {
                self.levels.clear();
                Ok(())
            }
        }
    }
}

impl Level<'_> {
    fn next(&mut self) -> Result<Option<(String, EntryRecord)>> {
        match self.cursor.peek()? {
            Some((key, value)) => Ok(Some((standing_name(tree_key(key)?)?, EntryRecord::from_bytes(value)?))),
            None => Ok(None),
        }
    }
}
