//! Recovery: what the drive holds, made into what the index says, when a store is opened.
//! Owns: the order of that. Sealed extents are not looked at; the others are read from where the index knows them on, their
//! intact frames indexed, their torn tail cut, and they are sealed: nothing is appended to them any more.
//! Invariant: a chunk that was durable and not freed is in the index afterwards. A freed one may be, too: a chunk without a name,
//! which the sweep frees again.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::frame_scan::FrameScan;
use super::index::{DurableFrame, Index, Origin};
use super::index_record::ExtentRecord;
use super::index_store::IndexStore;
use super::layout::{EXTENT_HEADER_BYTES, ExtentHeader, ExtentId, HeaderFault};
use super::open_files::OpenFiles;
use super::options::ChunkStoreOptions;
use super::store::Store;
use crate::drive::Poison;
use crate::env::{DiskFile, Environment, OpenMode};
use crate::error::{Context, Error, Result};

/// Frames that go into one batch of the index.
const BATCH_FRAMES_MAX: usize = 1_000;

/// What a recovery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    pub extents: u64,
    pub extents_scanned: u64,
    pub extents_missing: u64,
    pub chunks_found: u64,
    pub bytes_cut: u64,
}

impl Store {
    pub fn open(
        options: ChunkStoreOptions,
        environment: Environment,
        poison: Poison,
        index_store: Arc<dyn IndexStore>,
    ) -> Result<(Self, Recovery)> {
        let disk = &environment.disk;
        disk.create_directory(&options.directory).context("create extent directory")?;
        disk.sync_directory(options.directory.parent().unwrap_or(Path::new("."))).context("sync data directory")?;
        let paths = disk.list(&options.directory).context("list extents")?;
        let files: BTreeSet<ExtentId> = paths.iter().filter_map(|path| OpenFiles::extent_of_path(path)).collect();
        let index = Index::open(index_store)?;
        let known = index.records().into_iter().map(|(extent, _)| extent);
        let last = files.iter().copied().chain(known).max();
        let next = ExtentId(last.map_or(1, |last| last.0 + 1));

        let store = Self::new(options, environment, poison, index, next);
        let recovery = store.recover(&files)?;
        if recovery.extents_scanned > 0 {
            store.index.flush()?;
        }
        Ok((store, recovery))
    }

    fn recover(&self, files: &BTreeSet<ExtentId>) -> Result<Recovery> {
        let mut recovery = Recovery { extents: files.len() as u64, ..Recovery::default() };
        for extent in files {
            let record = self.index.record(*extent);
            if !record.is_some_and(|record| record.sealed) {
                recovery.extents_scanned += 1;
                self.recover_extent(*extent, record, &mut recovery)?;
            }
        }
        for (extent, record) in self.index.records() {
            if files.contains(&extent) {
                continue;
            }
            if record.live_chunks == 0 {
                // Removed on purpose, and the crash came before the index was flushed.
                self.index.forget(extent)?;
            } else {
                recovery.extents_missing += 1;
                tracing::error!(?extent, chunks = record.live_chunks, "an extent is missing");
                self.index.seal(extent)?;
            }
        }
        Ok(recovery)
    }

    fn recover_extent(&self, id: ExtentId, record: Option<ExtentRecord>, recovery: &mut Recovery) -> Result<()> {
        let start = record.map_or(EXTENT_HEADER_BYTES, |record| record.indexed_through);
        let file = self.environment.disk.open(&self.files.path(id), OpenMode::ReadWrite).context("open extent")?;
        // After a kill, frames may be in the page cache only: what is indexed here must be durable first.
        file.sync_data().context("sync extent").map_err(|error| self.poison.set(error))?;
        let file_bytes = file.bytes().context("size of extent")?;
        self.check_header(&*file, id, file_bytes)?;

        let end = self.index_frames(id, &file, start..file_bytes.max(start), recovery)?;
        recovery.bytes_cut += file_bytes.saturating_sub(end);
        if end == EXTENT_HEADER_BYTES {
            self.remove_extent_file(id)?;
            return self.index.forget(id);
        }
        if end < file_bytes {
            file.truncate(end).context("cut extent at its tail")?;
        }
        self.index.seal(id)
    }

    /// A header that a crash tore is no loss: no frame behind it was acknowledged, or it would be durable too.
    fn check_header(&self, file: &dyn DiskFile, id: ExtentId, file_bytes: u64) -> Result<()> {
        let mut bytes = vec![0; EXTENT_HEADER_BYTES.min(file_bytes) as usize];
        file.read_at(&mut bytes, 0).context("read extent header")?;
        match ExtentHeader::decode(&bytes) {
            Ok(header) if header.drive != self.options.drive => {
                Err(Error::corrupt(format!("extent {:016x} belongs to another drive", id.0)))
            }
            Err(fault @ HeaderFault::NewerVersion(_)) => {
                Err(Error::corrupt(format!("extent {:016x}", id.0)).with_source(fault))
            }
            Ok(_) | Err(HeaderFault::Damaged) => Ok(()),
        }
    }

    /// Takes in the intact frames of a range. Gives the end of the last one.
    fn index_frames(
        &self,
        id: ExtentId,
        file: &Arc<dyn DiskFile>,
        range: Range<u64>,
        recovery: &mut Recovery,
    ) -> Result<u64> {
        let mut end = range.start;
        let mut scan = FrameScan::new(file.clone(), self.options.drive, id, range);
        let mut frames = Vec::new();
        while let Some(frame) = scan.next().context("scan extent")? {
            if scan.payload(&frame).is_err() {
                continue;
            }
            end = frame.place.end();
            recovery.chunks_found += 1;
            frames.push(DurableFrame { chunk: frame.header.chunk, place: frame.place, origin: Origin::Recovered });
            if frames.len() == BATCH_FRAMES_MAX {
                self.index.commit(id, &frames, end)?;
                frames.clear();
            }
        }
        self.index.commit(id, &frames, end)?;
        Ok(end)
    }
}
