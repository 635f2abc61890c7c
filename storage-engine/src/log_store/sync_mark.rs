//! Sync mark: a file that says which round of the writer was synced last, so that a lost tail of the log is noticed.
//!
//! RocksDB replays its log up to the first damage and takes that for the end. Behind the last sync this is right: nobody
//! was told of those writes. Before it, it would silently forget acknowledged entries and votes. The mark tells the two
//! apart: it is written *after* the sync of its round, so it never promises too much; and it is not synced, so it
//! costs no more than a copy into the page cache. After a kill it is exact; after a power loss it may be as old as what the
//! kernel had not yet written back.
//!
//! file = magic "ONGGIMRK" ‖ version u8 ‖ round u64 ‖ crc32 of the above; big endian.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::env::{Disk, DiskFile, OpenMode};
use crate::error::{Context, Error, Result};

const NAME: &str = "log-mark";
const MAGIC: &[u8; 8] = b"ONGGIMRK";
const VERSION: u8 = 1;
const BYTES: usize = 21;

pub(super) struct SyncMark {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    failed: bool,
}

impl SyncMark {
    /// Refuses a log that ends before the round that the mark says was synced.
    pub fn open(disk: &dyn Disk, directory: &Path, recovered_round: u64) -> Result<Self> {
        let path = directory.join(NAME);
        let present = disk.list(directory).context("list drive")?.contains(&path);
        let mode = if present { OpenMode::ReadWrite } else { OpenMode::CreateNew };
        let file = disk.open(&path, mode).context("open log mark")?;
        let mut mark = Self { file, path, failed: false };
        if present {
            mark.check(recovered_round)?;
        } else {
            mark.store(recovered_round);
            // Once: an empty mark says nothing after a power loss, an old one still does.
            mark.file.sync_data().context("sync log mark")?;
            disk.sync_directory(directory).context("sync drive")?;
        }
        Ok(mark)
    }

    /// To be called after the sync of the round. A failure weakens a check at the next start and harms nothing now.
    pub fn store(&mut self, round: u64) {
        let result = self.file.write_at(&[IoSlice::new(&encode(round))], 0);
        if let Err(error) = &result
            && !self.failed
        {
            tracing::warn!(path = %self.path.display(), %error, "could not write the log mark; a lost tail may go unnoticed");
        }
        self.failed = result.is_err();
    }

    fn check(&self, recovered_round: u64) -> Result<()> {
        let Some(synced_round) = self.load()? else {
            tracing::warn!(path = %self.path.display(), "log mark is unreadable; a lost tail would go unnoticed this time");
            return Ok(());
        };
        if recovered_round >= synced_round {
            return Ok(());
        }
        Err(Error::corrupt(format!(
            "the log ends at round {recovered_round}, but round {synced_round} had been synced: acknowledged writes are \
             missing (see docs/log-store.md before removing {})",
            self.path.display()
        )))
    }

    /// `None` if it was torn by a power loss, or is damaged.
    fn load(&self) -> Result<Option<u64>> {
        if self.file.bytes().context("read log mark")? < BYTES as u64 {
            return Ok(None);
        }
        let mut bytes = [0; BYTES];
        self.file.read_at(&mut bytes, 0).context("read log mark")?;
        Ok(decode(&bytes))
    }
}

fn encode(round: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8] = VERSION;
    bytes[9..17].copy_from_slice(&round.to_be_bytes());
    let crc = crc32fast::hash(&bytes[..17]);
    bytes[17..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8; BYTES]) -> Option<u64> {
    let round = u64::from_be_bytes(bytes[9..17].try_into().ok()?);
    (encode(round) == *bytes).then_some(round)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::simulated_disk::{Crash, Fuse, SimulatedDisk};

    #[test]
    fn the_first_mark_is_there_after_a_power_loss() {
        let (disk, directory) = (SimulatedDisk::new(1 << 20, Fuse::never()), Path::new("/drive"));
        let mut mark = SyncMark::open(&disk, directory, 5).unwrap();
        mark.store(9);
        let disk = disk.after_crash(Crash::LoseAll, &mut || 0, Fuse::never());
        assert!(SyncMark::open(&disk, directory, 4).is_err(), "round 5 had been synced");
        assert!(SyncMark::open(&disk, directory, 5).is_ok());
    }
}
