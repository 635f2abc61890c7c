//! Options of the chunk store: each default with its reason.

use std::path::PathBuf;
use std::time::Duration;

use super::layout::DriveId;

#[derive(Clone, Debug)]
pub struct ChunkStoreOptions {
    /// Holds the extents and nothing else.
    pub directory: PathBuf,
    /// From the drive's identity: frames of another drive are not taken for ours.
    pub drive: DriveId,
    /// Extents open for appends at once. Drives merge concurrent flushes, so a few lanes sync as fast as one and do not
    /// queue behind each other's writes; each costs one preallocation step of room.
    pub lanes: usize,
    /// Where an extent is sealed and the next begun: small enough to be rewritten by the garbage collector in one go, large
    /// enough that there are few.
    pub extent_bytes_max: u64,
    /// Room reserved at once in an open extent: keeps it contiguous, and the file size still during most syncs.
    pub preallocation_bytes: u64,
    /// Kept free on the drive for metadata and deletes: below it, appends are refused as `Full`.
    pub reserve_bytes: u64,
    /// An extent is synced in the background every time this much was appended, so that the sync at the end of a long body
    /// has little left to do (docs/chunk-store.md, "Early sync").
    pub early_sync_bytes: u64,
    /// The index is flushed after this many appended bytes: bounds what a restart has to scan.
    pub checkpoint_bytes: u64,
    /// Open files of sealed extents kept for reads.
    pub open_files_max: usize,
    /// A sealed extent is rewritten when at least this share of it, in percent, is dead.
    pub garbage_percent_min: u64,
    pub garbage_bytes_per_second: u64,
    /// How often the collector looks for dead extents when nothing wakes it.
    pub garbage_interval: Duration,
    pub scrub_bytes_per_second: u64,
    /// From the end of one scrub of the drive to the begin of the next.
    pub scrub_interval: Duration,
}

impl ChunkStoreOptions {
    pub fn new(directory: PathBuf, drive: DriveId) -> Self {
        Self {
            directory,
            drive,
            lanes: 4,
            extent_bytes_max: 1 << 30,
            preallocation_bytes: 32 << 20,
            reserve_bytes: 256 << 20,
            early_sync_bytes: 16 << 20,
            checkpoint_bytes: 512 << 20,
            open_files_max: 256,
            garbage_percent_min: 50,
            garbage_bytes_per_second: 32 << 20,
            garbage_interval: Duration::from_secs(60),
            // 1 TiB in half a day.
            scrub_bytes_per_second: 24 << 20,
            scrub_interval: Duration::from_secs(7 * 24 * 3600),
        }
    }
}
