//! Chunk store: the bytes of objects, in append-only extents, with their index in RocksDB (docs/chunk-store.md).
//!
//! In reading order: what is on the drive (`layout`), one open extent (`extent`) and its writer (`lane`, `frame_writer`),
//! what is where (`index`), reads (`reader`), start (`recovery`), and the work that nobody waits for
//! (`garbage_collector`, `scrubber`, `background`). `store` is all of it without async.

mod background;
mod blocking;
mod extent;
mod frame_scan;
mod frame_writer;
mod garbage_collector;
mod index;
mod index_change;
mod index_record;
mod index_store;
mod lane;
mod layout;
mod lock;
mod open_files;
mod options;
mod quarantine;
mod rate_limit;
mod reader;
mod recovery;
mod scrubber;
mod status;
mod store;

#[cfg(test)]
mod chunk_store_test;
#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod damage_test;
#[cfg(test)]
mod full_disk_test;
#[cfg(test)]
mod index_test;
#[cfg(test)]
mod sync_test;
#[cfg(test)]
mod test_bed;

pub use background::Background;
pub use lane::Appended;
pub use layout::{DriveId, PAYLOAD_BYTES_MAX};
pub use options::ChunkStoreOptions;
pub use quarantine::DamagedChunk;
pub use rate_limit::RateLimit;
pub use recovery::Recovery;
pub use status::{ScrubStatus, Status};

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::drive::Poison;
use crate::env::{Environment, spawn_blocking};
use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, ChunkId};
use crate::rocks::Rocks;
use background::Wake;
use blocking::on_blocking_thread;
use index::Index;
use index_store::RocksIndexStore;
use store::Store;

/// A cheap clone. File operations run on blocking threads; none of the calls can be undone by dropping its future.
#[derive(Clone)]
pub struct ChunkStore {
    store: Arc<Store>,
    wake: Arc<Wake>,
}

impl ChunkStore {
    /// Opens the extents and brings the index up to date with them; blocking.
    pub fn open(
        options: ChunkStoreOptions,
        environment: Environment,
        poison: Poison,
        rocks: Rocks,
    ) -> Result<(Self, Recovery)> {
        let index_store = Arc::new(RocksIndexStore::new(rocks));
        let (store, recovery) = Store::open(options, environment, poison, index_store)?;
        Ok((Self { store: Arc::new(store), wake: Arc::default() }, recovery))
    }

    /// Throws the index away, so that the next `open` rebuilds it from the extents alone: for an index that is damaged.
    /// Chunks that were freed but are still in the extents come back without a name, and the sweep frees them again.
    pub fn erase_index(rocks: Rocks) -> Result<()> {
        Index::erase(&RocksIndexStore::new(rocks))
    }

    /// To be run as a task, once.
    pub fn background(&self) -> Background {
        Background { store: self.store.clone(), wake: self.wake.clone() }
    }

    /// Writes a chunk; it survives a crash only after `sync`. The payload is not copied. An id that is stored already is replaced
    /// once the new copy is synced: that is how a damaged chunk is repaired.
    pub async fn append(&self, chunk: ChunkId, payload: Vec<Bytes>) -> Result<Appended> {
        let appended = self.blocking(move |store| store.append(chunk, payload)).await;
        match &appended {
            Ok(appended) => self.sync_early(appended),
            Err(error) if error.kind == ErrorKind::Full => self.wake.garbage.notify_one(),
            Err(_) => {}
        }
        appended
    }

    /// A long body becomes durable while it arrives, so that the sync at its end has little left to wait for.
    fn sync_early(&self, appended: &Appended) {
        if appended.unsynced_bytes() < self.store.options.early_sync_bytes {
            return;
        }
        // Taken: a sync is under way already.
        let Ok(turn) = appended.extent.queue.clone().try_lock_owned() else { return };
        let (store, appended) = (self.store.clone(), appended.clone());
        spawn_blocking(move || {
            // A failure poisons the drive, and so reaches whoever waits for these chunks.
            let _ = store.sync(&[appended]);
            drop(turn);
        });
    }

    /// Returns after the chunks are durable. Callers that wait at the same time share an fdatasync.
    pub async fn sync(&self, appended: &[Appended]) -> Result<()> {
        for one in appended {
            if one.is_synced() {
                continue;
            }
            // Whoever waits here finds on waking that the sync before covered it, or becomes the next to sync for all others.
            let _turn = one.extent.queue.lock().await;
            if !one.is_synced() {
                let one = one.clone();
                self.blocking(move |store| store.sync(&[one])).await?;
            }
        }
        self.store.acknowledge(appended)
    }

    /// Payload bytes of a range of a chunk, all verified.
    pub async fn read(&self, chunk: ChunkId, range: Range<u32>) -> Result<Bytes> {
        self.blocking(move |store| store.read(chunk, range)).await
    }

    /// As `read`, to the end of the chunk from `start` on.
    pub async fn read_from(&self, chunk: ChunkId, start: u32) -> Result<Bytes> {
        self.blocking(move |store| store.read_from(chunk, start)).await
    }

    /// The durable chunks of each blob, in order: number and payload bytes. What a replica compares with what should be here.
    pub async fn chunks_of(&self, blobs: Vec<BlobId>) -> Result<Vec<Vec<(u32, u32)>>> {
        self.blocking(move |store| blobs.into_iter().map(|blob| store.index.chunks_of(blob)).collect()).await
    }

    /// Chunks that failed verification and were neither freed nor replaced since.
    pub fn damaged(&self) -> Vec<DamagedChunk> {
        self.store.quarantine.list()
    }

    /// Forgets all chunks of a blob at once: the caller has waited until nobody reads them any more.
    pub async fn free(&self, blob: BlobId) -> Result<()> {
        self.blocking(move |store| store.free(blob)).await?;
        self.wake.garbage.notify_one();
        Ok(())
    }

    /// Blobs behind `after`, in order, with their payload bytes here: what the sweep compares with the names that exist.
    pub async fn blobs(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<(BlobId, u64)>> {
        self.blocking(move |store| store.index.blobs(after, limit)).await
    }

    /// Begins a scrub now, if none is under way.
    pub fn scrub_now(&self) {
        self.wake.scrub.notify_one();
    }

    pub fn status(&self) -> Status {
        self.store.status()
    }

    /// Seals the open extents. Nothing may be appended afterwards.
    pub async fn close(&self) -> Result<()> {
        self.blocking(|store| store.close()).await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Store) -> Result<T> + Send + 'static) -> Result<T> {
        let store = self.store.clone();
        on_blocking_thread(move || work(&store)).await
    }
}
