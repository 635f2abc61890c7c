//! Mirror: a client that lists once, a page at a time, and then follows the feed.

use std::collections::BTreeMap;

use crate::id::EntryId;
use crate::metadata::key::TreeSpace;
use crate::metadata::query::tree as query;
use crate::metadata::query::tree::{ChangesAfter, TreeEvent};
use crate::metadata::record::tree::EntryRecord;
use crate::metadata::view::MetadataView;

#[derive(Default)]
pub(super) struct Mirror {
    cursor: Option<Cursor>,
    /// Folded path → path and contents; `None` for a folder.
    files: BTreeMap<String, (String, Option<u8>)>,
}

enum Cursor {
    Listing { seq: u64, after: Option<String> },
    Following(ChangesAfter),
}

impl Mirror {
    /// One page; true if there is more.
    pub(super) fn step(&mut self, view: &dyn MetadataView, space: TreeSpace, limit: usize) {
        self.page(view, space, limit);
    }

    pub(super) fn catch_up(&mut self, view: &dyn MetadataView, space: TreeSpace) {
        for _ in 0..1_000 {
            if !self.page(view, space, 2) {
                return;
            }
        }
        panic!("the feed does not end");
    }

    pub(super) fn files(&self) -> BTreeMap<String, Option<u8>> {
        self.files.values().cloned().collect()
    }

    fn page(&mut self, view: &dyn MetadataView, space: TreeSpace, limit: usize) -> bool {
        let seq = query::tree(view, space.0.owner, space.0.bucket).unwrap().unwrap().seq;
        match self.cursor.take().unwrap_or(Cursor::Listing { seq, after: None }) {
            Cursor::Listing { seq, after } => {
                let walk = query::Walk {
                    folder: EntryId::ROOT,
                    prefix: String::new(),
                    recursive: true,
                    after,
                    unchanged_since: Some(seq),
                    limit,
                };
                let page = query::walk(view, space, &walk).unwrap();
                for walked in page.entries {
                    self.put(&format!("/{}", walked.path), &walked.record);
                }
                self.cursor = Some(match page.next {
                    Some(next) => Cursor::Listing { seq, after: Some(next) },
                    None => Cursor::Following(ChangesAfter { seq, within: None }),
                });
                true
            }
            Cursor::Following(after) => {
                let page = query::changes(view, space, EntryId::ROOT, true, &after, limit).unwrap();
                for event in page.events {
                    match event {
                        TreeEvent::Changed { path, entry } => self.put(&path, &entry),
                        TreeEvent::Removed { path, .. } => self.remove(&path),
                    }
                }
                self.cursor = Some(Cursor::Following(page.next));
                page.has_more
            }
        }
    }

    /// A file takes the place of whatever was there; a folder keeps what is in it, unless a file was there.
    fn put(&mut self, path: &str, entry: &EntryRecord) {
        let letter = entry.file().map(|file| file.head.etag.md5[0]);
        let path = path.trim_start_matches('/');
        let was_file = self.files.get(&path.to_lowercase()).is_some_and(|(_, letter)| letter.is_some());
        if letter.is_some() || was_file {
            self.remove(path);
        }
        // Names of folders above may be spelled anew: a client goes by what it is told last.
        for (at, _) in path.match_indices('/') {
            let parent = &path[..at];
            self.files.entry(parent.to_lowercase()).or_insert_with(|| (parent.to_owned(), None));
        }
        self.files.insert(path.to_lowercase(), (path.to_owned(), letter));
    }

    fn remove(&mut self, path: &str) {
        let folded = path.trim_start_matches('/').to_lowercase();
        let below = format!("{folded}/");
        self.files.retain(|key, _| *key != folded && !key.starts_with(&below));
    }
}
