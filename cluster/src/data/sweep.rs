//! Sweep: frees the chunks of blobs that nothing names any more.
//! Owns: the two ways to find them: blobs that `apply` freed, after a grace period; and a slow pass over the chunk index for
//! those that were never named (aborted uploads, crashes) or whose freeing was lost at a restart.
//! Does not own: reclaiming the space (the chunk store's garbage collection).
//! Invariant: a blob is freed only if, after it was older than the grace period and not protected by `OpenBlobs`, the
//! *current* state of its group had no reference to it: a replica that lags knows fewer names than there are. A commit makes
//! the reference before it is acknowledged, and blob ids are never reused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::env::{Clock, spawn_blocking};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::departed_groups::DepartedGroups;
use super::freed_blobs::FreedQueue;
use super::group_state::{GroupState, GroupStates};
use super::open_blobs::OpenBlobs;
use super::received_blobs::ReceivedBlobs;
use super::replica_set::ReplicaMapWatch;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, GroupId, NodeId};
use crate::metadata::query;
use crate::metadata::view::MetadataView;

#[derive(Clone, Copy, Debug)]
pub struct SweepOptions {
    /// How often the chunk index is compared with the references.
    pub interval: Duration,
    /// No pass begins earlier after the start: what was being written here before it is protected by nobody else.
    pub grace: Duration,
}

/// Freed blobs are looked after this often, so the grace period is kept to a second.
const TICK: Duration = Duration::from_secs(1);
const FREES_PER_TICK_MAX: usize = 4096;
/// Blobs of one step of the pass, and the pause behind it: at most 25,000 blobs a second.
const PAGE_BLOBS: usize = 256;
const PAGE_PAUSE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepStatus {
    /// Blobs freed after `apply` removed their last name, since the start.
    pub freed: u64,
    /// Orphans found by the pass over the chunk index, since the start.
    pub orphans: u64,
    pub passes: u64,
    /// Blobs of which no pass could tell whether they are named, because the group's current state could not be had.
    pub undecided: u64,
    /// Blobs that wait for the end of their grace period.
    pub waiting: u64,
}

/// Cheap to clone: the task and those who ask for its status share it.
#[derive(Clone)]
pub struct Sweeper {
    parts: Arc<SweeperParts>,
    departed: DepartedGroups,
    counts: Arc<Counts>,
}

pub struct SweeperParts {
    pub node: NodeId,
    pub clock: Arc<dyn Clock>,
    pub chunks: ChunkStore,
    pub replicas: ReplicaMapWatch,
    pub states: Arc<dyn GroupStates>,
    pub open: OpenBlobs,
    pub received: ReceivedBlobs,
    pub freed: FreedQueue,
    pub options: SweepOptions,
}

#[derive(Default)]
struct Counts {
    freed: AtomicU64,
    orphans: AtomicU64,
    passes: AtomicU64,
    undecided: AtomicU64,
}

