//! Tree keeper: what time does to trees: sessions that nobody goes on with, old trash, revisions that thin out, the tail of the feed.
//! Owns: the order of the work and its bounds; every step is one command, so that it may stop anywhere.
//! Does not own: which revisions stay (`thinning`), what a step does (`apply`).
//! Invariant: works on the trees whose group this node leads; two nodes that both believe so do the same work, which is done once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{BucketId, EntryId, UploadId, UserId};
use crate::metadata::bucket_steps::DRIVE_SUFFIX;
use crate::metadata::client::{MetadataClient, Route};
use crate::metadata::command::tree::{At, TreeChange};
use crate::metadata::command::{Change, OwnerChange};
use crate::metadata::key::{BucketSpace, TreeSpace};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::tree::Author;
use crate::metadata::view::MetadataView;

mod thinning;

/// How long what is no longer current stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeRetention {
    /// What was thrown away can be taken back for this long.
    pub trash: Duration,
    /// A cursor that is older must start over. At least as long as a laptop lies in a drawer.
    pub feed: Duration,
}

impl Default for TreeRetention {
    fn default() -> Self {
        Self { trash: Duration::from_secs(30 * 86_400), feed: Duration::from_secs(180 * 86_400) }
    }
}

const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Records of one page, and rows of one command: some milliseconds each.
const PAGE: usize = 500;
const ROWS: u32 = 1_000;

pub(crate) async fn run(client: MetadataClient, retention: TreeRetention, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if let Err(error) = client.keep_trees(retention, &stop).await {
            tracing::warn!(%error, "could not clear what is past its time out of all drives");
        }
    }
}

/// One tree that is being kept.
struct Tree<'a> {
    client: &'a MetadataClient,
    user: UserId,
    bucket: BucketId,
    now_ms: u64,
}

impl MetadataClient {
    /// One pass over all trees that are led here.
    pub(crate) async fn keep_trees(&self, retention: TreeRetention, stop: &CancellationToken) -> Result<()> {
        let mut after: Option<String> = None;
        while !stop.is_cancelled() {
            let from = after.take();
            let page = self.read(Route::System, move |view| query::bucket_names(view, from.as_deref(), PAGE)).await?;
            for (name, record) in &page {
                let is_ours = name.ends_with(DRIVE_SUFFIX) && !record.pending && self.leads(record.owner.owner_key());
                if is_ours && !stop.is_cancelled() {
                    self.keep_tree(name, record.owner, retention).await?;
                }
            }
            match page.into_iter().last() {
                Some((last, _)) => after = Some(last),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn keep_tree(&self, name: &str, user: UserId, retention: TreeRetention) -> Result<()> {
        let (owner, name) = (user.owner_key(), name.to_owned());
        let bucket = self.read(Route::Owner(owner), move |view| query::bucket(view, owner, &name)).await?;
        let Some(bucket) = bucket else {
            return Ok(());
        };
        let tree = Tree { client: self, user, bucket: bucket.id, now_ms: self.now_ms() };
        tree.end_sessions().await?;
        tree.empty_trash(retention.trash).await?;
        tree.thin_revisions().await?;
        tree.trim_feed(retention.feed).await
    }
}

impl Tree<'_> {
    async fn end_sessions(&self) -> Result<()> {
        let mut after: Option<UploadId> = None;
        loop {
            let sessions = self.read(move |view, tree| query::tree::sessions(view, tree, after, PAGE)).await?;
            let Some(last) = sessions.last() else {
                return Ok(());
            };
            after = Some(last.session);
            for session in sessions.iter().filter(|session| session.expires_ms <= self.now_ms) {
                self.change(TreeChange::AbortSession { session: session.session }).await?;
            }
        }
    }

    async fn empty_trash(&self, keep: Duration) -> Result<()> {
        let before_ms = self.past_ms(keep);
        let mut before_seq = None;
        loop {
            let items = self.read(move |view, tree| query::tree::trash(view, tree, before_seq, PAGE)).await?;
            let Some(last) = items.last() else {
                return Ok(());
            };
            before_seq = Some(last.seq);
            // What somebody began to purge goes on here if nobody else did.
            for item in items.iter().filter(|item| item.purging || item.trashed_ms <= before_ms) {
                let purge = TreeChange::Purge { trashed: item.seq, limit: ROWS };
                while self.change(purge.clone()).await? == (Outcome::Purged { more: true }) {}
            }
        }
    }

    async fn thin_revisions(&self) -> Result<()> {
        let mut thinning = thinning::Thinning::new(self.now_ms);
        let mut after: Option<(EntryId, u64)> = None;
        loop {
            let revisions = self.read(move |view, tree| query::tree::all_revisions(view, tree, after, PAGE)).await?;
            let Some((entry, revision)) = revisions.last() else {
                return Ok(());
            };
            after = Some((*entry, revision.rev));
            for (entry, revision) in revisions {
                // What lies in the trash goes, or comes back, as a whole.
                if !thinning.keeps(entry, &revision) && self.is_live(entry).await? {
                    self.change(TreeChange::RemoveRevision { entry, rev: revision.rev }).await?;
                }
            }
        }
    }

    async fn is_live(&self, entry: EntryId) -> Result<bool> {
        let found = self.read(move |view, tree| query::tree::find(view, tree, &At::Entry(entry))).await?;
        Ok(found.is_some())
    }

    async fn trim_feed(&self, keep: Duration) -> Result<()> {
        let trim = TreeChange::TrimFeed { before_ms: self.past_ms(keep), limit: ROWS };
        // Mostly there is nothing to do: that is seen without a command.
        let oldest = self.read(|view, tree| query::tree::vacated_places(view, tree, 1)).await?;
        let is_due = oldest.first().is_some_and(|(_, _, oldest)| oldest.time_ms < self.past_ms(keep));
        while is_due && self.change(trim.clone()).await? == (Outcome::Purged { more: true }) {}
        Ok(())
    }

    fn past_ms(&self, ago: Duration) -> u64 {
        self.now_ms.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX))
    }

    async fn read<T, Q>(&self, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView, TreeSpace) -> Result<T> + Send + 'static,
    {
        let owner = self.user.owner_key();
        let tree = TreeSpace(BucketSpace::new(owner, self.bucket));
        self.client.read(Route::Owner(owner), move |view| query(view, tree)).await
    }

    /// What is gone by now, in the trash, or changed by its owner, needs nothing from here.
    async fn change(&self, change: TreeChange) -> Result<Outcome> {
        let author = Author { user: self.user, device: "retention".to_owned() };
        let change = OwnerChange::Tree { bucket: self.bucket, author, quota_bytes: None, change };
        match self.client.commit(Change::Owner { owner: self.user.owner_key(), change }).await? {
            Outcome::Refused(
                Refusal::NoSuchSession
                | Refusal::NoSuchTrashItem
                | Refusal::NoSuchEntry
                | Refusal::NoSuchRevision
                | Refusal::NoSuchBucket,
            ) => Ok(Outcome::Done),
            Outcome::Refused(refusal) => {
                Err(Error::new(ErrorKind::Internal, format!("keeping a drive was refused: {refusal:?}")))
            }
            outcome => Ok(outcome),
        }
    }
}

#[cfg(test)]
mod tree_keeper_test;
