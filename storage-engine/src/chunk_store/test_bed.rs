//! A chunk store on a simulated disk, next to a model of what it must hold: shared by the tests of crashes, damage and full
//! disks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::garbage_collector::{GarbageCollector, GarbageStep};
use super::index_record::ExtentRecord;
use super::index_store::MemoryIndexStore;
use super::lane::Appended;
use super::layout::frame_bytes;
use super::options::ChunkStoreOptions;
use super::recovery::Recovery;
use super::scrubber::{ScrubStep, Scrubber};
use super::store::Store;
use crate::drive::Poison;
use crate::env::simulated_disk::{Crash, Fuse, SimulatedDisk};
use crate::env::{Clock, Environment, SystemRandom};
use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, ChunkId, OwnerKey};

pub const DRIVE: [u8; 16] = *b"drive under test";

/// What the store promised about a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// Appended, not synced: there while the process lives, there or not after a crash.
    Written,
    /// Acknowledged: there.
    Durable,
    /// Freed: gone while the process lives, there or not after a crash.
    Freed,
    /// A crash came in between, or a call failed: there or not, but never other bytes.
    Open,
}

pub struct TestBed {
    pub disk: SimulatedDisk,
    pub index: Arc<MemoryIndexStore>,
    pub store: Arc<Store>,
    pub recovery: Recovery,
    pub unsynced: Vec<Appended>,
    pub model: BTreeMap<ChunkId, (u32, Promise)>,
    /// A sync has failed: the page cache may hold frames that are not on the drive, and a restart cannot tell. They were never
    /// acknowledged, so after a power loss they may turn out damaged instead of gone.
    pub sync_failed: bool,
    next_blob: u64,
    dice: u64,
}

struct StillClock;

impl Clock for StillClock {
    fn unix_ms(&self) -> u64 {
        1_790_000_000_000
    }

    fn now(&self) -> std::time::Instant {
        std::time::Instant::now()
    }
}

pub fn options() -> ChunkStoreOptions {
    let mut options = ChunkStoreOptions::new(PathBuf::from("/drive/extents"), DRIVE);
    options.lanes = 2;
    options.extent_bytes_max = 400_000;
    options.preallocation_bytes = 100_000;
    options.reserve_bytes = 0;
    options.open_files_max = 3;
    options
}

pub fn open(disk: &SimulatedDisk, index: &Arc<MemoryIndexStore>) -> Result<(Arc<Store>, Recovery)> {
    open_with(options(), disk, index)
}

pub fn open_with(
    options: ChunkStoreOptions,
    disk: &SimulatedDisk,
    index: &Arc<MemoryIndexStore>,
) -> Result<(Arc<Store>, Recovery)> {
    let environment =
        Environment { clock: Arc::new(StillClock), random: Arc::new(SystemRandom), disk: Arc::new(disk.clone()) };
    let (store, recovery) = Store::open(options, environment, Poison::default(), index.clone())?;
    Ok((Arc::new(store), recovery))
}

