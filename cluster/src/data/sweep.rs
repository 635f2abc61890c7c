//! Sweep: frees the chunks of blobs that nothing names any more.
//! Owns: the two ways to find them: blobs that `apply` freed, after a grace period; and a slow pass over the chunk index for
//! those that were never named (aborted uploads, crashes) or whose freeing was lost at a restart.
//! Does not own: reclaiming the space (the chunk store's garbage collection).
//! Invariant: a blob is freed only if, after it was older than the grace period and not protected by `OpenBlobs`, the
//! state had no reference to it. A commit makes the reference before it is acknowledged, and blob ids are never reused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio_util::sync::CancellationToken;

use super::freed_blobs::FreedQueue;
use super::open_blobs::OpenBlobs;
use super::received_blobs::ReceivedBlobs;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::metadata::query;
use crate::metadata::view::StoreView;

#[derive(Clone, Debug)]
pub struct SweepOptions {
    /// How often the chunk index is compared with the references.
    pub interval: Duration,
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
    /// Blobs that wait for the end of their grace period.
    pub waiting: u64,
}

/// Cheap to clone: the task and those who ask for its status share it.
#[derive(Clone)]
pub struct Sweeper {
    chunks: ChunkStore,
    metadata: MetadataStore,
    open: OpenBlobs,
    received: ReceivedBlobs,
    freed: FreedQueue,
    options: SweepOptions,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    freed: AtomicU64,
    orphans: AtomicU64,
    passes: AtomicU64,
}

impl Sweeper {
    pub fn new(
        chunks: ChunkStore,
        metadata: MetadataStore,
        open: OpenBlobs,
        received: ReceivedBlobs,
        freed: FreedQueue,
        options: SweepOptions,
    ) -> Self {
        Self { chunks, metadata, open, received, freed, options, counts: Arc::default() }
    }

    /// Runs until `stop`. Start it only when every group has applied its log: an older state knows fewer names.
    pub async fn run(self, stop: CancellationToken) {
        let mut pass_due = Instant::now() + self.options.interval;
        let mut cursor = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            self.free_due().await;
            if Instant::now() < pass_due {
                continue;
            }
            // A pass that was cut short by an error goes on where it was.
            match self.pass(&mut cursor, &stop).await {
                Ok(()) => pass_due = Instant::now() + self.options.interval,
                Err(error) => {
                    tracing::warn!(%error, "sweep stopped early; it goes on at the next interval");
                    pass_due = Instant::now() + self.options.interval;
                }
            }
        }
    }

    pub fn status(&self) -> SweepStatus {
        SweepStatus {
            freed: self.counts.freed.load(Ordering::Relaxed),
            orphans: self.counts.orphans.load(Ordering::Relaxed),
            passes: self.counts.passes.load(Ordering::Relaxed),
            waiting: self.freed.len() as u64,
        }
    }

    pub(super) async fn free_due(&self) {
        for blob in self.freed.take_due(FREES_PER_TICK_MAX) {
            match self.chunks.free(blob).await {
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
            let page = self.chunks.blobs(*cursor, PAGE_BLOBS).await?;
            let Some(last) = page.last().map(|(blob, _)| *blob) else { break };
            // Unprotected first, references after: a blob that is committed in between is still protected.
            let candidates: Vec<BlobId> =
                page.into_iter().map(|(blob, _)| blob).filter(|blob| !self.open.protects(*blob)).collect();
            for orphan in self.without_reference(candidates).await? {
                self.chunks.free(orphan).await?;
                self.counts.orphans.fetch_add(1, Ordering::Relaxed);
                tracing::info!(blob = ?orphan, "freed chunks that nothing names");
            }
            *cursor = Some(last);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(PAGE_PAUSE) => {}
            }
        }
        *cursor = None;
        self.received.close_silent();
        self.open.forget_expired();
        self.counts.passes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn without_reference(&self, mut blobs: Vec<BlobId>) -> Result<Vec<BlobId>> {
        if blobs.is_empty() {
            return Ok(blobs);
        }
        let metadata = self.metadata.clone();
        let look_up = move || -> Result<Vec<BlobId>> {
            let view = StoreView::new(metadata.snapshot());
            let mut orphans = Vec::new();
            for blob in blobs.drain(..) {
                if !query::blob_is_named(&view, blob)? {
                    orphans.push(blob);
                }
            }
            Ok(orphans)
        };
        tokio::task::spawn_blocking(look_up)
            .await
            .map_err(|panic| Error::caused_by(ErrorKind::Internal, "look up references", panic))?
    }
}
