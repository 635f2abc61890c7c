//! Received blobs: bodies that other nodes are writing to this one.
//! Owns: which of their chunks wait for a sync, and their protection from this node's sweep until the writer is done or silent.
//! Invariant: a blob is protected before its first chunk is written, and for a grace period after the last touch.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use onggi_storage_engine::chunk_store::Appended;
use onggi_storage_engine::env::Clock;

use super::open_blobs::{OpenBlob, OpenBlobs};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId};

/// Bodies at a time; a few hundred bytes each.
const BLOBS_MAX: usize = 64 * 1024;

/// Cheap to clone.
#[derive(Clone)]
pub struct ReceivedBlobs {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    grace: Duration,
    open: OpenBlobs,
    blobs: Mutex<HashMap<BlobId, Received>>,
}

struct Received {
    /// Alive as long as this entry; afterwards it protects for as long as a commit may take.
    _protection: OpenBlob,
    appended: BTreeMap<u32, Appended>,
    touched: Instant,
}

impl ReceivedBlobs {
    pub fn new(clock: Arc<dyn Clock>, grace: Duration, open: OpenBlobs) -> Self {
        Self { inner: Arc::new(Inner { clock, grace, open, blobs: Mutex::default() }) }
    }

    /// The blob is protected from here on.
    pub fn touch(&self, blob: BlobId) -> Result<()> {
        let now = self.inner.clock.now();
        let mut blobs = self.lock();
        if let Some(received) = blobs.get_mut(&blob) {
            received.touched = now;
            return Ok(());
        }
        if blobs.len() >= BLOBS_MAX {
            return Err(Error::new(ErrorKind::Overloaded, "too many bodies are being received"));
        }
        let protection = self.inner.open.receive(blob);
        blobs.insert(blob, Received { _protection: protection, appended: BTreeMap::new(), touched: now });
        Ok(())
    }

    pub fn has(&self, chunk: ChunkId) -> bool {
        self.lock().get(&chunk.blob()).is_some_and(|received| received.appended.contains_key(&chunk.number()))
    }

    /// A chunk waits for the sync at the end.
    pub fn appended(&self, appended: Appended) {
        let chunk = appended.chunk();
        // Forgotten meanwhile: the chunk is found in the index once it is synced, or not at all.
        if let Some(received) = self.lock().get_mut(&chunk.blob()) {
            received.appended.insert(chunk.number(), appended);
        }
    }

    /// What a sync of the blob must cover.
    pub fn unsynced(&self, blob: BlobId) -> Vec<Appended> {
        self.lock().get(&blob).map_or_else(Vec::new, |received| received.appended.values().cloned().collect())
    }

    /// Nothing more of this blob will come.
    pub fn close(&self, blob: BlobId) {
        let closed = self.lock().remove(&blob);
        drop(closed);
    }

    /// Closes the bodies whose writers have been silent for the grace period: they are gone.
    pub fn close_silent(&self) {
        let now = self.inner.clock.now();
        let silent: Vec<Received> = {
            let mut blobs = self.lock();
            let ids: Vec<BlobId> = blobs
                .iter()
                .filter(|(_, received)| now.saturating_duration_since(received.touched) >= self.inner.grace)
                .map(|(blob, _)| *blob)
                .collect();
            ids.iter().filter_map(|blob| blobs.remove(blob)).collect()
        };
        drop(silent);
    }

    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BlobId, Received>> {
        self.inner.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
