//! Body hash: MD5 and checksum of a body while it streams by.
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

pub struct BodyHash {
    shared: Arc<Shared>,
    /// The last thread that was started for this body.
    job: Option<JoinHandle<()>>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
}

struct Shared {
    work: Mutex<Work>,
    /// Room for batches that wait or are being hashed.
    room: Semaphore,
}

struct Work {
    /// `None` while a thread has them.
    hashers: Option<Box<Hashers>>,
    waiting: VecDeque<Vec<Bytes>>,
}

impl BodyHash {
    /// `checksum`: to be computed beside the MD5.
    pub fn new(checksum: Option<ChecksumAlgorithm>) -> Self {
        let work = Work { hashers: Some(Box::new(Hashers::new(checksum))), waiting: VecDeque::new() };
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
        if let Some(hashers) = self.shared.enqueue(batch) {
            let shared = self.shared.clone();
            self.job = Some(tokio::task::spawn_blocking(move || shared.hash_all(hashers)));
        }
        Ok(())
    }

    pub async fn finish(mut self) -> Result<Digests> {
        if let Some(job) = self.job.take() {
            job.await.map_err(|_panic| Error::Hashing)?;
        }
        let mut hashers = self.shared.lock().hashers.take().ok_or(Error::Hashing)?;
        if self.batch_bytes <= IN_PLACE_BYTES_MAX {
            hashers.update_all(&self.batch);
            return Ok(hashers.finish());
        }
        let job = tokio::task::spawn_blocking(move || {
            hashers.update_all(&self.batch);
            hashers.finish()
        });
        job.await.map_err(|_panic| Error::Hashing)
    }
}

impl Shared {
    /// Gives the hashers out if no thread is at work on this body: the caller starts one.
    fn enqueue(&self, batch: Vec<Bytes>) -> Option<Box<Hashers>> {
        let mut work = self.lock();
        work.waiting.push_back(batch);
        work.hashers.take()
    }

    /// Blocking. Hashes what waits, and leaves the hashers for the next thread.
    fn hash_all(&self, mut hashers: Box<Hashers>) {
        // A panic must not leave `update` waiting for room.
        let _guard = CloseOnPanic(&self.room);
        loop {
            let batch = {
                let mut work = self.lock();
                match work.waiting.pop_front() {
                    Some(batch) => batch,
                    None => {
                        work.hashers = Some(hashers);
                        return;
                    }
                }
            };
            hashers.update_all(&batch);
            self.room.add_permits(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
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

struct Hashers {
    md5: Md5,
    asked: Option<ChecksumAlgorithm>,
    /// `None` if none was asked for, or the one that is computed anyway.
    checksum: Option<ChecksumHasher>,
}

impl Hashers {
    fn new(asked: Option<ChecksumAlgorithm>) -> Self {
        let checksum = asked.filter(|algorithm| *algorithm != ChecksumAlgorithm::Md5).map(ChecksumHasher::new);
        Self { md5: Md5::new(), asked, checksum }
    }

    fn update_all(&mut self, pieces: &[Bytes]) {
        for piece in pieces {
            self.md5.update(piece);
            if let Some(checksum) = &mut self.checksum {
                checksum.update(piece);
            }
        }
    }

    fn finish(self) -> Digests {
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
            let mut hash = BodyHash::new(Some(algorithm));
            for piece in whole.chunks(piece_bytes) {
                hash.update(Bytes::copy_from_slice(piece)).await.unwrap();
            }
            let digests = hash.finish().await.unwrap();
            assert_eq!(hex::encode(digests.md5), expected);
            assert_eq!(digests.checksum, Some(of_whole(algorithm)));
        }
    }
}
