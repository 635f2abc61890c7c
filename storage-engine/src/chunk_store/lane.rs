//! Lane: one writer, one open extent at a time, frames in file order.
//! Owns: the tail of its extent, preallocation, roll-over, sealing.
//! Does not own: durability (extent), entries (index).
//! Invariant: after an error that may have left bytes behind the tail, nothing is appended to that extent any more.

use std::io;
use std::sync::Arc;

use super::extent::Extent;
use super::frame_writer::Frame;
use super::index::{DurableFrame, Origin};
use super::index_record::Place;
use super::layout::{EXTENT_HEADER_BYTES, ExtentHeader, ExtentId, FramePlace, frame_bytes};
use super::store::Store;
use crate::env::OpenMode;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::id::ChunkId;

pub struct Lane {
    open: Option<OpenExtent>,
    /// Left free on the drive by what this lane writes.
    reserve_bytes: u64,
}

struct OpenExtent {
    extent: Arc<Extent>,
    allocated: u64,
}

/// A written chunk: to be given to `sync`, which makes it durable.
#[derive(Clone)]
pub struct Appended {
    pub(super) extent: Arc<Extent>,
    pub(super) end: u64,
    chunk: ChunkId,
}

impl Appended {
    pub(super) fn is_synced(&self) -> bool {
        self.extent.synced() >= self.end
    }

    /// Of its extent, up to and including this chunk.
    pub(super) fn unsynced_bytes(&self) -> u64 {
        self.end.saturating_sub(self.extent.synced())
    }

    pub fn chunk(&self) -> ChunkId {
        self.chunk
    }

    /// Chunks of one extent become durable with one fdatasync.
    pub fn extent(&self) -> ExtentId {
        self.extent.id
    }
}

impl Lane {
    pub fn new(reserve_bytes: u64) -> Self {
        Self { open: None, reserve_bytes }
    }

    pub fn extent(&self) -> Option<ExtentId> {
        self.open.as_ref().map(|open| open.extent.id)
    }

    pub fn append(&mut self, store: &Store, frame: &Frame, origin: Origin) -> Result<Appended> {
        store.poison.check()?;
        let bytes = frame_bytes(frame.header.payload_bytes);
        if self.open.as_ref().is_some_and(|open| open.is_too_full_for(bytes, store.options.extent_bytes_max)) {
            self.seal(store)?;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => OpenExtent::create(store, bytes, self.reserve_bytes)?,
        };
        let written = open.reserve(store, bytes, self.reserve_bytes).and_then(|()| open.write(store, frame, origin));
        self.open = Some(open);
        match written {
            Err(error) if error.kind == ErrorKind::Full => {
                self.seal(store)?;
                Err(error)
            }
            Err(error) => Err(store.poison.set(error)),
            Ok(appended) => {
                store.counters.appends.add(1);
                store.counters.appended_bytes.add(bytes);
                Ok(appended)
            }
        }
    }

    /// Ends the open extent at its valid tail. An extent without a frame is removed.
    pub fn seal(&mut self, store: &Store) -> Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        store.poison.check()?;
        let end = open.extent.written();
        if end == EXTENT_HEADER_BYTES {
            return store.remove_extent_file(open.extent.id);
        }
        open.truncate(store, end)?;
        open.extent.sync_through(end, store.sync_context())?;
        store.index.seal(open.extent.id)
    }
}

impl OpenExtent {
    fn create(store: &Store, frame_bytes: u64, reserve_bytes: u64) -> Result<Self> {
        store.check_room(EXTENT_HEADER_BYTES + frame_bytes, reserve_bytes)?;
        let id = store.next_extent_id();
        let created_ms = store.environment.clock.unix_ms();
        let header = ExtentHeader { drive: store.options.drive, extent: id, created_ms }.encode();
        let disk = &store.environment.disk;
        let file = disk.open(&store.files.path(id), OpenMode::CreateNew).context("create extent")?;
        if let Err(source) = file.write_at(&[io::IoSlice::new(&header)], 0) {
            store.remove_extent_file(id)?;
            return Err(Error::io("write extent header", source));
        }
        // Before the first acknowledgement the name must be durable, not only the bytes.
        disk.sync_directory(&store.options.directory).map_err(|source| {
            store.poison.set(Error::new(ErrorKind::DriveFailed, "sync extent directory").with_source(source))
        })?;
        store.files.insert(id, file.clone());
        Ok(Self { extent: Arc::new(Extent::new(id, file)), allocated: EXTENT_HEADER_BYTES })
    }

    fn is_too_full_for(&self, frame_bytes: u64, extent_bytes_max: u64) -> bool {
        let written = self.extent.written();
        // An extent takes at least one frame, whatever its size.
        written > EXTENT_HEADER_BYTES && written + frame_bytes > extent_bytes_max
    }

    /// Makes sure that the next `bytes` fit on the drive, and leave the reserve free.
    fn reserve(&mut self, store: &Store, bytes: u64, reserve_bytes: u64) -> Result<()> {
        let written = self.extent.written();
        let needed = written + bytes;
        if needed <= self.allocated {
            return Ok(());
        }
        let step = (self.allocated + store.options.preallocation_bytes).min(store.options.extent_bytes_max).max(needed);
        let end = if store.check_room(step - self.allocated, reserve_bytes).is_ok() { step } else { needed };
        store.check_room(end - self.allocated, reserve_bytes)?;
        match self.extent.file.allocate(end) {
            // A file system without preallocation: the write itself finds out whether there is room.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            result => result.context("preallocate extent")?,
        }
        self.allocated = end;
        Ok(())
    }

    fn write(&mut self, store: &Store, frame: &Frame, origin: Origin) -> Result<Appended> {
        let (chunk, payload_bytes) = (frame.header.chunk, frame.header.payload_bytes);
        let (extent, offset) = (self.extent.id, self.extent.written());
        let frame_place = FramePlace { drive: store.options.drive, extent, offset };
        frame.write(&*self.extent.file, &frame_place).context("write chunk")?;
        let place = Place { extent, offset, payload_bytes };
        if matches!(origin, Origin::Appended) {
            store.index.expect(chunk, place);
        }
        self.extent.wrote(DurableFrame { chunk, place, origin });
        Ok(Appended { extent: self.extent.clone(), end: place.end(), chunk })
    }

    fn truncate(&self, store: &Store, end: u64) -> Result<()> {
        self.extent.file.truncate(end).map_err(|source| {
            store.poison.set(Error::new(ErrorKind::DriveFailed, "cut extent at its tail").with_source(source))
        })
    }
}
