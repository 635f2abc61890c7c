//! Freed blobs: what `apply` removed the last name of, waiting for its grace period.
//! Owns: the queue in memory between `apply` and the sweep.
//! Does not own: durability. The queue is lost at a restart and drops what does not fit; the orphan pass of the sweep finds both.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use onggi_storage_engine::env::Clock;

use crate::id::BlobId;

/// 40 bytes each: at most 20 MiB.
const QUEUE_MAX: usize = 512 * 1024;

/// The end that `apply` writes to. Replaying an entry queues its blobs again, which is harmless: blob ids are never
/// reused, and freeing twice is freeing once.
#[derive(Clone)]
pub struct FreedBlobs {
    queue: FreedQueue,
}

#[derive(Clone)]
pub struct FreedQueue {
    clock: Arc<dyn Clock>,
    grace: Duration,
    due: Arc<Mutex<VecDeque<(Instant, BlobId)>>>,
}

impl FreedQueue {
    pub fn new(clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { clock, grace, due: Arc::default() }
    }

    pub fn sender(&self) -> FreedBlobs {
        FreedBlobs { queue: self.clone() }
    }

    /// Up to `limit` blobs whose grace period is over.
    pub fn take_due(&self, limit: usize) -> Vec<BlobId> {
        let now = self.clock.now();
        let mut due = self.lock();
        let ready = due.iter().take(limit).take_while(|(at, _)| *at <= now).count();
        due.drain(..ready).map(|(_, blob)| blob).collect()
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, BlobId)>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FreedBlobs {
    pub fn send(&self, blobs: Vec<BlobId>) {
        if blobs.is_empty() {
            return;
        }
        let at = self.queue.clock.now() + self.queue.grace;
        let mut due = self.queue.lock();
        let room = QUEUE_MAX.saturating_sub(due.len());
        due.extend(blobs.into_iter().take(room).map(|blob| (at, blob)));
    }
}
