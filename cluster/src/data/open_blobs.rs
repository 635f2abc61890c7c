//! Open blobs: which blobs of this node are being written, or were finished so recently that their commit may be on its way.
//! Owns: the promise to the sweep that none of these is an orphan yet.
//!
//! The sweep takes a blob for an orphan when nothing names it and it is older than the grace period, counted from the
//! moment its bytes began to arrive. An upload may take longer than that. So a blob is protected while its writer lives,
//! and a blob whose writer took long is protected for one more grace period after the last byte. Only slow uploads are
//! kept here after they end: the others are younger than the grace period anyway.

use std::collections::HashMap;
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
}

impl OpenBlobs {
    pub fn new(clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { inner: Arc::new(Inner { clock, grace, protected: Mutex::default() }) }
    }

    pub fn register(&self, blob: BlobId) -> OpenBlob {
        self.lock().insert(blob, Protection::Open);
        OpenBlob { blobs: self.clone(), blob }
    }

    /// Writers at work, and slow ones that ended a short while ago.
    pub fn count(&self) -> usize {
        self.lock().len()
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
        self.blobs.close(self.blob);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
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
        let (quick_open, slow_open) = (blobs.register(quick), blobs.register(slow));
        clock.0.store(1_020, Ordering::Relaxed);
        drop(quick_open);
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
