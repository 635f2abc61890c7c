//! Passes: each replica compares what the records of its groups name with the chunks that it has, and brings what is missing.
//! Owns: the walk over the records now and then, after a snapshot, after a start, and for the back-fill of a new replica.
//! Does not own: how a chunk is brought (`repair`); blobs that were named a moment ago, which the repair queue looks after.
//! Invariant: a back-fill is complete only when a walk over one state, begun behind the wanted entry, found nothing missing.

mod schedule;
mod walk;

#[cfg(test)]
mod passes_test;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::env::spawn_blocking;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use schedule::{BackfillProgress, PassSchedule};

use super::blob_layout::BlobLayout;
use super::fill_report::GroupFill;
use super::repair::{FETCHES_MAX, RepairQueue, Repairer};
use super::replica_set::ReplicaMapWatch;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, GroupId, NodeId};
use crate::metadata::view::StoreView;
use schedule::{Left, PassEnd};
pub use walk::Walk;

/// Groups at a time.
const PASSES_MAX: usize = 2;
/// Missing blobs that one walk keeps, about 60 bytes each; the next walk finds the rest.
const MISSING_MAX: usize = 64 * 1024;
/// Between two pages of a walk, so that it takes no more than part of one core.
const PAGE_PAUSE: Duration = Duration::from_millis(5);
/// How often it is looked whether the map of replicas has changed.
const TICK: Duration = Duration::from_secs(1);

/// Cheap to clone.
#[derive(Clone)]
pub struct Passes {
    parts: Arc<PassesParts>,
    done: Arc<AtomicU64>,
}

pub struct PassesParts {
    pub node: NodeId,
    pub chunks: ChunkStore,
    pub metadata: MetadataStore,
    pub replicas: ReplicaMapWatch,
    pub repairer: Repairer,
    pub repairs: RepairQueue,
    pub schedule: PassSchedule,
    /// From one pass of a group to the next.
    pub interval: Duration,
}

/// What a walk found: the blobs that lack something, some of them listed, all counted.
#[derive(Default)]
struct Missing {
    listed: BTreeMap<BlobId, BlobLayout>,
    left: Left,
    /// Bytes of all that were compared. A blob counts as often as it is named.
    named_bytes: u64,
    /// Something that was named a moment ago is not here; it may come by itself.
    on_its_way: bool,
}

impl Passes {
    pub fn new(parts: PassesParts) -> Self {
        Self { parts: Arc::new(parts), done: Arc::default() }
    }

    /// Runs until `stop`. A group that this node has not had before gets its first pass at once.
    pub async fn run(self, stop: CancellationToken) {
        let workers = (0..PASSES_MAX).map(|_| self.clone().work(stop.clone()));
        futures::future::join_all(workers).await;
    }

    pub fn backfill(&self, group: GroupId, applied: u64, wanted: u64) -> BackfillProgress {
        self.parts.schedule.backfill(group, applied, wanted)
    }

    /// How much of each group is here.
    pub fn fills(&self) -> Vec<GroupFill> {
        self.parts.schedule.fills()
    }

    /// Passes that went over all records of a group, and what they left missing.
    pub fn status(&self) -> (u64, u64, u64) {
        let left = self.parts.schedule.left();
        (self.done.load(Ordering::Relaxed), left.blobs, left.bytes)
    }

