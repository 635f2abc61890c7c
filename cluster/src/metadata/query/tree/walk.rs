//! Walk: what is below a folder, in the byte order of S3 keys, page by page.
//! Owns: resuming by path: what was listed may be gone by then, and the walk goes on behind the place where it stood.

use onggi_storage_engine::format::Record;

use super::list::standing_name;
use super::page::tree_key;
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::key::TreeSpace;
use crate::metadata::query::cursor::Cursor;
use crate::metadata::record::tree::EntryRecord;
use crate::metadata::view::MetadataView;

#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    pub folder: EntryId,
    /// What the names right in the folder begin with, as they are spelled.
    pub prefix: String,
    /// Into folders too.
    pub recursive: bool,
    /// As `WalkPage::next` gave it, or any path below the folder (with a slash at the end: a folder, and go on with
    /// what is in it).
    pub after: Option<String>,
    /// Leaves out what changed after this seq, with all that is below it.
    pub unchanged_since: Option<u64>,
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WalkPage {
    pub entries: Vec<Walked>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Walked {
    /// From below the folder: `A/b.txt`.
    pub path: String,
    pub record: EntryRecord,
}

struct Level<'v> {
    folder: EntryId,
    /// With a slash at the end, unless it is the top.
    path: String,
    cursor: Cursor<'v>,
}

pub fn walk(view: &dyn MetadataView, space: TreeSpace, walk: &Walk) -> Result<WalkPage> {
    let top = Cursor::new(view, space.entries_with(walk.folder, &walk.prefix));
    let mut levels = vec![Level { folder: walk.folder, path: String::new(), cursor: top }];
    if let Some(after) = &walk.after {
        go_behind(view, space, &mut levels, after)?;
    }
    let mut page = WalkPage::default();
    let mut last = None;
    while let Some(level) = levels.last_mut() {
        let Some((name, record)) = next_of(level)? else {
            levels.pop();
            continue;
        };
        if page.entries.len() == walk.limit {
            page.next = last;
            break;
        }
        level.cursor.advance();
        let is_left_out = walk.unchanged_since.is_some_and(|seq| record.changed_seq > seq);
        if is_left_out {
            continue;
        }
        let path = format!("{}{name}", level.path);
        last = Some(path.clone());
        let inside = (walk.recursive && record.is_folder()).then_some(record.id);
        page.entries.push(Walked { path: path.trim_end_matches('/').to_owned(), record });
        if let Some(folder) = inside {
            let cursor = Cursor::new(view, space.entries_of(folder));
            levels.push(Level { folder, path, cursor });
        }
    }
    Ok(page)
}

fn next_of(level: &mut Level<'_>) -> Result<Option<(String, EntryRecord)>> {
    match level.cursor.peek()? {
        Some((key, value)) => Ok(Some((standing_name(tree_key(key)?)?, EntryRecord::from_bytes(value)?))),
        None => Ok(None),
    }
}

/// Opens the folders on the way to `after`, as far as they are there, each behind what was listed.
fn go_behind<'v>(view: &'v dyn MetadataView, space: TreeSpace, levels: &mut Vec<Level<'v>>, after: &str) -> Result<()> {
    for name in after.split_inclusive('/') {
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        let is_folder = name.ends_with('/');
        let key = space.entry(level.folder, name.trim_end_matches('/'), is_folder);
        if !is_folder {
            level.cursor.skip_past(key);
            return Ok(());
        }
        level.cursor.skip_to(key);
        let Some((standing, record)) = next_of(level)? else {
            return Ok(());
        };
        if standing != name {
            return Ok(());
        }
        level.cursor.advance();
        let path = format!("{}{name}", level.path);
        levels.push(Level { folder: record.id, path, cursor: Cursor::new(view, space.entries_of(record.id)) });
    }
    Ok(())
}
