//! Repair: brings this replica the chunks that it should have and has not.
//! Owns: the look whether something is missing at all, and the order fetch, append, sync.
//! Does not own: who finds out (`apply`, the pass over the records, scrub, readers).
//! Invariant: only verified bytes are appended, and only of blobs that the state of this node names.

mod fetch;
mod queue;

#[cfg(test)]
mod repair_test;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use onggi_storage_engine::chunk_store::{Appended, ChunkStore};
use onggi_storage_engine::env::spawn_blocking;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio_util::sync::CancellationToken;

pub use fetch::Fetch;
pub use queue::{Job, Repair, RepairQueue};

use super::blob_layout::{BlobLayout, StoredChunk};
use super::counters::Counters;
use super::received_blobs::ReceivedBlobs;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::metadata::query;
use crate::metadata::view::StoreView;

#[derive(Clone, Debug)]
pub struct RepairOptions {
    /// What repair may take of this node's network and drive.
    pub bytes_per_second: u64,
    /// How often all records are compared with the chunks that are here.
    pub pass_interval: Duration,
}

impl Default for RepairOptions {
    fn default() -> Self {
        // Half of what one gigabit link carries. A pass of a million objects takes seconds of one core.
        Self { bytes_per_second: 64 << 20, pass_interval: Duration::from_secs(60 * 60) }
    }
}

/// How often the queue is looked at: far below the two seconds after which a named blob should be whole.
const TICK: Duration = Duration::from_millis(250);
/// Looked at with one scan of the chunk index.
const JOBS_PER_LOOK_MAX: usize = 256;
/// Blobs that are fetched at a time; each holds one chunk in memory.
pub const FETCHES_MAX: usize = 4;
/// How often the damaged chunks of the drive are asked for.
const DAMAGED_INTERVAL: Duration = Duration::from_secs(30);

/// Cheap to clone.
#[derive(Clone)]
pub struct Repairer {
    parts: Arc<RepairerParts>,
}

pub struct RepairerParts {
    pub chunks: ChunkStore,
    pub metadata: MetadataStore,
    pub received: ReceivedBlobs,
    pub fetch: Fetch,
    pub queue: RepairQueue,
    pub counters: Arc<Counters>,
}

/// A job that turned out to be needed.
struct Needed {
    job: Job,
    /// Numbers of chunks, with their bytes if that is known.
    chunks: Vec<(u32, Option<u32>)>,
}

impl Repairer {
    pub fn new(parts: RepairerParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Runs until `stop`; a chunk in progress is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let mut damaged_due = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            if tokio::time::Instant::now() >= damaged_due {
                self.add_damaged();
                damaged_due = tokio::time::Instant::now() + DAMAGED_INTERVAL;
            }
            let jobs = self.work_off(&stop).await;
            if jobs < JOBS_PER_LOOK_MAX {
                stop.run_until_cancelled(tokio::time::sleep(TICK)).await;
            }
        }
    }

    /// What scrub and reads have found damaged on this drive.
    pub(super) fn add_damaged(&self) {
        let parts = &self.parts;
        for damaged in parts.chunks.damaged() {
            if parts.fetch.has_others(damaged.chunk.blob()) {
                parts.queue.add_damaged(damaged.chunk);
            }
        }
    }

    /// Brings what the blob lacks here, which a record of this node names. Gives the bytes that were missing.
    pub async fn bring(&self, layout: &BlobLayout, stop: &CancellationToken) -> Result<u64> {
        let stored = self.parts.chunks.chunks_of(vec![layout.blob]).await?.into_iter().flatten().collect::<Vec<_>>();
        let lacking = lacking(layout, &stored);
        let bytes = lacking.iter().filter_map(|(_, bytes)| *bytes).map(u64::from).sum();
        self.parts.bring(&Repair::Blob(*layout), lacking, stop).await?;
        Ok(bytes)
    }

    /// One look at what is due; gives how much that was.
    pub(super) async fn work_off(&self, stop: &CancellationToken) -> usize {
        let jobs = self.parts.queue.take_due(JOBS_PER_LOOK_MAX);
        let count = jobs.len();
        if count == 0 {
            return 0;
        }
        match self.parts.needed(jobs).await {
            Ok(needed) => {
                let work = |needed| self.parts.clone().work(needed, stop);
                stream::iter(needed).map(work).buffer_unordered(FETCHES_MAX).collect::<()>().await;
            }
            Err((error, jobs)) => {
                tracing::warn!(%error, "cannot look what is missing");
                jobs.into_iter().for_each(|job| self.parts.try_again(job));
            }
        }
        count
    }
}

