//! Snapshot send: carries a group's state to a follower that has fallen behind the log.
//! Owns: the file on the sender's drive, the order of the steps, their limits.
//! Steps: write the state to a file; begin; one block after the other; end, which the follower answers when it has installed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::env::{Disk, DiskFile, OpenMode, spawn_blocking};
use onggi_storage_engine::format::Record;
use openraft::errors::{StreamingError, Unreachable};
use openraft::raft::SnapshotResponse;

use super::format::VoteRecord;
use super::message::{SnapshotBegin, SnapshotBegun, SnapshotBlock, SnapshotEnd};
use super::network::{PeerGroup, decode};
use super::snapshot::SnapshotData;
use super::type_config::{TypeConfig, Vote};
use crate::error::{Error, ErrorKind, Result};
use crate::peer::Method;

const BLOCK_BYTES: u64 = 1024 * 1024;
/// A block is written to the follower's page cache: what takes longer than this has failed.
const BLOCK_LIMIT: Duration = Duration::from_secs(10);
/// The follower reads the whole file, checks it and writes it to its store.
const END_LIMIT: Duration = Duration::from_secs(10 * 60);

type SendError = StreamingError<TypeConfig>;

pub async fn send(
    target: &PeerGroup,
    vote: Vote,
    snapshot: SnapshotData,
) -> std::result::Result<SnapshotResponse<TypeConfig>, SendError> {
    // The semaphore is never closed.
    let _permit = target.network.sending.acquire().await;
    let file = OutgoingFile::write(target, snapshot).await.map_err(|error| unreachable(&error))?;
    let (group, file_bytes) = (target.group, file.bytes);
    let begin = SnapshotBegin { group, vote, file_bytes };
    let begun = target.call(Method::RAFT_SNAPSHOT_BEGIN, vec![begin.to_bytes()], BLOCK_LIMIT).await?;
    let SnapshotBegun(transfer) = decode(&begun)?;
    let mut offset = 0;
    while offset < file_bytes {
        let bytes = file.read(offset).await.map_err(|error| unreachable(&error))?;
        let block = SnapshotBlock { group, transfer, offset, bytes };
        offset += block.bytes.len() as u64;
        target.call(Method::RAFT_SNAPSHOT_BLOCK, block.to_payload(), BLOCK_LIMIT).await?;
    }
    let end = SnapshotEnd { group, transfer };
    let answer = target.call(Method::RAFT_SNAPSHOT_END, vec![end.to_bytes()], END_LIMIT).await?;
    tracing::info!(group = group.0, peer = target.peer.0, bytes = file_bytes, "sent a snapshot");
    let VoteRecord(vote) = decode(&answer)?;
    Ok(SnapshotResponse::new(vote))
}

/// A failure on this side, too: openraft waits and tries again, instead of stopping the leader for one follower's sake.
fn unreachable(error: &Error) -> SendError {
    Unreachable::new(error).into()
}

/// Goes when it is dropped.
struct OutgoingFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    bytes: u64,
}

impl OutgoingFile {
    async fn write(target: &PeerGroup, snapshot: SnapshotData) -> Result<Self> {
        let SnapshotData::State(state) = snapshot else {
            return Err(Error::new(ErrorKind::Internal, "send snapshot: it has no state"));
        };
        let files = &target.network.files;
        let number = target.network.snapshots_sent.fetch_add(1, Ordering::Relaxed);
        let path = files.outgoing_path(target.group, target.peer, number);
        files.write(state, &path).await?;
        let disk = files.disk.clone();
        blocking(move || {
            let file = open(&*disk, &path)?;
            let bytes = file.bytes().map_err(read_failed)?;
            Ok(Self { disk, path, file, bytes })
        })
        .await
    }

    async fn read(&self, offset: u64) -> Result<Bytes> {
        let (file, length) = (self.file.clone(), BLOCK_BYTES.min(self.bytes - offset));
        blocking(move || {
            let mut block = vec![0; length as usize];
            file.read_at(&mut block, offset).map_err(read_failed)?;
            Ok(block.into())
        })
        .await
    }
}

impl Drop for OutgoingFile {
    fn drop(&mut self) {
        if let Err(error) = self.disk.remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a snapshot that was sent is left behind until the next start");
        }
    }
}

fn open(disk: &dyn Disk, path: &Path) -> Result<Arc<dyn DiskFile>> {
    disk.open(path, OpenMode::Read).map_err(read_failed)
}

fn read_failed(source: std::io::Error) -> Error {
    Error::caused_by(ErrorKind::Internal, "read the snapshot to send", source)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.map_err(|panic| Error::caused_by(ErrorKind::Internal, "send snapshot", panic))?
}
