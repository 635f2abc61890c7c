//! Body hash: what is hashed of a body, while it streams by.
//! Owns: which thread hashes. A small body is hashed where it stands; a large one in batches on a blocking thread, so that
//! MD5 (the slowest part of a PUT) overlaps with receiving and with the drive. No thread waits for a slow client.
//! Invariant: at most one batch is being hashed, one waits and one is being filled, so memory is bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use md5::{Digest as _, Md5};
use onggi_cluster::metadata::checksum::ChecksumHasher;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::error::{Error, Result};

/// MD5 takes about 0.7 ms for it, several times what the hop to another thread costs.
const BATCH_BYTES: usize = 512 * 1024;
/// One waits while one is hashed: the thread that hashes takes the next batch itself. Were it handed over after the one
/// before, each batch would pay for waking two threads (0.4 ms on a virtual machine, a fifth of the speed of a stream).
const BATCHES_MAX: usize = 2;
/// Up to here hashing takes less time than the hop would.
const IN_PLACE_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq)]
pub struct Digests {
    pub md5: [u8; 16],
    pub checksum: Option<Checksum>,
}

/// What a body is hashed with.
pub trait RunningHash: Send + 'static {
    fn update(&mut self, piece: &[u8]);
}

pub struct BodyHash<H> {
    shared: Arc<Shared<H>>,
    /// The last thread that was started for this body.
    job: Option<JoinHandle<()>>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
}

struct Shared<H> {
    work: Mutex<Work<H>>,
    /// Room for batches that wait or are being hashed.
    room: Semaphore,
}

struct Work<H> {
    /// `None` while a thread has it.
    hash: Option<Box<H>>,
    waiting: VecDeque<Vec<Bytes>>,
}

impl<H: RunningHash> BodyHash<H> {
    pub fn new(hash: H) -> Self {
        let work = Work { hash: Some(Box::new(hash)), waiting: VecDeque::new() };
        let shared = Shared { work: Mutex::new(work), room: Semaphore::new(BATCHES_MAX) };
        Self { shared: Arc::new(shared), job: None, batch: Vec::new(), batch_bytes: 0 }
    }

    /// Waits only while a whole batch is ready and two others are not hashed yet.
    pub async fn update(&mut self, piece: Bytes) -> Result<()> {
        self.batch_bytes += piece.len();
        self.batch.push(piece);
        if self.batch_bytes < BATCH_BYTES {
            return Ok(());
        }
        match self.shared.room.acquire().await {
            // Given back by the thread that has hashed the batch.
            Ok(permit) => permit.forget(),
            Err(_closed) => return Err(Error::Hashing),
        }
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        if let Some(hash) = self.shared.enqueue(batch) {
            let shared = self.shared.clone();
            self.job = Some(tokio::task::spawn_blocking(move || shared.hash_all(hash)));
        }
        Ok(())
    }

    /// With everything that came.
    pub async fn finish(mut self) -> Result<H> {
        if let Some(job) = self.job.take() {
            job.await.map_err(|_panic| Error::Hashing)?;
        }
        let mut hash = self.shared.lock().hash.take().ok_or(Error::Hashing)?;
        if self.batch_bytes <= IN_PLACE_BYTES_MAX {
            update_all(&mut *hash, &self.batch);
            return Ok(*hash);
        }
        let job = tokio::task::spawn_blocking(move || {
            update_all(&mut *hash, &self.batch);
            *hash
        });
        job.await.map_err(|_panic| Error::Hashing)
    }
}

fn update_all(hash: &mut impl RunningHash, pieces: &[Bytes]) {
    pieces.iter().for_each(|piece| hash.update(piece));
}

impl<H: RunningHash> Shared<H> {
    /// Gives the hash out if no thread is at work on this body: the caller starts one.
    fn enqueue(&self, batch: Vec<Bytes>) -> Option<Box<H>> {
        let mut work = self.lock();
        work.waiting.push_back(batch);
        work.hash.take()
    }

    /// Blocking. Hashes what waits, and leaves the hash for the next thread.
    fn hash_all(&self, mut hash: Box<H>) {
        // A panic must not leave `update` waiting for room.
        let _guard = CloseOnPanic(&self.room);
        loop {
            let batch = {
                let mut work = self.lock();
                match work.waiting.pop_front() {
                    Some(batch) => batch,
                    None => {
                        work.hash = Some(hash);
                        return;
                    }
                }
            };
            update_all(&mut *hash, &batch);
            self.room.add_permits(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work<H>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct CloseOnPanic<'a>(&'a Semaphore);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

/// Of an object: MD5, and one of Amazon's checksums beside it.
pub struct ObjectHash {
    md5: Md5,
    asked: Option<ChecksumAlgorithm>,
    /// `None` if none was asked for, or the one that is computed anyway.
    checksum: Option<ChecksumHasher>,
}

impl RunningHash for ObjectHash {
    fn update(&mut self, piece: &[u8]) {
        self.md5.update(piece);
        if let Some(checksum) = &mut self.checksum {
            checksum.update(piece);
        }
    }
}

impl ObjectHash {
    pub fn new(asked: Option<ChecksumAlgorithm>) -> Self {
        let checksum = asked.filter(|algorithm| *algorithm != ChecksumAlgorithm::Md5).map(ChecksumHasher::new);
        Self { md5: Md5::new(), asked, checksum }
    }

    pub fn finish(self) -> Digests {
        let md5: [u8; 16] = self.md5.finalize().into();
        let checksum = match self.asked {
            Some(algorithm @ ChecksumAlgorithm::Md5) => {
                Some(Checksum { algorithm, kind: ChecksumType::FullObject, value: md5.to_vec() })
            }
            _ => self.checksum.map(ChecksumHasher::finish),
        };
        Digests { md5, checksum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn batches_hash_like_one_piece() {
        let whole: Vec<u8> = (0..7 * BATCH_BYTES + 17).map(|at| (at * 7 + at / 255) as u8).collect();
        let expected = hex::encode(Md5::digest(&whole));
        let of_whole = |algorithm| {
            let mut hasher = ChecksumHasher::new(algorithm);
            hasher.update(&whole);
            hasher.finish()
        };
        let algorithms = [ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Md5];
        for (piece_bytes, algorithm) in
            [1000, IN_PLACE_BYTES_MAX, BATCH_BYTES, whole.len()].into_iter().zip(algorithms.into_iter().cycle())
        {
            let mut hash = BodyHash::new(ObjectHash::new(Some(algorithm)));
            for piece in whole.chunks(piece_bytes) {
                hash.update(Bytes::copy_from_slice(piece)).await.unwrap();
            }
            let digests = hash.finish().await.unwrap().finish();
            assert_eq!(hex::encode(digests.md5), expected);
            assert_eq!(digests.checksum, Some(of_whole(algorithm)));
        }
    }
}
