//! Entries: looking one up, and changing where it stands.

use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::{At, TreeChange};
use onggi_cluster::metadata::outcome::{EntryChanged, Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::query::tree::{Found, Walk};
use onggi_cluster::metadata::record::tree::{EntryRecord, Totals, TrashRecord, TreePath};

use super::DriveService;
use super::actor::{Actor, Renaming};
use super::mass_delete::BRAKE;
use super::name;
use crate::services::error::{Error, Result};

/// Rows of a trash item that one command of a purge removes.
const PURGE_ROWS: u32 = 1000;
/// Items of the trash read at once while it is emptied.
const TRASH_PAGE: usize = 100;
/// Entries that one page of a search looks at.
const SEARCH_PAGE: usize = 1000;
/// Entries that a search looks at before it gives what it has found.
const SEARCH_ENTRIES_MAX: usize = 100_000;

/// A live entry and its path: `/A/b.txt`, and `/` for the root.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub path: String,
    pub record: EntryRecord,
}

impl From<Found> for Entry {
    fn from(found: Found) -> Self {
        let path = Some(found.path()).filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned());
        Self { path, record: found.record }
    }
}

impl From<EntryChanged> for Entry {
    fn from(changed: EntryChanged) -> Self {
        Self { path: changed.path, record: changed.entry }
    }
}

/// What a tree holds, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// That holds the tree, as S3 names it.
    pub bucket: String,
    pub live: u64,
    pub versions: u64,
    pub trash: u64,
    /// Of all the user's buckets, as the quota counts it.
    pub total: u64,
}

impl DriveService {
    pub async fn entry(&self, actor: &Actor, at: At) -> Result<Entry> {
        let found = self.read(actor, move |view, tree| query::tree::find(view, tree, &at)).await?;
        found.map(Entry::from).ok_or(Error::Refused(Refusal::NoSuchEntry))
    }

    pub async fn create_folder(&self, actor: &Actor, path: TreePath, autorename: bool) -> Result<Entry> {
        let rename = autorename.then(|| actor.auto_rename(&path, Renaming::Numbered, true)).flatten();
        self.change_entry(actor, TreeChange::CreateFolder { path, rename }).await.map(Entry::from)
    }

    pub async fn move_entry(&self, actor: &Actor, from: At, to: TreePath, autorename: bool) -> Result<Entry> {
        let rename = self.rename_for(actor, &from, &to, autorename).await?;
        self.change_entry(actor, TreeChange::Move { from, to, rename }).await.map(Entry::from)
    }

    /// `rev`: of a file, another revision than the head.
    pub async fn copy_entry(
        &self,
        actor: &Actor,
        from: At,
        rev: Option<u64>,
        to: TreePath,
        autorename: bool,
    ) -> Result<Entry> {
        let rename = self.rename_for(actor, &from, &to, autorename).await?;
        self.change_entry(actor, TreeChange::Copy { from, rev, to, rename }).await.map(Entry::from)
    }

    async fn rename_for(
        &self,
        actor: &Actor,
        from: &At,
        to: &TreePath,
        autorename: bool,
    ) -> Result<Option<onggi_cluster::metadata::command::tree::AutoRename>> {
        if !autorename {
            return Ok(None);
        }
        let is_folder = self.entry(actor, from.clone()).await?.record.is_folder();
        Ok(actor.auto_rename(to, Renaming::Numbered, is_folder))
    }

    /// Into the trash; the outcome says under which number it lies there.
    pub async fn trash_entry(&self, actor: &Actor, at: At, expected_rev: Option<u64>) -> Result<EntryChanged> {
        self.change_entry(actor, TreeChange::Delete { at, expected_rev, brake: BRAKE }).await
    }

    pub async fn trash(&self, actor: &Actor, before: Option<u64>, limit: usize) -> Result<Vec<TrashRecord>> {
        self.read(actor, move |view, tree| query::tree::trash(view, tree, before, limit)).await
    }

