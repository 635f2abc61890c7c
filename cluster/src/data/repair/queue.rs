//! Repair queue: what this replica should look after, and when.
//! Owns: the bound, one entry for each blob or chunk, the pause after each failed try.
//! Does not own: durability. What is dropped or lost at a restart is found again by the pass over the records.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use onggi_storage_engine::env::Clock;

use crate::data::blob_layout::BlobLayout;
use crate::id::{BlobId, ChunkId};

/// About 100 bytes each.
const JOBS_MAX: usize = 256 * 1024;
/// From the entry that names a blob to the look whether it is all here: its writer gives stragglers this long.
const NAMED_DELAY: Duration = Duration::from_secs(2);
/// A blob that was not looked at this long after that is no longer one that was named a moment ago.
const NAMED_AGE_MAX: Duration = Duration::from_secs(5);
/// After the first failed try; doubled by each further one.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Then the next pass over the records finds it again.
const TRIES_MAX: u32 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// All chunks of a blob should be here.
    Blob(BlobLayout),
    /// The copy here is damaged, or was missed by a reader.
    Chunk(ChunkId),
}

/// A repair that was taken from the queue, to be given back by `done` or `again`.
#[derive(Debug)]
pub struct Job {
    pub repair: Repair,
    tries: u32,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct RepairQueue {
    clock: Arc<dyn Clock>,
    jobs: Arc<Mutex<Jobs>>,
}

#[derive(Default)]
struct Jobs {
    due: BTreeMap<(Instant, u64), Job>,
    /// Everything in `due`, and what was taken and not given back; and until when it counts as named a moment ago.
    known: HashMap<(BlobId, Option<u32>), Instant>,
    numbered: u64,
    overflowed: bool,
}

impl Repair {
    pub fn blob(&self) -> BlobId {
        match self {
            Self::Blob(layout) => layout.blob,
            Self::Chunk(chunk) => chunk.blob(),
        }
    }

    fn key(&self) -> (BlobId, Option<u32>) {
        match self {
            Self::Blob(layout) => (layout.blob, None),
            Self::Chunk(chunk) => (chunk.blob(), Some(chunk.number())),
        }
    }
}

impl RepairQueue {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, jobs: Arc::default() }
    }

    /// Blobs that an entry has just named. Replayed entries name theirs again, which costs a look.
    pub fn add_named(&self, blobs: impl IntoIterator<Item = BlobLayout>) {
        let at = self.clock.now() + NAMED_DELAY;
        let mut jobs = self.lock();
        for layout in blobs {
            jobs.add(at, at + NAMED_AGE_MAX, Job { repair: Repair::Blob(layout), tries: 0 });
        }
    }

    #[cfg(test)]
    pub fn add_missing(&self, layout: BlobLayout) {
        let now = self.clock.now();
        self.lock().add(now, now, Job { repair: Repair::Blob(layout), tries: 0 });
    }

    pub fn add_damaged(&self, chunk: ChunkId) {
        let now = self.clock.now();
        self.lock().add(now, now, Job { repair: Repair::Chunk(chunk), tries: 0 });
    }

    pub fn take_due(&self, limit: usize) -> Vec<Job> {
        let now = self.clock.now();
        let mut jobs = self.lock();
        let mut taken = Vec::new();
        while taken.len() < limit
            && let Some(first) = jobs.due.first_entry()
            && first.key().0 <= now
        {
            taken.push(first.remove());
        }
        taken
    }

    pub fn done(&self, job: &Job) {
        self.lock().known.remove(&job.repair.key());
    }

    /// Later. False if it was tried often enough.
    pub fn again(&self, mut job: Job) -> bool {
        let mut jobs = self.lock();
        jobs.known.remove(&job.repair.key());
        if job.tries >= TRIES_MAX {
            return false;
        }
        let pause = (RETRY_PAUSE * 2u32.saturating_pow(job.tries)).min(RETRY_PAUSE_MAX);
        job.tries += 1;
        let now = self.clock.now();
        jobs.add(now + pause, now, job);
        true
    }

    /// Jobs that wait or are under way.
    pub fn len(&self) -> usize {
        self.lock().known.len()
    }

    /// Whether the blob was named a moment ago and waits for its first look: it may still be on its way from its writer.
    pub fn has_just_named(&self, blob: BlobId) -> bool {
        let now = self.clock.now();
        self.lock().known.get(&(blob, None)).is_some_and(|new_until| now < *new_until)
    }

    /// Whether something did not fit since this was asked last: then only a pass over the records knows what.
    pub fn take_overflow(&self) -> bool {
        std::mem::take(&mut self.lock().overflowed)
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs {
    fn add(&mut self, at: Instant, new_until: Instant, job: Job) {
        if self.known.len() >= JOBS_MAX {
            self.overflowed = true;
        } else if let Entry::Vacant(entry) = self.known.entry(job.repair.key()) {
            entry.insert(new_until);
            self.numbered += 1;
            self.due.insert((at, self.numbered), job);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::id::OwnerKey;

    struct SetClock(Instant, AtomicU64);

    impl Clock for SetClock {
        fn unix_ms(&self) -> u64 {
            self.1.load(Ordering::Relaxed)
        }

        fn now(&self) -> Instant {
            self.0 + Duration::from_millis(self.unix_ms())
        }
    }

    fn layout(number: u64) -> BlobLayout {
        BlobLayout { blob: BlobId::new(OwnerKey(1), 1, number), bytes: 1, chunk_bytes: 1 }
    }

    #[test]
    fn a_named_blob_is_looked_at_once_and_after_a_while() {
        let clock = Arc::new(SetClock(Instant::now(), AtomicU64::new(0)));
        let queue = RepairQueue::new(clock.clone());
        queue.add_named([layout(1), layout(2), layout(1)]);
        queue.add_damaged(layout(1).blob.chunk(0));
        assert_eq!(queue.len(), 3);
        assert!(queue.has_just_named(layout(1).blob) && !queue.has_just_named(layout(3).blob));
        let taken = queue.take_due(10);
        assert_eq!(taken.iter().map(|job| job.repair).collect::<Vec<_>>(), [Repair::Chunk(layout(1).blob.chunk(0))]);
        clock.1.store(2000, Ordering::Relaxed);
        let named = queue.take_due(10);
        assert_eq!(named.iter().map(|job| job.repair.blob()).collect::<Vec<_>>(), [layout(1).blob, layout(2).blob]);
        queue.add_missing(layout(1));
        assert_eq!(queue.take_due(10).len(), 0, "under way");
        assert!(queue.has_just_named(layout(2).blob));
        clock.1.store(7000, Ordering::Relaxed);
        assert!(!queue.has_just_named(layout(2).blob), "long ago");
        queue.done(&named[0]);
        queue.add_missing(layout(1));
        assert_eq!(queue.take_due(10).len(), 1, "once more");
    }

    #[test]
    fn failed_tries_come_less_and_less_often_and_end() {
        let clock = Arc::new(SetClock(Instant::now(), AtomicU64::new(0)));
        let queue = RepairQueue::new(clock.clone());
        queue.add_missing(layout(1));
        let mut pauses = Vec::new();
        loop {
            let before = clock.unix_ms();
            let job = loop {
                match queue.take_due(1).pop() {
                    Some(job) => break job,
                    None => clock.1.fetch_add(500, Ordering::Relaxed),
                };
            };
            pauses.push((clock.unix_ms() - before) / 500);
            if !queue.again(job) {
                break;
            }
        }
        assert_eq!(pauses, [0, 2, 4, 8, 16, 32, 64, 120, 120, 120, 120, 120, 120]);
        assert_eq!(queue.len(), 0);
    }
}
