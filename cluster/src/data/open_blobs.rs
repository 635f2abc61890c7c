//! Open blobs: which blobs are being written by this node or to it, or were finished so recently that their commit may be on its way.
//! Owns: the promise to the sweep that none of these is an orphan yet.
//!
//! The sweep takes a blob for an orphan when nothing names it and it is older than the grace period, counted from the
//! moment its bytes began to arrive. An upload may take longer than that. So a blob is protected while its writer lives,
//! and a blob whose writer took long is protected for one more grace period after the last byte. Only slow uploads are
//! kept here after they end: the others are younger than the grace period anyway. (The age of a blob is told by the clock of
//! the node that took it. If that clock is behind this one's, the blob looks old and is kept here, too.)

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onggi_storage_engine::env::Clock;

use crate::id::BlobId;

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
    /// Unix milliseconds.
    Until(u64),
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
        let now = self.inner.clock.unix_ms();
        let young = now < blob.created_ms().saturating_add(self.grace_ms());
        young
            || match self.lock().get(&blob) {
                Some(Protection::Open) => true,
                Some(Protection::Until(end)) => now < *end,
                None => false,
            }
    }

    /// Forgets the protections that have run out; called by each pass of the sweep.
    pub fn forget_expired(&self) {
        let now = self.inner.clock.unix_ms();
        self.lock().retain(|_, protection| match protection {
            Protection::Open => true,
            Protection::Until(end) => now < *end,
        });
    }

    fn close(&self, blob: BlobId) {
        let now = self.inner.clock.unix_ms();
        // A blob younger than half the grace period has at least that half left for its commit.
        let slow = now >= blob.created_ms().saturating_add(self.grace_ms() / 2);
        let mut protected = self.lock();
        if slow {
            protected.insert(blob, Protection::Until(now.saturating_add(self.grace_ms())));
        } else {
            protected.remove(&blob);
        }
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
    use std::time::Instant;

    use super::*;
    use crate::id::OwnerKey;

    struct SetClock(AtomicU64);

    impl Clock for SetClock {
        fn unix_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        fn now(&self) -> Instant {
            Instant::now()
        }
    }

    #[test]
    fn a_slow_upload_is_protected_past_its_end_and_a_quick_one_by_its_age() {
        let clock = Arc::new(SetClock(AtomicU64::new(1_000)));
        let blobs = OpenBlobs::new(clock.clone(), Duration::from_millis(100));
        let (quick, slow) = (BlobId::new(OwnerKey(1), 1_000, 1), BlobId::new(OwnerKey(1), 1_000, 2));
        let (quick_open, slow_open) = (blobs.register(quick), blobs.receive(slow));
        assert_eq!(blobs.writers(), 1, "what is received is not written here");
        clock.0.store(1_020, Ordering::Relaxed);
        drop(quick_open);
        assert_eq!(blobs.writers(), 0);
        assert!(blobs.protects(quick), "young");
        clock.0.store(1_500, Ordering::Relaxed);
        assert!(!blobs.protects(quick));
        assert!(blobs.protects(slow), "still written");
        drop(slow_open);
        clock.0.store(1_599, Ordering::Relaxed);
        blobs.forget_expired();
        assert!(blobs.protects(slow), "its commit may be on its way");
        clock.0.store(1_600, Ordering::Relaxed);
        assert!(!blobs.protects(slow));
        blobs.forget_expired();
        assert!(blobs.lock().is_empty());
    }
}
