//! Snapshot receive: blocks of a leader's snapshot become the staging file of a group, which is then installed.
//! Owns: who may write a group's staging file, and that its blocks come without a gap.
//! Does not own: proving the file (`snapshot_file`), replacing the state by it (`snapshot_install`).
//! Invariant: the staging file of a group is never written to while it is being installed.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::env::{DiskFile, OpenMode, spawn_blocking};
use tokio::time::Instant;

use super::snapshot_file::{SnapshotFile, SnapshotFiles};
use super::type_config::Vote;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};

/// Transfers at a time; a leader that is refused comes again.
const TRANSFERS_MAX: usize = 4;
/// A transfer without a block for this long was given up by its sender.
const IDLE_MAX: Duration = Duration::from_secs(30);

pub struct SnapshotReceiver {
    files: SnapshotFiles,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_group: BTreeMap<GroupId, Slot>,
    last_transfer: u64,
}

enum Slot {
    /// The staging file is being made.
    Opening,
    Receiving(Receiving),
    Installing,
}

#[derive(Clone)]
struct Receiving {
    transfer: u64,
    from: NodeId,
    vote: Vote,
    file: Arc<dyn DiskFile>,
    bytes: u64,
    next_offset: u64,
    last_block: Instant,
}

/// A transfer that ended: the group's staging file is left alone until this is dropped.
pub struct Received {
    receiver: Arc<SnapshotReceiver>,
    group: GroupId,
    pub vote: Vote,
}

/// Whose staging file is being made. A sender that goes away meanwhile leaves the group free for the next one.
struct Opening {
    receiver: Arc<SnapshotReceiver>,
    group: GroupId,
    is_over: bool,
}

impl Opening {
    /// The number of the transfer.
    fn receives(mut self, receiving: impl FnOnce(u64) -> Receiving) -> u64 {
        let mut slots = self.receiver.lock();
        slots.last_transfer += 1;
        let transfer = slots.last_transfer;
        slots.by_group.insert(self.group, Slot::Receiving(receiving(transfer)));
        drop(slots);
        self.is_over = true;
        transfer
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.is_over {
            self.receiver.lock().by_group.remove(&self.group);
        }
    }
}

impl SnapshotReceiver {
    pub fn new(files: SnapshotFiles) -> Self {
        Self { files, slots: Mutex::default() }
    }

    /// Replaces a transfer of the same group that is under way: its sender has begun anew, or leads no more.
    pub async fn begin(self: &Arc<Self>, from: NodeId, group: GroupId, vote: Vote, bytes: u64) -> Result<u64> {
        let opening = self.reserve(group)?;
        let (files, path) = (self.files.clone(), self.files.staging_path(group));
        // The work has the group for itself until it is done, also if nobody waits for it any more.
        let created = blocking(move || {
            match files.disk.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            Ok((files.disk.open(&path, OpenMode::CreateNew)?, opening))
        });
        let (file, opening) = created.await?;
        Ok(opening.receives(|transfer| Receiving {
            transfer,
            from,
            vote,
            file,
            bytes,
            next_offset: 0,
            last_block: Instant::now(),
        }))
    }

    pub async fn block(&self, from: NodeId, group: GroupId, transfer: u64, offset: u64, block: Bytes) -> Result<()> {
        let file = {
            let mut slots = self.lock();
            let receiving = slots.transfer(from, group, transfer)?;
            let end = offset.saturating_add(block.len() as u64);
            if offset != receiving.next_offset || end > receiving.bytes {
                let context = format!("snapshot of group {}: a block at {offset} to {end}", group.0);
                return Err(Error::new(ErrorKind::Conflict, context));
            }
            receiving.next_offset = end;
            receiving.last_block = Instant::now();
            receiving.file.clone()
        };
        blocking(move || file.write_at(&[IoSlice::new(&block)], offset)).await
    }

