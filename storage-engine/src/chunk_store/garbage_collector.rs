//! Garbage collector: gives the room of dead chunks back.
//! Copies the live chunks out of extents that are mostly dead, and removes extents that are wholly dead.
//! Invariants: a copy is durable before the index points at it; a file is removed only after the index that no longer points
//! into it was flushed, so that whatever a crash leaves of the index finds every live chunk; an extent with a chunk that could
//! not be copied intact is left alone.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::frame_scan::FrameScan;
use super::frame_writer::Frame;
use super::index::Origin;
use super::index_record::{ExtentRecord, Place};
use super::lane::Appended;
use super::layout::{EXTENT_HEADER_BYTES, ExtentId};
use super::reader::{Verified, read_range};
use super::store::Store;
use crate::env::DiskFile;
use crate::error::{Context, Result};
use crate::id::ChunkId;

/// Copied between two syncs: enough to be worth one, little enough that the rate limit stays smooth.
const STEP_BYTES_MAX: u64 = 8 << 20;

pub struct GarbageCollector {
    store: Arc<Store>,
    work: Option<Work>,
    /// Hold chunks that cannot be copied. Tried again after a restart.
    damaged: BTreeSet<ExtentId>,
}

/// The extent that is being emptied.
struct Work {
    extent: ExtentId,
    scan: FrameScan,
    file: Arc<dyn DiskFile>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GarbageStep {
    /// Nothing to do until more chunks die.
    Idle,
    /// Read through so many bytes of an extent; what lived there has moved.
    Moved {
        bytes: u64,
    },
    Removed {
        extents: u64,
    },
}

impl GarbageCollector {
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, work: None, damaged: BTreeSet::new() }
    }

    /// Does a bounded piece of work, blocking.
    pub fn step(&mut self) -> Result<GarbageStep> {
        self.store.poison.check()?;
        if let Some(work) = self.work.take() {
            return self.move_some(work);
        }
        let extents = self.remove_dead()?;
        if extents > 0 {
            return Ok(GarbageStep::Removed { extents });
        }
        let worth_sealing = self.store.options.preallocation_bytes;
        self.store.seal_lanes(|record| self.is_garbage(record) && record.frames_bytes() >= worth_sealing)?;
        let Some(extent) = self.most_dead() else { return Ok(GarbageStep::Idle) };
        let Some(record) = self.store.index.record(extent) else { return Ok(GarbageStep::Idle) };
        let file = self.store.files.get(extent)?;
        let range = EXTENT_HEADER_BYTES..record.indexed_through;
        let scan = FrameScan::new(file.clone(), self.store.options.drive, extent, range);
        self.move_some(Work { extent, scan, file })
    }

    fn remove_dead(&self) -> Result<u64> {
        let dead: Vec<ExtentId> =
            self.sealed().filter(|(_, record)| record.live_chunks == 0).map(|(id, _)| id).collect();
        if dead.is_empty() {
            return Ok(0);
        }
        // A crash may bring back any older state of the index that is not flushed: one that still needs these files.
        self.store.index.flush()?;
        for extent in &dead {
            self.store.remove_extent_file(*extent)?;
            self.store.index.forget(*extent)?;
            self.store.counters.extents_removed.add(1);
        }
        Ok(dead.len() as u64)
    }

    fn most_dead(&self) -> Option<ExtentId> {
        let candidates = self.sealed().filter(|(id, record)| self.is_garbage(record) && !self.damaged.contains(id));
        candidates.max_by_key(|(_, record)| record.dead_bytes()).map(|(id, _)| id)
    }

    fn is_garbage(&self, record: &ExtentRecord) -> bool {
        let dead_bytes = record.dead_bytes();
        dead_bytes > 0 && dead_bytes * 100 >= record.frames_bytes() * self.store.options.garbage_percent_min
    }

    fn sealed(&self) -> impl Iterator<Item = (ExtentId, ExtentRecord)> {
        self.store.index.records().into_iter().filter(|(_, record)| record.sealed)
    }

    fn move_some(&mut self, mut work: Work) -> Result<GarbageStep> {
        let begin = work.scan.position();
        let mut copies = Vec::new();
        let mut ended = false;
        while !ended && work.scan.position() - begin < STEP_BYTES_MAX {
            let before = work.scan.position();
            let gap = match work.scan.next().context("scan extent")? {
                Some(frame) => {
                    let payload = || work.scan.payload(&frame);
                    self.copy(frame.header.chunk, frame.place, frame.header.created_ms, payload, &mut copies)?;
                    frame.gap
                }
                None => {
                    ended = true;
                    before..u64::MAX
                }
            };
            self.copy_from_gap(&work, gap, &mut copies)?;
        }
        self.store.sync(&copies)?;
        let bytes = work.scan.position() - begin;
        if !ended {
            self.work = Some(work);
        } else if self.store.index.record(work.extent).is_some_and(|record| record.live_chunks > 0) {
            tracing::warn!(extent = ?work.extent, "extent keeps chunks that cannot be copied");
            self.damaged.insert(work.extent);
        }
        Ok(GarbageStep::Moved { bytes })
    }

    /// Chunks whose frame header is damaged: the index still knows their place, and their blocks carry their own checksums.
    fn copy_from_gap(&self, work: &Work, gap: Range<u64>, copies: &mut Vec<Appended>) -> Result<()> {
        let record = self.store.index.record(work.extent);
        if gap.is_empty() || record.is_none_or(|record| gap.start >= record.indexed_through) {
            return Ok(());
        }
        for (chunk, place) in self.store.index.chunks_within(work.extent, gap)? {
            let payload = || read_range(&*work.file, chunk, place, 0..place.payload_bytes);
            self.copy(chunk, place, chunk.blob().created_ms(), payload, copies)?;
        }
        Ok(())
    }

    fn copy(
        &self,
        chunk: ChunkId,
        place: Place,
        created_ms: u64,
        payload: impl FnOnce() -> Verified,
        copies: &mut Vec<Appended>,
    ) -> Result<()> {
        if !self.store.index.points_at(chunk, place)? {
            return Ok(());
        }
        match payload() {
            Ok(payload) => {
                let bytes = payload.len() as u64;
                let frame = Frame::new(chunk, vec![payload], created_ms)?;
                copies.push(self.store.append_moved(&frame, Origin::Moved { from: place })?);
                self.store.counters.garbage_moved_bytes.add(bytes);
            }
            Err(fault) => self.store.quarantine.add(chunk, fault.to_string()),
        }
        Ok(())
    }
}