    /// To where it was, or to `to`.
    pub async fn untrash(&self, actor: &Actor, trashed: u64, to: Option<TreePath>) -> Result<Entry> {
        let item = self
            .read(actor, move |view, tree| query::tree::trash_item(view, tree, trashed))
            .await?
            .ok_or(Error::Refused(Refusal::NoSuchTrashItem))?;
        let named = to.clone().unwrap_or_else(|| vec![item.name.clone()]);
        // What has taken the name meanwhile is no reason to lose what comes back.
        let rename = actor.auto_rename(&named, Renaming::Numbered, item.entry.is_folder());
        self.change_entry(actor, TreeChange::Untrash { trashed, to, rename }).await.map(Entry::from)
    }

    /// For good, step by step. A step that is lost is found where it was by the next purge.
    pub async fn purge(&self, actor: &Actor, trashed: u64) -> Result<()> {
        loop {
            let purge = TreeChange::Purge { trashed, limit: PURGE_ROWS };
            match self.change(actor, purge).await? {
                Outcome::Purged { more: true } => {}
                Outcome::Purged { more: false } => return Ok(()),
                outcome => return Err(Error::unexpected(outcome)),
            }
        }
    }

    /// What lies in the trash when this begins.
    pub async fn empty_trash(&self, actor: &Actor) -> Result<()> {
        let mut before = None;
        loop {
            let items = self.trash(actor, before, TRASH_PAGE).await?;
            let Some(last) = items.last() else { return Ok(()) };
            before = Some(last.seq);
            for item in items {
                match self.purge(actor, item.seq).await {
                    // Taken out or purged by somebody else meanwhile.
                    Err(Error::Refused(Refusal::NoSuchTrashItem)) => {}
                    purged => purged?,
                }
            }
        }
    }

    /// Names that hold every word of `words`, in any case, below `folder`.
    pub async fn search(&self, actor: &Actor, folder: At, words: &str, limit: usize) -> Result<(Vec<Entry>, bool)> {
        let words: Vec<String> = words.split_whitespace().map(|word| name::part(word).key).collect();
        let top = self.entry(actor, folder).await?;
        let (mut entries, mut after, mut seen) = (Vec::new(), None, 0);
        while seen < SEARCH_ENTRIES_MAX {
            let walk = Walk {
                folder: top.record.id,
                prefix: String::new(),
                recursive: true,
                after: after.take(),
                unchanged_since: None,
                limit: SEARCH_PAGE,
            };
            let page = self.read(actor, move |view, tree| query::tree::walk(view, tree, &walk)).await?;
            seen += page.entries.len();
            for walked in page.entries {
                let last = walked.path.rsplit('/').next().unwrap_or(&walked.path);
                let key = name::part(last).key;
                if words.iter().all(|word| key.contains(word)) {
                    if entries.len() == limit {
                        return Ok((entries, true));
                    }
                    let path = format!("{}/{}", top.path.trim_end_matches('/'), walked.path);
                    entries.push(Entry { path, record: walked.record });
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok((entries, false));
            }
        }
        Ok((entries, true))
    }

    pub async fn usage(&self, actor: &Actor) -> Result<Usage> {
        let owner = actor.principal.owner_key();
        let (root, trash, total, bucket) = self
            .read(actor, move |view, tree| {
                let root = query::tree::find(view, tree, &At::Entry(EntryId::ROOT))?.map(|found| found.record.totals());
                let trash = query::tree::tree(view, owner, tree.0.bucket)?.map(|record| record.trash);
                let bucket = query::bucket_by_id(view, owner, tree.0.bucket)?.map(|bucket| bucket.name);
                Ok((root, trash, query::owner_totals(view, owner)?.bytes, bucket))
            })
            .await?;
        let (root, trash): (Totals, Totals) = (root.unwrap_or_default(), trash.unwrap_or_default());
        Ok(Usage {
            bucket: bucket.unwrap_or_default(),
            live: root.bytes,
            versions: root.revision_bytes,
            trash: trash.bytes + trash.revision_bytes,
            total,
        })
    }
}