    /// The whole, proved file, if every block of it came.
    pub async fn end(
        self: &Arc<Self>,
        from: NodeId,
        group: GroupId,
        transfer: u64,
    ) -> Result<(Received, SnapshotFile)> {
        let receiving = {
            let mut slots = self.lock();
            let receiving = slots.transfer(from, group, transfer)?.clone();
            if receiving.next_offset != receiving.bytes {
                let context = format!("snapshot of group {}: {} bytes came", group.0, receiving.next_offset);
                return Err(Error::new(ErrorKind::Conflict, context));
            }
            slots.by_group.insert(group, Slot::Installing);
            receiving
        };
        let received = Received { receiver: self.clone(), group, vote: receiving.vote };
        let files = self.files.clone();
        let proved = spawn_blocking(move || {
            receiving
                .file
                .sync_data()
                .map_err(|error| Error::caused_by(ErrorKind::Internal, "sync snapshot", error))?;
            Ok::<_, Error>(files.open(&files.staging_path(group))?)
        });
        let file = proved.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "check snapshot", panic))??;
        if file.group() != group {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("a snapshot of group {} as one of {}", file.group().0, group.0),
            ));
        }
        Ok((received, file))
    }

    /// Nobody else may make or install the staging file from here on.
    fn reserve(self: &Arc<Self>, group: GroupId) -> Result<Opening> {
        let mut slots = self.lock();
        slots.by_group.retain(|_, slot| match slot {
            Slot::Receiving(receiving) => receiving.last_block.elapsed() < IDLE_MAX,
            Slot::Opening | Slot::Installing => true,
        });
        match slots.by_group.get(&group) {
            Some(Slot::Opening | Slot::Installing) => {
                let context = format!("receive snapshot: group {} is busy with another one", group.0);
                return Err(Error::new(ErrorKind::Unavailable, context));
            }
            None if slots.by_group.len() >= TRANSFERS_MAX => {
                let context = "receive snapshot: as many as this node takes are on their way";
                return Err(Error::new(ErrorKind::Overloaded, context));
            }
            Some(Slot::Receiving(_)) | None => {}
        }
        slots.by_group.insert(group, Slot::Opening);
        Ok(Opening { receiver: self.clone(), group, is_over: false })
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn transfer(&mut self, from: NodeId, group: GroupId, transfer: u64) -> Result<&mut Receiving> {
        match self.by_group.get_mut(&group) {
            Some(Slot::Receiving(receiving)) if receiving.transfer == transfer && receiving.from == from => {
                Ok(receiving)
            }
            _ => Err(Error::new(ErrorKind::Conflict, format!("snapshot of group {}: it was not begun", group.0))),
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.receiver.lock().by_group.remove(&self.group);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    let done = spawn_blocking(work).await;
    let done = done.map_err(|panic| Error::caused_by(ErrorKind::Internal, "receive snapshot", panic))?;
    done.map_err(|source| Error::caused_by(ErrorKind::Internal, "receive snapshot", source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::type_config::LeaderId;
    use crate::testing::TestEngine;

    /// Its call was cut off, by a connection that broke or a time that was over.
    #[tokio::test]
    async fn a_sender_that_goes_away_at_the_beginning_is_in_nobodys_way() {
        let engine = TestEngine::new();
        let opened = engine.open().await;
        let (disk, directory) = (opened.environment().disk.clone(), engine.path().to_owned());
        let receiver = Arc::new(SnapshotReceiver::new(SnapshotFiles { disk, directory }));
        let vote = Vote { leader_id: LeaderId { term: 1, node_id: 2 }, committed: true };
        for _ in 0..20 {
            let mut begun = Box::pin(receiver.begin(NodeId(2), GroupId(3), vote, 100));
            // Polled once: the file is being made when the caller is gone.
            let _ = futures::poll!(&mut begun);
        }
        let begun = async {
            while receiver.begin(NodeId(2), GroupId(3), vote, 100).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), begun).await.expect("the next one begins");
    }
}
