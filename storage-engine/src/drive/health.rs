//! Health: whether a drive may be written to. It fails once and for all (`Poison`), or is full and recovers by itself.
//! Owns: the free space as last seen, and how much of it is kept back for whom.
//! Invariant: the reserves are there so that RocksDB and the extents never meet a full disk in the middle of a write: its
//! outcome would be unknown, and poisons the drive.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Poison;
use super::identity;
use crate::env::{Disk, OpenMode, spawn_blocking};
use crate::error::{Context, Error, ErrorKind, Result};

/// How often the free space is asked for. What the logs can grow by in that time is a fraction of the reserves; extents ask
/// for themselves before they take room.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// EIO.
const INPUT_OUTPUT_ERROR: i32 = 5;

/// Free space that is kept back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reserve {
    /// Below it nothing that adds bytes is taken: objects, parts, chunks.
    pub store_bytes: u64,
    /// Below it no change at all is taken. What lies between is for deletes, their log entries and compactions; what
    /// is left for work that was taken before, and memtables on their way to the drive.
    pub change_bytes: u64,
    /// Below it not even a vote is taken: a write that meets a full disk would end every group of the node.
    pub vote_bytes: u64,
}

impl Default for Reserve {
    fn default() -> Self {
        // The write-ahead log (256 MiB at most), two flushes of memtables and a compaction must fit.
        Self { store_bytes: 1 << 30, change_bytes: 512 << 20, vote_bytes: 32 << 20 }
    }
}

/// What a write is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteFor {
    /// Adds bytes of users: a put, a part, a copy.
    Storing,
    /// Deletes, settings, bookkeeping: must work when the drive is full, or it stays full.
    Changing,
    /// Bytes that decide who leads: a cluster whose drives are all full must still find a leader to read from.
    Voting,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthStatus {
    pub free_bytes: u64,
    pub takes_objects: bool,
    pub takes_changes: bool,
    /// Why the drive takes nothing until a restart.
    pub failed: Option<String>,
}

pub struct Health {
    poison: Poison,
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    reserve: Reserve,
    free_bytes: AtomicU64,
    said_full: AtomicBool,
}

impl Health {
    pub(super) fn new(disk: Arc<dyn Disk>, directory: PathBuf, reserve: Reserve) -> Result<Self> {
        let health = Self {
            poison: Poison::default(),
            disk,
            directory,
            reserve,
            free_bytes: AtomicU64::new(0),
            said_full: AtomicBool::new(false),
        };
        health.refresh()?;
        Ok(health)
    }

    pub fn poison(&self) -> &Poison {
        &self.poison
    }

    pub fn admit(&self, write: WriteFor) -> Result<()> {
        self.poison.check()?;
        let free = self.free_bytes.load(Ordering::Relaxed);
        let reserve = self.reserve_for(write);
        if free < reserve {
            let context = format!("the drive is full: {free} bytes are free, {reserve} are kept back");
            return Err(Error::new(ErrorKind::Full, context));
        }
        Ok(())
    }

    /// Asks for the free space; blocks for a system call.
    pub fn refresh(&self) -> Result<()> {
        let free = self.disk.free_bytes(&self.directory).context("ask for free space")?;
        self.free_bytes.store(free, Ordering::Relaxed);
        let full = free < self.reserve.store_bytes;
        if self.said_full.swap(full, Ordering::Relaxed) != full {
            match full {
                true => tracing::warn!(free_bytes = free, "drive is full: no more objects are taken"),
                false => tracing::info!(free_bytes = free, "drive has room again"),
            }
        }
        Ok(())
    }

    /// Fails the drive if its directory is gone: files that are open would go on for a while, and new ones land where it was mounted.
    /// Blocks for a system call.
    pub fn look(&self) {
        let path = self.directory.join(identity::NAME);
        if let Err(cause) = self.disk.open(&path, OpenMode::Read)
            && (cause.kind() == io::ErrorKind::NotFound || cause.raw_os_error() == Some(INPUT_OUTPUT_ERROR))
            && self.poison.cause().is_none()
        {
            let context = format!("{} is gone: was the disk taken out or unmounted?", path.display());
            self.poison.set(Error::new(ErrorKind::DriveFailed, context).with_source(cause));
        }
    }

    /// Keeps the free space fresh, and sees that the drive is there, until stopped.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(REFRESH_INTERVAL) => {}
            }
            let health = self.clone();
            let looked = spawn_blocking(move || {
                health.look();
                health.refresh()
            });
            if let Ok(Err(error)) = looked.await {
                tracing::warn!(%error, "could not ask for the free space of the drive");
            }
        }
    }

    pub fn status(&self) -> HealthStatus {
        let free_bytes = self.free_bytes.load(Ordering::Relaxed);
        let takes = |write| self.poison.cause().is_none() && free_bytes >= self.reserve_for(write);
        HealthStatus {
            free_bytes,
            takes_objects: takes(WriteFor::Storing),
            takes_changes: takes(WriteFor::Changing),
            failed: self.poison.cause().map(ToString::to_string),
        }
    }

    fn reserve_for(&self, write: WriteFor) -> u64 {
        match write {
            WriteFor::Storing => self.reserve.store_bytes,
            WriteFor::Changing => self.reserve.change_bytes,
            WriteFor::Voting => self.reserve.vote_bytes,
        }
    }
}
