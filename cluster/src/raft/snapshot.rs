//! Snapshot: a group's state at one applied position, to purge the log behind it and to bring another node up to date.
//! Owns: which position may be called a snapshot, and replacing a group's state by a received one.
//! Does not own: the bytes of a snapshot in a file (`snapshot_file`), carrying it to a peer (`snapshot_send`, `snapshot_receive`).
//! Invariant: the position of a snapshot is never ahead of what the drive has flushed, because openraft purges the log up to it.
//!
//! The state is always on the drive, so openraft's "build a snapshot" mostly means "how far may the log be purged": that is
//! a marker at the flushed position, which costs one read. Only a peer that has fallen behind the log needs the state
//! itself: then it is read from a consistent view at that moment, behind a flush.

use std::io;
use std::sync::Arc;

use onggi_storage_engine::format::Record;
use onggi_storage_engine::metadata_store::{MetadataSnapshot, MetadataStore};
use openraft::RaftSnapshotBuilder;

use super::format::AppliedRecord;
use super::group_keys::GroupKeys;
use super::snapshot_file::{SnapshotFile, SnapshotFiles};
use super::snapshot_install;
use super::type_config::{LogId, SnapshotMeta, TypeConfig};
use crate::error::{Error, ErrorKind, Result};

pub type Snapshot = openraft::type_config::alias::SnapshotOf<TypeConfig, SnapshotData>;

#[derive(Clone)]
pub enum SnapshotData {
    /// Says only how far the flushed state has come; never leaves the node.
    Marker,
    /// The state itself, in a consistent view.
    State(Arc<GroupState>),
    /// The state as a leader sent it, in the staging file.
    Received(Arc<SnapshotFile>),
}

/// One group's state, as of one moment.
pub struct GroupState {
    pub keys: Arc<GroupKeys>,
    pub view: MetadataSnapshot,
    pub applied: AppliedRecord,
}

/// The snapshots of one group.
pub struct Snapshots {
    store: MetadataStore,
    keys: Arc<GroupKeys>,
    files: SnapshotFiles,
    /// The position of the last snapshot that openraft was told of.
    taken: Option<LogId>,
}

impl Snapshots {
    pub fn new(store: MetadataStore, keys: Arc<GroupKeys>, files: SnapshotFiles) -> Self {
        Self { store, keys, files, taken: None }
    }

    /// A marker at the flushed position; none while that has not moved.
    pub async fn of_flushed_position(&mut self) -> Option<SnapshotBuilder> {
        let flushed = match read_flushed(&self.store, &self.keys).await {
            Ok(flushed) => flushed,
            Err(error) => {
                tracing::warn!(%error, "could not read the flushed position; the log is kept");
                return None;
            }
        };
        if flushed.last_applied.is_none() || flushed.last_applied <= self.taken {
            return None;
        }
        self.taken = flushed.last_applied;
        Some(SnapshotBuilder { store: self.store.clone(), source: Source::Flushed(flushed) })
    }

    /// The state as it is now. Building it flushes first.
    pub fn of_state(&mut self, applied: &AppliedRecord) -> SnapshotBuilder {
        self.taken = applied.last_applied;
        SnapshotBuilder { store: self.store.clone(), source: Source::State(self.state(applied)) }
    }

    /// For a peer: as fresh as possible, and never behind a snapshot that the log was purged up to.
    pub async fn current(&self, applied: &AppliedRecord) -> Result<Option<Snapshot>> {
        if self.taken.is_none() {
            return Ok(None);
        }
        // Not taken: openraft is not told of it, and would never hear of a marker at this position.
        let builder = SnapshotBuilder { store: self.store.clone(), source: Source::State(self.state(applied)) };
        Ok(Some(builder.build().await?))
    }

    /// Replaces the group's state by that of `snapshot`; gives the new applied position.
    pub async fn install(&mut self, meta: &SnapshotMeta, snapshot: SnapshotData) -> Result<AppliedRecord> {
        let file = match snapshot {
            SnapshotData::Marker => {
                return Err(Error::new(ErrorKind::Internal, "install snapshot: a marker has no state"));
            }
            SnapshotData::State(state) => {
                let path = self.files.staging_path(self.keys.group());
                self.files.write(state, &path).await?
            }
            SnapshotData::Received(file) => file,
        };
        let applied = file.applied().clone();
        if applied.last_applied != meta.last_log_id || applied.membership != meta.last_membership {
            return Err(Error::new(
                ErrorKind::Corrupt,
                "install snapshot: its header is not what the leader announced",
            ));
        }
        snapshot_install::install(&self.store, &self.keys, &self.files, file).await?;
        self.taken = applied.last_applied;
        Ok(applied)
    }

    fn state(&self, applied: &AppliedRecord) -> Arc<GroupState> {
        let (keys, applied) = (self.keys.clone(), applied.clone());
        Arc::new(GroupState { keys, view: self.store.snapshot(), applied })
    }
}

/// How far the flushed state of a group has come.
pub async fn read_flushed(store: &MetadataStore, keys: &GroupKeys) -> Result<AppliedRecord> {
    let flushed = store.persisted(&keys.applied()).await?;
    Ok(flushed.map(|bytes| AppliedRecord::from_bytes(&bytes)).transpose()?.unwrap_or_default())
}

pub struct SnapshotBuilder {
    store: MetadataStore,
    source: Source,
}

enum Source {
    Flushed(AppliedRecord),
    State(Arc<GroupState>),
}

impl SnapshotBuilder {
    async fn build(&self) -> Result<Snapshot> {
        let (applied, snapshot) = match &self.source {
            Source::Flushed(applied) => (applied, SnapshotData::Marker),
            Source::State(state) => {
                self.store.flush().await?;
                (&state.applied, SnapshotData::State(state.clone()))
            }
        };
        let meta = SnapshotMeta { last_log_id: applied.last_applied, last_membership: applied.membership.clone() };
        Ok(Snapshot { meta, snapshot })
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotData;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        self.build().await.map_err(io::Error::other)
    }
}