impl RepairerParts {
    /// Jobs that are not needed (any more) are done.
    async fn needed(&self, jobs: Vec<Job>) -> std::result::Result<Vec<Needed>, (Error, Vec<Job>)> {
        let blobs: Vec<BlobId> = jobs.iter().map(|job| job.repair.blob()).collect();
        let stored = match self.chunks.chunks_of(blobs).await {
            Ok(stored) => stored,
            Err(error) => return Err((error.into(), jobs)),
        };
        let mut needed = Vec::new();
        for (job, stored) in jobs.into_iter().zip(stored) {
            let chunks = match &job.repair {
                Repair::Blob(layout) => lacking(layout, &stored),
                Repair::Chunk(chunk) => {
                    let known = stored.iter().find(|(number, _)| *number == chunk.number()).map(|(_, bytes)| *bytes);
                    vec![(chunk.number(), known)]
                }
            };
            if chunks.is_empty() {
                // Named and whole: nothing more will come from its writer.
                self.received.close(job.repair.blob());
                self.queue.done(&job);
            } else {
                needed.push(Needed { job, chunks });
            }
        }
        let blobs: Vec<BlobId> = needed.iter().map(|needed| needed.job.repair.blob()).collect();
        match named(&self.metadata, blobs).await {
            Ok(named) => {
                let mut named = named.into_iter();
                needed.retain(|needed| {
                    let is_named = named.next().unwrap_or(true);
                    if !is_named {
                        self.queue.done(&needed.job);
                    }
                    is_named
                });
                Ok(needed)
            }
            Err(error) => Err((error, needed.into_iter().map(|needed| needed.job).collect())),
        }
    }

    async fn work(self: Arc<Self>, needed: Needed, stop: &CancellationToken) {
        let Needed { job, chunks } = needed;
        match self.bring(&job.repair, chunks, stop).await {
            Ok(()) => self.queue.done(&job),
            Err(error) => {
                let blob = job.repair.blob();
                if error.kind() == ErrorKind::Corrupt {
                    self.counters.count_unrepairable();
                    tracing::error!(?blob, %error, "no node has a good copy of bytes that a record names");
                } else {
                    tracing::debug!(?blob, %error, "not repaired yet");
                }
                self.try_again(job);
            }
        }
    }

    async fn bring(&self, repair: &Repair, chunks: Vec<(u32, Option<u32>)>, stop: &CancellationToken) -> Result<()> {
        let blob = repair.blob();
        if !self.fetch.belongs_here(blob)? {
            return Ok(());
        }
        let mut missing = chunks;
        if let Repair::Blob(layout) = repair {
            missing = self.settle(layout, missing).await?;
        }
        let mut appended: Vec<Appended> = Vec::new();
        let mut bytes = 0;
        for (number, length) in missing {
            if stop.is_cancelled() {
                break;
            }
            let payload = self.fetch.chunk(blob.chunk(number), length).await?;
            bytes += payload.len() as u64;
            appended.push(self.chunks.append(blob.chunk(number), vec![payload]).await?);
        }
        self.chunks.sync(&appended).await?;
        self.counters.count_repaired(appended.len() as u64, bytes);
        Ok(())
    }

    /// Its writer may have gone away between the last chunk and the sync: then most of it is here, and only not durable.
    async fn settle(&self, layout: &BlobLayout, missing: Vec<(u32, Option<u32>)>) -> Result<Vec<(u32, Option<u32>)>> {
        let unsynced = self.received.unsynced(layout.blob);
        if unsynced.is_empty() {
            return Ok(missing);
        }
        self.chunks.sync(&unsynced).await?;
        let stored = self.chunks.chunks_of(vec![layout.blob]).await?.into_iter().flatten().collect::<Vec<_>>();
        let still_missing = layout.missing(&stored);
        Ok(missing.into_iter().filter(|(number, _)| still_missing.contains(number)).collect())
    }

    fn try_again(&self, job: Job) {
        let blob = job.repair.blob();
        if !self.queue.again(job) {
            self.counters.count_given_up();
            tracing::warn!(?blob, "repair is given up until the next pass over the records");
        }
    }
}

fn lacking(layout: &BlobLayout, stored: &[StoredChunk]) -> Vec<(u32, Option<u32>)> {
    layout.missing(stored).into_iter().map(|number| (number, Some(layout.bytes_of_chunk(number)))).collect()
}

/// Whether a record on this node names each of the blobs.
async fn named(metadata: &MetadataStore, blobs: Vec<BlobId>) -> Result<Vec<bool>> {
    if blobs.is_empty() {
        return Ok(Vec::new());
    }
    let metadata = metadata.clone();
    let look_up = move || {
        let view = StoreView::new(metadata.snapshot());
        blobs.into_iter().map(|blob| query::blob_is_named(&view, blob)).collect()
    };
    spawn_blocking(look_up).await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "look up references", panic))?
}
