//! Store: the chunk store without async, every call blocking. What the tests drive; `ChunkStore` puts threads under it.
//! Owns: the lanes, and what they share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::extent::SyncContext;
use super::frame_writer::Frame;
use super::index::{Index, Origin};
use super::index_record::ExtentRecord;
use super::lane::{Appended, Lane};
use super::layout::ExtentId;
use super::lock::lock;
use super::open_files::OpenFiles;
use super::options::ChunkStoreOptions;
use super::quarantine::Quarantine;
use super::status::{Counters, ScrubStatus, Status};
use crate::drive::Poison;
use crate::env::Environment;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId};

pub struct Store {
    pub options: ChunkStoreOptions,
    pub environment: Environment,
    pub poison: Poison,
    pub index: Index,
    pub files: OpenFiles,
    pub counters: Counters,
    pub quarantine: Quarantine,
    scrub: Mutex<ScrubStatus>,
    lanes: Vec<Mutex<Lane>>,
    /// Survivors of garbage collection are likely to live long: kept apart from what arrives now.
    garbage_lane: Mutex<Lane>,
    next_extent: AtomicU64,
}

impl Store {
    pub fn new(
        options: ChunkStoreOptions,
        environment: Environment,
        poison: Poison,
        index: Index,
        next_extent: ExtentId,
    ) -> Self {
        assert!(options.lanes > 0, "a store without a lane takes nothing");
        let files = OpenFiles::new(options.directory.clone(), environment.disk.clone(), options.open_files_max);
        Self {
            lanes: (0..options.lanes).map(|_| Mutex::new(Lane::new(options.reserve_bytes))).collect(),
            // Half of the reserve may be spent on winning more back.
            garbage_lane: Mutex::new(Lane::new(options.reserve_bytes / 2)),
            next_extent: AtomicU64::new(next_extent.0),
            counters: Counters::default(),
            quarantine: Quarantine::default(),
            scrub: Mutex::default(),
            options,
            environment,
            poison,
            index,
            files,
        }
    }

    pub fn append(&self, chunk: ChunkId, payload: Vec<Bytes>) -> Result<Appended> {
        let frame = Frame::new(chunk, payload, self.environment.clock.unix_ms())?;
        lock(self.lane_of(chunk.blob())).append(self, &frame, Origin::Appended)
    }

    /// Appends a copy that replaces the one at `origin` once it is durable.
    pub fn append_moved(&self, frame: &Frame, origin: Origin) -> Result<Appended> {
        lock(&self.garbage_lane).append(self, frame, origin)
    }

    pub fn sync(&self, appended: &[Appended]) -> Result<()> {
        for appended in appended {
            appended.extent.sync_through(appended.end, self.sync_context())?;
        }
        self.acknowledge(appended)
    }

    /// The last word on chunks that are durable: none is acknowledged once any write of the drive has failed.
    pub fn acknowledge(&self, appended: &[Appended]) -> Result<()> {
        assert!(appended.iter().all(Appended::is_synced), "acknowledged without a sync");
        // A new copy replaces a damaged one.
        appended.iter().for_each(|appended| self.quarantine.remove(appended.chunk()));
        self.poison.check()
    }

    /// The space comes back when the extent is dead as a whole, or rewritten.
    pub fn free(&self, blob: BlobId) -> Result<u64> {
        self.poison.check()?;
        let freed_bytes = self.index.free(blob)?;
        self.quarantine.remove_blob(blob);
        Ok(freed_bytes)
    }

    /// Seals every open extent, so that the next start scans nothing.
    pub fn close(&self) -> Result<()> {
        for lane in self.lanes.iter().chain([&self.garbage_lane]) {
            lock(lane).seal(self)?;
        }
        self.index.flush()
    }

    /// Seals the open extents whose record says so: room in them comes back only then.
    pub fn seal_lanes(&self, wanted: impl Fn(&ExtentRecord) -> bool) -> Result<()> {
        for lane in self.lanes.iter().chain([&self.garbage_lane]) {
            let mut lane = lock(lane);
            let record = lane.extent().and_then(|extent| self.index.record(extent));
            if record.is_some_and(|record| wanted(&record)) {
                lane.seal(self)?;
            }
        }
        Ok(())
    }

    pub fn set_scrub_status(&self, status: ScrubStatus) {
        *lock(&self.scrub) = status;
    }

    pub fn sync_context(&self) -> SyncContext<'_> {
        SyncContext { index: &self.index, poison: &self.poison, counters: &self.counters }
    }

    pub fn next_extent_id(&self) -> ExtentId {
        ExtentId(self.next_extent.fetch_add(1, Ordering::Relaxed))
    }

    /// Refuses what would leave less than `reserve_bytes` free.
    pub fn check_room(&self, bytes: u64, reserve_bytes: u64) -> Result<()> {
        let free = self.environment.disk.free_bytes(&self.options.directory).context("ask for free space")?;
        if free < bytes.saturating_add(reserve_bytes) {
            return Err(Error::new(ErrorKind::Full, format!("{free} bytes are free on the drive")));
        }
        Ok(())
    }

    /// Removes the file of an extent that the index does not point into. The name may come back after a crash: a scan then
    /// finds nothing that the index misses.
    pub fn remove_extent_file(&self, extent: ExtentId) -> Result<()> {
        let removed = self.environment.disk.remove(&self.files.path(extent));
        self.files.remove(extent);
        match removed {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            result => result.context("remove extent"),
        }
    }

    pub fn status(&self) -> Status {
        let records = self.index.records();
        let counters = &self.counters;
        Status {
            extents: records.len() as u64,
            extents_sealed: records.iter().filter(|(_, record)| record.sealed).count() as u64,
            chunks: records.iter().map(|(_, record)| record.live_chunks).sum(),
            live_bytes: records.iter().map(|(_, record)| record.live_bytes).sum(),
            dead_bytes: records.iter().map(|(_, record)| record.dead_bytes()).sum(),
            appends: counters.appends.get(),
            appended_bytes: counters.appended_bytes.get(),
            reads: counters.reads.get(),
            read_bytes: counters.read_bytes.get(),
            syncs: counters.syncs.get(),
            corrupt_reads: counters.corrupt_reads.get(),
            garbage_moved_bytes: counters.garbage_moved_bytes.get(),
            extents_removed: counters.extents_removed.get(),
            damaged: self.quarantine.list(),
            scrub: lock(&self.scrub).clone(),
        }
    }

    /// All chunks of a blob go to one lane, so that the sync at the end touches one extent (two if it rolled over).
    fn lane_of(&self, blob: BlobId) -> &Mutex<Lane> {
        let mut random = [0; 8];
        random.copy_from_slice(&blob.as_bytes()[BlobId::BYTES - 8..]);
        let lane = u64::from_be_bytes(random) % self.lanes.len() as u64;
        &self.lanes[lane as usize]
    }
}
