//! Extent: an open, append-only file, and how far it is durable.
//! Owns: which bytes are written, which are synced, and the frames in between.
//! Does not own: where the next frame goes (lane), entries (index).
//! Invariant: `synced` grows only by an fdatasync that began after the bytes were written, and only after the frames before it
//! are in the index. Nothing counts as synced once the drive is poisoned.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::index::{DurableFrame, Index};
use super::layout::{EXTENT_HEADER_BYTES, ExtentId};
use super::lock::lock;
use super::status::Counters;
use crate::drive::Poison;
use crate::env::DiskFile;
use crate::error::{Error, ErrorKind, Result};

pub struct Extent {
    pub id: ExtentId,
    pub file: Arc<dyn DiskFile>,
    progress: Mutex<Progress>,
    synced: AtomicU64,
    /// Held during an fdatasync and the commit that follows: one at a time, so that frames are committed in file order.
    sync_turn: Mutex<()>,
    /// Where async waiters queue for `sync_turn`, so that none of them holds a thread.
    pub queue: Arc<tokio::sync::Mutex<()>>,
}

struct Progress {
    written: u64,
    frames: VecDeque<DurableFrame>,
}

/// What a sync needs besides the extent.
#[derive(Clone, Copy)]
pub struct SyncContext<'a> {
    pub index: &'a Index,
    pub poison: &'a Poison,
    pub counters: &'a Counters,
}

impl Extent {
    /// A file that holds its header, not yet durable.
    pub fn new(id: ExtentId, file: Arc<dyn DiskFile>) -> Self {
        let progress = Progress { written: EXTENT_HEADER_BYTES, frames: VecDeque::new() };
        Self {
            id,
            file,
            progress: Mutex::new(progress),
            synced: AtomicU64::new(0),
            sync_turn: Mutex::new(()),
            queue: Arc::default(),
        }
    }

    /// Takes note of a frame whose write has ended.
    pub fn wrote(&self, frame: DurableFrame) {
        let mut progress = lock(&self.progress);
        assert_eq!(frame.place.offset, progress.written, "frames are written in file order, without gaps");
        progress.written = frame.place.end();
        progress.frames.push_back(frame);
    }

    pub fn written(&self) -> u64 {
        lock(&self.progress).written
    }

    pub fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Returns after everything before `end` is durable and in the index. One call serves every waiter whose bytes were written
    /// before its fdatasync began: who gets the turn later finds the work done.
    pub fn sync_through(&self, end: u64, context: SyncContext<'_>) -> Result<()> {
        let _turn = lock(&self.sync_turn);
        if self.synced() < end {
            self.sync(context)?;
        }
        // Another extent's sync may have failed meanwhile: after that nothing is acknowledged.
        context.poison.check()
    }

    fn sync(&self, context: SyncContext<'_>) -> Result<()> {
        context.poison.check()?;
        let (frames, through) = {
            let progress = lock(&self.progress);
            (progress.frames.iter().copied().collect::<Vec<_>>(), progress.written)
        };
        self.file.sync_data().map_err(|source| {
            let failed = Error::new(ErrorKind::DriveFailed, format!("sync extent {:016x}", self.id.0));
            context.poison.set(failed.with_source(source))
        })?;
        context.counters.syncs.add(1);
        context.index.commit(self.id, &frames, through)?;
        lock(&self.progress).frames.drain(..frames.len());
        self.synced.store(through, Ordering::Release);
        Ok(())
    }
}