/// Bytes that differ from chunk to chunk and from block to block.
pub fn payload(chunk: ChunkId, bytes: u32) -> Bytes {
    let seed = chunk.as_bytes().iter().fold(1_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    (0..bytes).map(|at| (seed.wrapping_add(at).wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>().into()
}

impl TestBed {
    pub fn new(seed: u64) -> Self {
        Self::with_capacity(seed, 1 << 40)
    }

    pub fn with_capacity(seed: u64, capacity_bytes: u64) -> Self {
        Self::with_options(seed, capacity_bytes, options())
    }

    pub fn with_options(seed: u64, capacity_bytes: u64, options: ChunkStoreOptions) -> Self {
        let fuse = Fuse::never();
        let disk = SimulatedDisk::new(capacity_bytes, fuse.clone());
        let index = Arc::new(MemoryIndexStore::new(fuse));
        let (store, recovery) = open_with(options, &disk, &index).expect("an empty store opens");
        let model = BTreeMap::new();
        Self { disk, index, store, recovery, unsynced: Vec::new(), model, sync_failed: false, next_blob: 1, dice: seed }
    }

    /// Chunks of one new blob.
    pub fn append(&mut self, sizes: &[u32]) -> Result<()> {
        let blob = BlobId::new(OwnerKey::of_user(1), 1_790_000_000_000, self.next_blob);
        self.next_blob += 1;
        for (number, bytes) in (0..).zip(sizes) {
            let chunk = blob.chunk(number);
            self.model.insert(chunk, (*bytes, Promise::Open));
            let pieces = payload(chunk, *bytes).chunks(30_000).map(Bytes::copy_from_slice).collect();
            self.unsynced.push(self.store.append(chunk, pieces)?);
            self.model.insert(chunk, (*bytes, Promise::Written));
        }
        Ok(())
    }

    pub fn sync(&mut self) -> Result<()> {
        let unsynced = std::mem::take(&mut self.unsynced);
        self.store.sync(&unsynced)?;
        for appended in unsynced {
            let (_, promise) = self.model.get_mut(&appended.chunk()).expect("appended by the model");
            if *promise == Promise::Written {
                *promise = Promise::Durable;
            }
        }
        Ok(())
    }

    /// Frees the blob that stands at this place of the model, counted around.
    pub fn free(&mut self, at: usize) -> Result<()> {
        let Some(blob) = self.model.keys().nth(at % self.model.len().max(1)).map(ChunkId::blob) else { return Ok(()) };
        self.promise_of_blob(blob, Promise::Open);
        self.store.free(blob)?;
        self.promise_of_blob(blob, Promise::Freed);
        Ok(())
    }

    fn promise_of_blob(&mut self, blob: BlobId, to: Promise) {
        let chunks = self.model.range_mut(blob.chunk(0)..=blob.chunk(u32::MAX));
        chunks.for_each(|(_, (_, promise))| *promise = to);
    }

    /// Runs the collector until it is idle, or for so many steps. Gives how often it did something.
    pub fn collect_garbage(&self, steps_max: usize) -> Result<usize> {
        let mut collector = GarbageCollector::new(self.store.clone());
        for done in 0..steps_max {
            if collector.step()? == GarbageStep::Idle {
                return Ok(done);
            }
        }
        Ok(steps_max)
    }

    /// A scrub of everything. Gives the errors it found.
    pub fn scrub(&self) -> Result<u64> {
        let mut scrubber = Scrubber::open(self.store.clone())?;
        scrubber.begin()?;
        while scrubber.step()? != ScrubStep::Finished {}
        Ok(self.store.status().scrub.errors)
    }

    /// The store as it may stand after a crash at this moment; this one is not changed.
    pub fn after_crash(&mut self, crash: Crash) -> Self {
        let fuse = Fuse::never();
        let batches = self.index.unflushed_batches() as u64;
        let kept = (self.roll() % (batches + 1)) as usize;
        let index = Arc::new(self.index.after_crash(kept, fuse.clone()));
        let mut dice = self.roll();
        let disk = self.disk.after_crash(crash, &mut || next(&mut dice), fuse);
        let (store, recovery) = open(&disk, &index).expect("a crash never keeps a store from opening");
        let mut model = self.model.clone();
        model.values_mut().filter(|(_, promise)| *promise != Promise::Durable).for_each(|(_, promise)| {
            *promise = Promise::Open;
        });
        let dice = self.roll();
        let (sync_failed, next_blob) = (self.sync_failed, self.next_blob);
        Self { disk, index, store, recovery, unsynced: Vec::new(), model, sync_failed, next_blob, dice }
    }

    /// A clean stop and start.
    pub fn reopen(&mut self) -> Result<()> {
        self.store.close()?;
        for (_, promise) in self.model.values_mut() {
            if *promise == Promise::Written {
                *promise = Promise::Durable;
            }
        }
        self.unsynced.clear();
        (self.store, self.recovery) = open(&self.disk, &self.index)?;
        Ok(())
    }

    /// Reads everything back, and checks every promise and every account.
    pub fn verify(&self) {
        for (chunk, (bytes, promise)) in &self.model {
            match (self.store.read(*chunk, 0..*bytes), promise) {
                (Ok(read), Promise::Written | Promise::Durable | Promise::Open) => {
                    assert!(read == payload(*chunk, *bytes), "wrong bytes of {chunk:?} ({promise:?})");
                }
                (Err(error), Promise::Open | Promise::Freed) if error.kind == ErrorKind::NotFound => {}
                (Err(error), Promise::Open) if error.kind == ErrorKind::Corrupt && self.sync_failed => {}
                (result, _) => panic!("{chunk:?} is {promise:?}, but {:?}", result.map(|read| read.len())),
            }
            if *promise == Promise::Durable {
                let (from, to) = (bytes / 3, bytes - bytes / 4);
                let part = self.store.read(*chunk, from..to).expect("part of a durable chunk");
                assert_eq!(part, payload(*chunk, *bytes).slice(from as usize..to as usize));
            }
        }
        self.verify_accounts();
    }

    /// What the extent records count is what the entries say.
    fn verify_accounts(&self) {
        for (extent, record) in self.store.index.records() {
            let entries = self.store.index.chunks_within(extent, 0..u64::MAX).expect("scan of the index");
            let live_bytes: u64 = entries.iter().map(|(_, place)| frame_bytes(place.payload_bytes)).sum();
            let counted = ExtentRecord { live_chunks: entries.len() as u64, live_bytes, ..record };
            assert_eq!(record, counted, "{extent:?}");
            assert!(entries.iter().all(|(_, place)| place.end() <= record.indexed_through), "{extent:?}");
        }
    }

    /// What the caller's sweep does: frees what has no name. Nothing of it is there afterwards.
    pub fn sweep(&mut self) {
        let mut after = None;
        loop {
            let blobs = self.store.index.blobs(after, 3).expect("blobs");
            let Some((last, _)) = blobs.last() else { break };
            after = Some(*last);
            for (blob, _) in blobs {
                let chunks = self.model.range(blob.chunk(0)..=blob.chunk(u32::MAX));
                if chunks.into_iter().all(|(_, (_, promise))| *promise == Promise::Open) {
                    self.store.free(blob).expect("free");
                    self.promise_of_blob(blob, Promise::Freed);
                }
            }
        }
    }

    pub fn extent_paths(&self) -> Vec<PathBuf> {
        let disk: &dyn crate::env::Disk = &self.disk;
        disk.list(Path::new("/drive/extents")).expect("list")
    }

    pub fn roll(&mut self) -> u64 {
        next(&mut self.dice)
    }
}

/// SplitMix64: a seed repeats a run.
fn next(state: &mut u64) -> u64 {
    let value = OwnerKey::of_user(*state).0;
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value
}
