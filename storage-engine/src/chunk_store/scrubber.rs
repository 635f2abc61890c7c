//! Scrubber: reads every frame of every extent and verifies it, in bounded steps that a restart resumes.
//! Owns: position and progress. What is damaged goes to the quarantine list; repair is the caller's.

use std::ops::Range;
use std::sync::Arc;

use super::frame_scan::FrameScan;
use super::index_record::{Place, scrub_key};
use super::layout::{EXTENT_HEADER_BYTES, ExtentId};
use super::reader::{Verified, read_range};
use super::status::ScrubStatus;
use super::store::Store;
use crate::env::DiskFile;
use crate::error::{Context, ErrorKind, Result};
use crate::format::{Decoder, Encoder, Record};
use crate::id::ChunkId;

/// Read in one step.
const STEP_BYTES_MAX: u64 = 8 << 20;

pub struct Scrubber {
    store: Arc<Store>,
    position: ScrubPosition,
}

/// Kept in the index after every step: where a scrub goes on after a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScrubPosition {
    pub running: bool,
    pub started_ms: u64,
    pub finished_ms: u64,
    extent: u64,
    offset: u64,
    /// Extents behind this one were begun after the scrub.
    extent_last: u64,
    bytes: u64,
    errors: u64,
    extents_done: u64,
    extents_total: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScrubStep {
    Finished,
    Read { bytes: u64 },
}

impl Scrubber {
    /// Goes on where the last one stopped.
    pub fn open(store: Arc<Store>) -> Result<Self> {
        let noted = store.index.noted(&scrub_key())?;
        let position = noted.map(|bytes| ScrubPosition::from_bytes(&bytes)).transpose()?.unwrap_or_default();
        let scrubber = Self { store, position };
        scrubber.publish();
        Ok(scrubber)
    }

    pub fn position(&self) -> ScrubPosition {
        self.position
    }

    /// Begins a scrub of everything that is there now; the one under way, if any, is dropped.
    pub fn begin(&mut self) -> Result<()> {
        let records = self.store.index.records();
        self.position = ScrubPosition {
            running: true,
            started_ms: self.store.environment.clock.unix_ms(),
            extents_total: records.len() as u64,
            extent_last: records.last().map_or(0, |(extent, _)| extent.0),
            offset: EXTENT_HEADER_BYTES,
            ..self.position
        };
        (self.position.extent, self.position.bytes, self.position.errors, self.position.extents_done) = (0, 0, 0, 0);
        self.save()
    }

    /// Does a bounded piece of work, blocking.
    pub fn step(&mut self) -> Result<ScrubStep> {
        let Some((extent, end)) = self.current_extent() else {
            self.position.running = false;
            self.position.finished_ms = self.store.environment.clock.unix_ms();
            self.save()?;
            return Ok(ScrubStep::Finished);
        };
        let bytes = match self.store.files.get(extent) {
            Ok(file) => self.scrub_some(extent, file, end)?,
            // Removed by the garbage collector, or missing since the start: recovery has said so.
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.next_extent(extent);
                0
            }
            Err(error) => return Err(error),
        };
        self.position.bytes += bytes;
        self.save()?;
        Ok(ScrubStep::Read { bytes })
    }

    fn current_extent(&mut self) -> Option<(ExtentId, u64)> {
        if !self.position.running {
            return None;
        }
        let wanted = self.position.extent..=self.position.extent_last;
        let records = self.store.index.records();
        let (extent, record) = records.into_iter().find(|(extent, _)| wanted.contains(&extent.0))?;
        if extent.0 != self.position.extent {
            (self.position.extent, self.position.offset) = (extent.0, EXTENT_HEADER_BYTES);
        }
        Some((extent, record.indexed_through))
    }

    fn scrub_some(&mut self, extent: ExtentId, file: Arc<dyn DiskFile>, end: u64) -> Result<u64> {
        let begin = self.position.offset.min(end);
        let mut scan = FrameScan::new(file.clone(), self.store.options.drive, extent, begin..end);
        while scan.position() - begin < STEP_BYTES_MAX {
            let before = scan.position();
            let Some(frame) = scan.next().context("scrub extent")? else {
                self.scrub_gap(extent, &*file, before..end)?;
                self.next_extent(extent);
                return Ok(end - begin);
            };
            self.scrub_gap(extent, &*file, frame.gap.clone())?;
            self.judge(frame.header.chunk, frame.place, scan.payload(&frame))?;
        }
        self.position.offset = scan.position();
        Ok(scan.position() - begin)
    }

    /// A damaged header hides a frame from the scan, not from the index.
    fn scrub_gap(&mut self, extent: ExtentId, file: &dyn DiskFile, gap: Range<u64>) -> Result<()> {
        if gap.is_empty() {
            return Ok(());
        }
        for (chunk, place) in self.store.index.chunks_within(extent, gap)? {
            tracing::warn!(?chunk, ?place, "the frame header of a chunk is damaged");
            self.position.errors += 1;
            self.judge(chunk, place, read_range(file, chunk, place, 0..place.payload_bytes))?;
        }
        Ok(())
    }

    fn judge(&mut self, chunk: ChunkId, place: Place, verified: Verified) -> Result<()> {
        // Damage of a dead frame is nobody's loss.
        if !self.store.index.points_at(chunk, place)? {
            return Ok(());
        }
        match verified {
            Ok(_) => self.store.quarantine.remove(chunk),
            Err(fault) => {
                self.position.errors += 1;
                self.store.quarantine.add(chunk, fault.to_string());
            }
        }
        Ok(())
    }

    fn next_extent(&mut self, done: ExtentId) {
        self.position.extents_done += 1;
        (self.position.extent, self.position.offset) = (done.0 + 1, EXTENT_HEADER_BYTES);
    }

    fn save(&self) -> Result<()> {
        self.publish();
        self.store.index.note(scrub_key(), self.position.to_bytes())
    }

    fn publish(&self) {
        let position = &self.position;
        self.store.set_scrub_status(ScrubStatus {
            running: position.running,
            started_ms: position.started_ms,
            finished_ms: position.finished_ms,
            extents_done: position.extents_done,
            extents_total: position.extents_total,
            bytes: position.bytes,
            errors: position.errors,
        });
    }
}

impl Record for ScrubPosition {
    const NAME: &'static str = "scrub position";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.bool(self.running).varint(self.started_ms).varint(self.finished_ms);
        encoder.varint(self.extent).varint(self.offset).varint(self.extent_last);
        encoder.varint(self.bytes).varint(self.errors).varint(self.extents_done).varint(self.extents_total);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self {
            running: decoder.bool()?,
            started_ms: decoder.varint()?,
            finished_ms: decoder.varint()?,
            extent: decoder.varint()?,
            offset: decoder.varint()?,
            extent_last: decoder.varint()?,
            bytes: decoder.varint()?,
            errors: decoder.varint()?,
            extents_done: decoder.varint()?,
            extents_total: decoder.varint()?,
        })
    }
}