    async fn work(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if !self.pass_of_next_group(&stop).await {
                let wait = tokio::time::timeout(TICK, self.parts.schedule.changed());
                let _changed_or_not = stop.run_until_cancelled(wait).await;
            }
        }
    }

    /// False if no group has its turn.
    pub(super) async fn pass_of_next_group(&self, stop: &CancellationToken) -> bool {
        let parts = &self.parts;
        let groups = self.shared_groups();
        if parts.repairs.take_overflow() {
            groups.iter().for_each(|group| parts.schedule.request(*group));
        }
        let Some(group) = parts.schedule.take(&groups, Instant::now()) else { return false };
        let end = match self.pass(group, stop).await {
            Ok(end) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                end
            }
            Err(error) => {
                tracing::warn!(group = group.0, %error, "the records were not compared with the chunks");
                PassEnd::Failed
            }
        };
        parts.schedule.ended(group, &end, Instant::now(), parts.interval);
        true
    }

    /// The groups here that others have, too: what only this node has cannot be fetched from anybody.
    fn shared_groups(&self) -> Vec<GroupId> {
        let map = self.parts.replicas.borrow();
        let is_shared = |group: &GroupId| map.set_of_group(*group).is_ok_and(|set| !set.is_only(self.parts.node));
        map.groups_on(self.parts.node).into_iter().filter(is_shared).collect()
    }

    async fn pass(&self, group: GroupId, stop: &CancellationToken) -> Result<PassEnd> {
        let missing = self.walk(group, stop).await?;
        if missing.left.blobs == 0 {
            // A replica that catches up hears of all names at once: it has nothing of what they name.
            return Ok(if missing.on_its_way { PassEnd::TooEarly } else { PassEnd::Clean });
        }
        tracing::info!(group = group.0, left = ?missing.left, "chunks are missing on this replica; they are fetched");
        let failed = AtomicBool::new(false);
        stream::iter(missing.listed.into_values())
            .for_each_concurrent(FETCHES_MAX, async |layout| {
                if stop.is_cancelled() {
                    return failed.store(true, Ordering::Relaxed);
                }
                match self.parts.repairer.bring(&layout, stop).await {
                    Ok(bytes) => self.parts.schedule.brought(group, bytes),
                    Err(error) => {
                        tracing::debug!(?layout, %error, "not fetched yet");
                        failed.store(true, Ordering::Relaxed);
                    }
                }
            })
            .await;
        Ok(if failed.into_inner() { PassEnd::Failed } else { PassEnd::Brought })
    }

    async fn walk(&self, group: GroupId, stop: &CancellationToken) -> Result<Missing> {
        let parts = &self.parts;
        let owners = parts.replicas.borrow().owners_of(group);
        if owners.is_empty() {
            // What it names is not known, so nothing can be called complete.
            return Err(Error::new(ErrorKind::Unavailable, format!("group {} is not on this node's map yet", group.0)));
        }
        let mut walk = Walk::new(StoreView::new(parts.metadata.snapshot()), &owners);
        let mut missing = Missing::default();
        loop {
            let turn = spawn_blocking(move || {
                let page = walk.next_page();
                (walk, page)
            });
            let (walked, page) = turn.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "walk", panic))?;
            walk = walked;
            let Some(named) = page? else {
                parts.schedule.walked(group, missing.named_bytes);
                return Ok(missing);
            };
            self.compare(named, &mut missing).await?;
            parts.schedule.set_left(group, missing.left);
            if stop.run_until_cancelled(tokio::time::sleep(PAGE_PAUSE)).await.is_none() {
                return Err(Error::new(ErrorKind::Unavailable, "this node stops"));
            }
        }
    }

    async fn compare(&self, named: Vec<BlobLayout>, missing: &mut Missing) -> Result<()> {
        let blobs = named.iter().map(|layout| layout.blob).collect();
        missing.named_bytes += named.iter().map(|layout| layout.bytes).sum::<u64>();
        let stored = self.parts.chunks.chunks_of(blobs).await?;
        for (layout, stored) in named.into_iter().zip(stored) {
            let lacking = layout.missing(&stored);
            if lacking.is_empty() {
                continue;
            }
            if self.parts.repairs.has_just_named(layout.blob) {
                missing.on_its_way = true;
                continue;
            }
            if missing.listed.len() < MISSING_MAX && missing.listed.insert(layout.blob, layout).is_some() {
                // Named twice, counted once.
                continue;
            }
            missing.left.blobs += 1;
            missing.left.bytes +=
                lacking.into_iter().map(|number| u64::from(layout.bytes_of_chunk(number))).sum::<u64>();
        }
        Ok(())
    }
}