impl Sweeper {
    pub fn new(parts: SweeperParts) -> Self {
        let departed = DepartedGroups::new(parts.clock.clone(), parts.options.grace);
        Self { parts: Arc::new(parts), departed, counts: Arc::default() }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let SweepOptions { interval, grace } = self.parts.options;
        // Not a whole interval: a node that is stopped every night would never make a pass.
        let mut pass_due = Instant::now() + grace + TICK;
        // Where a pass stands is not kept over a restart: the next one begins anew, and what it went over before costs a look at
        // the index and no I/O of chunks (ten million blobs: seven minutes). Kept, it would be one more thing on the drive that can be wrong.
        let mut cursor = None;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            self.free_due().await;
            self.parts.open.forget_expired();
            // Each holds the extents open that its chunks are in.
            self.parts.received.close_silent();
            if self.look_for_departed() {
                // Their room is wanted, above all on a drive that was getting full.
                pass_due = pass_due.min(Instant::now() + grace + TICK);
            }
            if Instant::now() < pass_due {
                continue;
            }
            // A pass that was cut short by an error goes on where it was.
            match self.pass(&mut cursor, &stop).await {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "sweep stopped early; it goes on at the next interval"),
            }
            pass_due = Instant::now() + interval;
        }
    }

    pub fn status(&self) -> SweepStatus {
        SweepStatus {
            freed: self.counts.freed.load(Ordering::Relaxed),
            orphans: self.counts.orphans.load(Ordering::Relaxed),
            passes: self.counts.passes.load(Ordering::Relaxed),
            undecided: self.counts.undecided.load(Ordering::Relaxed),
            waiting: self.parts.freed.len() as u64,
        }
    }

    pub(super) async fn free_due(&self) {
        for blob in self.parts.freed.take_due(FREES_PER_TICK_MAX) {
            match self.parts.chunks.free(blob).await {
                Ok(()) => self.counts.freed.fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    tracing::warn!(?blob, %error, "could not free a blob; a later pass finds it");
                    return;
                }
            };
        }
    }

    /// One pass over the chunk index, from `cursor` on; `None` again at the end.
    pub(super) async fn pass(&self, cursor: &mut Option<BlobId>, stop: &CancellationToken) -> Result<()> {
        loop {
            let page = self.parts.chunks.blobs(*cursor, PAGE_BLOBS).await?;
            let Some(last) = page.last().map(|(blob, _)| *blob) else { break };
            // Unprotected first, references after: a blob that is committed in between is still protected.
            let candidates: Vec<BlobId> =
                page.into_iter().map(|(blob, _)| blob).filter(|blob| !self.parts.open.protects(*blob)).collect();
            for (group, candidates) in self.by_group(candidates) {
                self.free_orphans(group, candidates).await?;
            }
            *cursor = Some(last);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(PAGE_PAUSE) => {}
            }
        }
        *cursor = None;
        self.parts.received.close_silent();
        self.counts.passes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// True if a group has left this node since the last look.
    pub(super) fn look_for_departed(&self) -> bool {
        let map = self.parts.replicas.borrow();
        self.departed.look(map.groups(), &map.groups_on(self.parts.node))
    }

    fn by_group(&self, blobs: Vec<BlobId>) -> BTreeMap<GroupId, Vec<BlobId>> {
        let map = self.parts.replicas.borrow();
        let mut groups: BTreeMap<GroupId, Vec<BlobId>> = BTreeMap::new();
        blobs.into_iter().for_each(|blob| groups.entry(map.group_of(blob.owner())).or_default().push(blob));
        groups
    }

    async fn free_orphans(&self, group: GroupId, candidates: Vec<BlobId>) -> Result<()> {
        let orphans = match self.parts.states.current(group).await {
            Ok(GroupState::Here(view)) => without_reference(view, candidates).await?,
            Ok(GroupState::Elsewhere) if self.departed.is_long_gone(group) => candidates,
            // The others may still fetch what the last of them lack.
            Ok(GroupState::Elsewhere) => return Ok(()),
            Err(error) => {
                self.counts.undecided.fetch_add(candidates.len() as u64, Ordering::Relaxed);
                tracing::debug!(group = group.0, %error, "not swept: the current state of the group is not known");
                return Ok(());
            }
        };
        for orphan in orphans {
            self.parts.chunks.free(orphan).await?;
            self.counts.orphans.fetch_add(1, Ordering::Relaxed);
            tracing::info!(blob = ?orphan, "freed chunks that nothing names");
        }
        Ok(())
    }
}

async fn without_reference(view: Box<dyn MetadataView + Send>, mut blobs: Vec<BlobId>) -> Result<Vec<BlobId>> {
    let look_up = move || -> Result<Vec<BlobId>> {
        let mut orphans = Vec::new();
        for blob in blobs.drain(..) {
            if !query::blob_is_named(&*view, blob)? {
                orphans.push(blob);
            }
        }
        Ok(orphans)
    };
    spawn_blocking(look_up).await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "look up references", panic))?
}
