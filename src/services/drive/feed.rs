//! Feed: a folder as it is, then what changes in it. One position leads through both, so that nothing is missed between.
//! Owns: where a client stands. A listing of several pages is the state at its first page: what changed since is left out of later pages
//! and comes with the changes after them.

use std::time::Duration;

use onggi_cluster::id::{BucketId, EntryId, OwnerKey, UserId};
use onggi_cluster::metadata::command::tree::At;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::query::tree::{ChangesAfter, TreeEvent, Walk};
use onggi_cluster::metadata::view::MetadataView;
use tokio::time::{Instant, sleep_until};

use super::actor::Actor;
use super::entries::Entry;
use super::{DriveService, space};
use crate::services::error::{Error, Result};

/// How often who waits looks for changes that came through other nodes. Those of this node wake at once.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Where a client stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub tree: BucketId,
    pub folder: EntryId,
    pub recursive: bool,
    pub stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Of the state at `seq`, what comes after the path `after`.
    Listing { seq: u64, after: String },
    /// What changed after `seq`; `within`: in the middle of what the change `seq` brought.
    Changes { seq: u64, within: Option<String> },
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "almost every item is an entry")]
pub enum Item {
    Entry(Entry),
    Removed { path: String, entry: EntryId, was_folder: bool },
}

#[derive(Clone, Debug)]
pub struct Page {
    pub items: Vec<Item>,
    pub next: Position,
    pub has_more: bool,
}

impl DriveService {
    /// The first page.
    pub async fn list(&self, actor: &Actor, folder: At, recursive: bool, limit: usize) -> Result<Page> {
        let begin = self.latest(actor, folder, recursive).await?;
        let Stage::Changes { seq, .. } = begin.stage else { return Err(Error::Vanished) };
        let stage = Stage::Listing { seq, after: String::new() };
        self.go_on(actor, Position { stage, ..begin }, limit).await
    }

    /// Behind everything that is there now.
    pub async fn latest(&self, actor: &Actor, folder: At, recursive: bool) -> Result<Position> {
        let owner = actor.principal.owner_key();
        let found = self
            .read(actor, move |view, tree| {
                let record = query::tree::tree(view, owner, tree.0.bucket)?;
                let found = query::tree::find(view, tree, &folder)?;
                Ok(record.zip(found).map(|(record, found)| (tree.0.bucket, record.seq, found.record)))
            })
            .await?;
        let (tree, seq, record) = found.ok_or(Error::Refused(Refusal::NoSuchEntry))?;
        if !record.is_folder() {
            return Err(Error::Refused(Refusal::NotAFolder));
        }
        Ok(Position { tree, folder: record.id, recursive, stage: Stage::Changes { seq, within: None } })
    }

    /// `CursorReset`: too much happened since; the client lists anew.
    pub async fn go_on(&self, actor: &Actor, position: Position, limit: usize) -> Result<Page> {
        match position.stage.clone() {
            Stage::Listing { seq, after } => self.go_on_listing(actor, position, seq, after, limit).await,
            Stage::Changes { seq, within } => {
                self.go_on_changes(actor, position, ChangesAfter { seq, within }, limit).await
            }
        }
    }

    async fn go_on_listing(
        &self,
        actor: &Actor,
        position: Position,
        seq: u64,
        after: String,
        limit: usize,
    ) -> Result<Page> {
        let walk = Walk {
            folder: position.folder,
            prefix: String::new(),
            recursive: position.recursive,
            after: Some(after).filter(|after| !after.is_empty()),
            unchanged_since: Some(seq),
            limit,
        };
        let tree_asked = position.tree;
        let (top, page) = self
            .read(actor, move |view, tree| {
                if tree.0.bucket != tree_asked {
                    return Ok(None);
                }
                let Some(top) = query::tree::find(view, tree, &At::Entry(walk.folder))? else {
                    return Ok(None);
                };
                Ok(Some((top.path(), query::tree::walk(view, tree, &walk)?)))
            })
            .await?
            .ok_or(Error::CursorReset)?;
        let entry = |path: String, record| Item::Entry(Entry { path: format!("{top}/{path}"), record });
        let items = page.entries.into_iter().map(|walked| entry(walked.path, walked.record)).collect();
        let has_more = page.next.is_some();
        let stage = match page.next {
            Some(after) => Stage::Listing { seq, after },
            None => Stage::Changes { seq, within: None },
        };
        Ok(Page { items, next: Position { stage, ..position }, has_more })
    }

    async fn go_on_changes(
        &self,
        actor: &Actor,
        position: Position,
        after: ChangesAfter,
        limit: usize,
    ) -> Result<Page> {
        let owner = actor.principal.owner_key();
        let Position { tree: tree_asked, folder, recursive, .. } = position.clone();
        let page = self
            .read(actor, move |view, tree| {
                let Some(record) = query::tree::tree(view, owner, tree.0.bucket)? else { return Ok(None) };
                if tree.0.bucket != tree_asked || after.seq < record.feed_floor || after.seq > record.seq {
                    return Ok(None);
                }
                query::tree::changes(view, tree, folder, recursive, &after, limit).map(Some)
            })
            .await?
            .ok_or(Error::CursorReset)?;
        let items = page.events.into_iter().map(Item::from).collect();
        let stage = Stage::Changes { seq: page.next.seq, within: page.next.within };
        Ok(Page { items, next: Position { stage, ..position }, has_more: page.has_more })
    }

    /// Whether `go_on` would have something to tell.
    async fn is_behind(&self, owner: OwnerKey, position: &Position) -> Result<bool> {
        let Stage::Changes { seq, within: None } = position.stage else { return Ok(true) };
        let (tree, folder) = (space(owner, position.tree), position.folder);
        let find = move |view: &dyn MetadataView| query::tree::find(view, tree, &At::Entry(folder));
        let found = self.metadata.read_owner(owner, find).await?;
        // A folder that is gone is a change of it, too.
        Ok(found.and_then(|found| found.record.folder().map(|folder| folder.subtree_seq > seq)).unwrap_or(true))
    }

    /// Returns `true` as soon as there is something to tell, `false` after `time`. `position` must be one that was given to `user`.
    pub async fn wait(&self, user: UserId, position: &Position, time: Duration) -> Result<bool> {
        let (deadline, owner) = (Instant::now() + time, user.owner_key());
        let changes = self.hub.of(owner);
        loop {
            let woken = changes.notified();
            tokio::pin!(woken);
            // A change between the look and the sleep must wake.
            woken.as_mut().enable();
            if self.is_behind(owner, position).await? {
                return Ok(true);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            tokio::select! {
                () = woken => {}
                () = sleep_until(deadline.min(now + LOOK_INTERVAL)) => {}
            }
        }
    }
}

impl From<TreeEvent> for Item {
    fn from(event: TreeEvent) -> Self {
        match event {
            TreeEvent::Changed { path, entry } => Self::Entry(Entry { path, record: entry }),
            TreeEvent::Removed { path, entry, was_folder, .. } => Self::Removed { path, entry, was_folder },
        }
    }
}
