//! Open blobs: which blobs are being written by this node or to it, or were finished so recently that their commit may be on its way.
//! Owns: the promise to the sweep that none of these is an orphan yet.
//!
//! The sweep takes a blob for an orphan when nothing names it and it is older than the grace period, counted from the
//! moment its bytes began to arrive. An upload may take longer than that. So a blob is protected while its writer lives,
//! and a blob whose writer took long is protected for one more grace period after the last byte. Others are younger than
//! the grace period anyway, as far as clocks agree: the age of a blob is told by the clock of the node that took it, and a clock may jump.
//! So they, too, are kept here until their commit is long over. No clock but the monotonic one counts here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use onggi_storage_engine::env::Clock;

use crate::id::BlobId;

/// Between the last byte of a body and the end of its commit, with all attempts of it.
const COMMIT_TIME_MAX: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct OpenBlobs {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    grace: Duration,
    protected: Mutex<HashMap<BlobId, Protection>>,
    writers: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Protection {
    Open,
    Until(Instant),
}

/// Protects one blob while it is alive, and for a while after.
pub struct OpenBlob {
    blobs: OpenBlobs,
    blob: BlobId,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// This node takes the body from a client.
    Writer,
    /// Another node does, and sends the chunks here.
    Receiver,
}

impl OpenBlobs {
    pub fn new(clock: Arc<dyn Clock>, grace: Duration) -> Self {
        let (protected, writers) = (Mutex::default(), AtomicUsize::new(0));
        Self { inner: Arc::new(Inner { clock, grace, protected, writers }) }
    }

    pub fn register(&self, blob: BlobId) -> OpenBlob {
        self.inner.writers.fetch_add(1, Ordering::Relaxed);
        self.open(blob, Role::Writer)
    }

    pub fn receive(&self, blob: BlobId) -> OpenBlob {
        self.open(blob, Role::Receiver)
    }

    fn open(&self, blob: BlobId, role: Role) -> OpenBlob {
        self.lock().insert(blob, Protection::Open);
        OpenBlob { blobs: self.clone(), blob, role }
    }

    /// Bodies that this node takes from clients at this moment.
    pub fn writers(&self) -> usize {
        self.inner.writers.load(Ordering::Relaxed)
    }

    /// True if `blob` may still become named by a commit.
    pub fn protects(&self, blob: BlobId) -> bool {
        let young = self.inner.clock.unix_ms() < blob.created_ms().saturating_add(self.grace_ms());
        young
            || match self.lock().get(&blob) {
                Some(Protection::Open) => true,
                Some(Protection::Until(end)) => self.inner.clock.now() < *end,
                None => false,
            }
    }

    /// Forgets the protections that have run out; called by the sweep, again and again.
    pub fn forget_expired(&self) {
        let now = self.inner.clock.now();
        self.lock().retain(|_, protection| match protection {
            Protection::Open => true,
            Protection::Until(end) => now < *end,
        });
    }

    fn close(&self, blob: BlobId) {
        // A blob younger than half the grace period has at least that half left for its commit.
        let slow = self.inner.clock.unix_ms() >= blob.created_ms().saturating_add(self.grace_ms() / 2);
        let left = if slow { self.inner.grace } else { self.inner.grace.min(COMMIT_TIME_MAX) };
        self.lock().insert(blob, Protection::Until(self.inner.clock.now() + left));
    }

    fn grace_ms(&self) -> u64 {
        self.inner.grace.as_millis() as u64
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BlobId, Protection>> {
        self.inner.protected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenBlob {
    pub fn id(&self) -> BlobId {
        self.blob
    }
}

impl Drop for OpenBlob {
    fn drop(&mut self) {
        if self.role == Role::Writer {
            self.blobs.inner.writers.fetch_sub(1, Ordering::Relaxed);
        }
        self.blobs.close(self.blob);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::id::OwnerKey;

    /// The wall clock, and how much of the time that went by it tells.
    struct SetClock {
        wall_ms: AtomicU64,
        passed_ms: AtomicU64,
        start: Instant,
    }

    impl SetClock {
        fn pass(&self, ms: u64) {
            self.wall_ms.fetch_add(ms, Ordering::Relaxed);
            self.passed_ms.fetch_add(ms, Ordering::Relaxed);
        }
    }

    impl Clock for SetClock {
        fn unix_ms(&self) -> u64 {
            self.wall_ms.load(Ordering::Relaxed)
        }

        fn now(&self) -> Instant {
            self.start + Duration::from_millis(self.passed_ms.load(Ordering::Relaxed))
        }
    }

    fn blobs() -> (Arc<SetClock>, OpenBlobs) {
        let start = Instant::now();
        let clock = Arc::new(SetClock { wall_ms: AtomicU64::new(1_000), passed_ms: AtomicU64::new(0), start });
        let blobs = OpenBlobs::new(clock.clone(), Duration::from_millis(100));
        (clock, blobs)
    }

    #[test]
    fn a_slow_upload_is_protected_past_its_end_and_a_quick_one_by_its_age() {
        let (clock, blobs) = blobs();
        let (quick, slow) = (BlobId::new(OwnerKey(1), 1_000, 1), BlobId::new(OwnerKey(1), 1_000, 2));
        let (quick_open, slow_open) = (blobs.register(quick), blobs.receive(slow));
        assert_eq!(blobs.writers(), 1, "what is received is not written here");
        clock.pass(20);
        drop(quick_open);
        assert_eq!(blobs.writers(), 0);
        assert!(blobs.protects(quick), "young");
        clock.pass(480);
        assert!(!blobs.protects(quick));
        assert!(blobs.protects(slow), "still written");
        drop(slow_open);
        clock.pass(99);
        blobs.forget_expired();
        assert!(blobs.protects(slow), "its commit may be on its way");
        clock.pass(1);
        assert!(!blobs.protects(slow));
        blobs.forget_expired();
        assert!(blobs.lock().is_empty());
    }

    #[test]
    fn a_clock_that_jumps_ahead_makes_no_blob_old() {
        let (clock, blobs) = blobs();
        let blob = BlobId::new(OwnerKey(1), 1_000, 1);
        drop(blobs.register(blob));
        clock.wall_ms.store(1_000_000, Ordering::Relaxed);
        assert!(blobs.protects(blob), "its commit may be on its way");
        clock.pass(100);
        assert!(!blobs.protects(blob));
    }
}
