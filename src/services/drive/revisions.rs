//! Revisions of a file: listed, brought back, kept. Also of one that lies in the trash, by the path that it had.

use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::{At, TreeChange};
use onggi_cluster::metadata::key::TreeSpace;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::tree::{EntryKind, RevisionRecord};
use onggi_cluster::metadata::view::MetadataView;

use super::DriveService;
use super::actor::Actor;
use super::entries::Entry;
use crate::services::error::{Error, Result};

/// Newest first.
#[derive(Clone, Debug)]
pub struct Revisions {
    pub of: KnownFile,
    pub revisions: Vec<RevisionRecord>,
    pub has_more: bool,
}

/// A file that is there, or was until it went to the trash.
#[derive(Clone, Debug)]
pub struct KnownFile {
    /// Where it is, or was.
    pub entry: Entry,
    pub head: RevisionRecord,
    /// Its item in the trash.
    pub trashed: Option<u64>,
}

impl DriveService {
    /// `limit` of them, those before `before_rev` if it is given.
    pub async fn revisions(&self, actor: &Actor, at: At, before_rev: Option<u64>, limit: usize) -> Result<Revisions> {
        let found = self
            .read(actor, move |view, tree| {
                let of = match known_file(view, tree, &at)? {
                    Ok(of) => of,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let with_head = before_rev.is_none_or(|before| before > of.head.rev);
                let mut revisions: Vec<RevisionRecord> = with_head.then(|| of.head.clone()).into_iter().collect();
                let rest = (limit + 1).saturating_sub(revisions.len());
                revisions.extend(query::tree::revisions(view, tree, of.entry.record.id, before_rev, rest)?);
                let has_more = revisions.len() > limit;
                revisions.truncate(limit);
                Ok(Ok(Revisions { of, revisions, has_more }))
            })
            .await?;
        found.map_err(Error::Refused)
    }

    /// A new revision with the contents of an old one. What lies in the trash comes back to where it was.
    pub async fn restore(&self, actor: &Actor, at: At, rev: u64) -> Result<Entry> {
        let found = self
            .read(actor, move |view, tree| {
                let file = match known_file(view, tree, &at)? {
                    Ok(file) => file,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                // Looked for before anything comes back.
                let is_there = query::tree::revision(view, tree, &file.entry.record, rev)?.is_some();
                Ok(if is_there { Ok(file) } else { Err(Refusal::NoSuchRevision) })
            })
            .await?;
        let KnownFile { entry, head, trashed } = found.map_err(Error::Refused)?;
        if let Some(trashed) = trashed {
            let back = self.untrash(actor, trashed, None).await?;
            if rev == head.rev {
                return Ok(back);
            }
        }
        self.change_entry(actor, TreeChange::Restore { entry: entry.record.id, rev }).await.map(Entry::from)
    }

    pub async fn mark_revision(
        &self,
        actor: &Actor,
        at: At,
        rev: u64,
        keep: Option<bool>,
        label: Option<String>,
    ) -> Result<RevisionRecord> {
        let entry = self.entry(actor, at).await?.record.id;
        self.change(actor, TreeChange::MarkRevision { entry, rev, keep, label }).await?;
        self.revision(actor, entry, rev).await
    }

    pub async fn revision(&self, actor: &Actor, entry: EntryId, rev: u64) -> Result<RevisionRecord> {
        let found = self
            .read(actor, move |view, tree| match query::tree::find(view, tree, &At::Entry(entry))? {
                Some(found) => query::tree::revision(view, tree, &found.record, rev),
                None => Ok(None),
            })
            .await?;
        found.ok_or(Error::Refused(Refusal::NoSuchRevision))
    }
}

/// What is there; else, at a path, what was thrown away from there last.
pub(super) fn known_file(
    view: &dyn MetadataView,
    tree: TreeSpace,
    at: &At,
) -> onggi_cluster::Result<Result<KnownFile, Refusal>> {
    let (entry, trashed) = match (query::tree::find(view, tree, at)?, at) {
        (Some(found), _) => (Entry::from(found), None),
        (None, At::Path(path)) => match query::tree::as_bucket::file_at(view, tree, path)?.and_then(|at| at.trashed) {
            Some(item) => (Entry { path: item.path, record: item.entry }, Some(item.seq)),
            None => return Ok(Err(Refusal::NoSuchEntry)),
        },
        (None, At::Entry(_)) => return Ok(Err(Refusal::NoSuchEntry)),
    };
    Ok(match &entry.record.kind {
        EntryKind::File(file) => Ok(KnownFile { head: file.head.clone(), entry, trashed }),
        EntryKind::Folder(_) => Err(Refusal::NotAFile),
    })
}
