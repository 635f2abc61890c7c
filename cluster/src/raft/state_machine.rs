//! State machine: applies a group's committed entries to the drive's metadata.
//! Owns: the batch (records of many entries and the applied position, written together), the replies after it,
//! and the group's applied position.
//! Does not own: what a command means (`metadata::apply`), when freed blobs go (`data::sweep`) and named ones are looked for
//! (`data::repair`).
//! Invariant: the applied position never moves without the records of its entry. A reply is sent after the write.

use std::io;
use std::sync::Arc;

use futures::{Stream, TryStreamExt};
use onggi_storage_engine::env::spawn_blocking;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::metadata_store::MetadataStore;
use openraft::OptionalSend;
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use tokio::sync::OwnedSemaphorePermit;

use super::apply_batch::ApplyBatch;
use super::format::AppliedRecord;
use super::group_keys::GroupKeys;
use super::linearizable::ReadGate;
use super::snapshot::{Snapshot, SnapshotBuilder, SnapshotData, Snapshots};
use super::type_config::{Applied, Entry, LogId, Payload, SnapshotMeta, StoredMembership, TypeConfig};
use crate::data::BlobChanges;
use crate::error::Result;
use crate::metadata::apply::Applier;
use crate::metadata::key::GroupSpace;
use crate::metadata::record::RangeRecord;

/// A batch is written at this many entries or command bytes, whichever comes first: large enough to spread the cost
/// of a write, small enough that the first proposer of a long queue does not wait for the last.
const BATCH_ENTRIES_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

pub struct StateMachine {
    store: MetadataStore,
    keys: Arc<GroupKeys>,
    applied: AppliedRecord,
    /// `None` at the start, while a batch is away, and after a snapshot was installed.
    applier: Option<Applier>,
    gate: Arc<ReadGate>,
    blob_changes: BlobChanges,
    snapshots: Snapshots,
    /// Given back when openraft lets go of the state machine, which is some time after it says that it has stopped.
    _in_use: Option<OwnedSemaphorePermit>,
}

impl StateMachine {
    /// The state as it stands on the drive; after a crash that is what was flushed, and the log follows.
    pub async fn open(
        store: MetadataStore,
        keys: Arc<GroupKeys>,
        gate: Arc<ReadGate>,
        blob_changes: BlobChanges,
        snapshots: Snapshots,
    ) -> Result<Self> {
        let stored = store.get(&keys.applied()).await?;
        let applied = stored.map(|bytes| AppliedRecord::from_bytes(&bytes)).transpose()?.unwrap_or_default();
        gate.decides_about(recorded_range(&store, &keys).await?);
        Ok(Self { store, keys, applied, applier: None, gate, blob_changes, snapshots, _in_use: None })
    }

    /// Nothing was ever applied here.
    pub fn is_empty(&self) -> bool {
        self.applied.last_applied.is_none()
    }

    fn is_shared(&self) -> bool {
        self.applied.membership.membership().nodes().count() > 1
    }

    pub fn held_by(self, in_use: Option<OwnedSemaphorePermit>) -> Self {
        Self { _in_use: in_use, ..self }
    }

    async fn apply_batch(&mut self, batch: Vec<(Entry, Option<ApplyResponder<TypeConfig>>)>) -> io::Result<()> {
        let (entries, responders): (Vec<Entry>, Vec<_>) = batch.into_iter().unzip();
        let work = ApplyBatch {
            store: self.store.clone(),
            keys: self.keys.clone(),
            applied: self.applied.clone(),
            applier: self.applier.take(),
        };
        // `apply` reads the store, which may wait for the disk.
        let decided = spawn_blocking(move || work.run(entries)).await.map_err(io::Error::other)?;
        let decided = decided.map_err(io::Error::other)?;
        self.applied = decided.applied;
        self.gate.decides_about(decided.applier.range());
        self.applier = Some(decided.applier);
        self.gate.applied(self.applied.last_applied.as_ref(), &self.applied.membership);
        self.blob_changes.freed(decided.blobs.freed);
        // What only this node has was written here: there is nothing to look for.
        if self.is_shared() {
            self.blob_changes.named(decided.blobs.named);
        }
        for (responder, outcome) in responders.into_iter().zip(decided.outcomes) {
            if let Some(responder) = responder {
                responder.send(Applied(outcome));
            }
        }
        Ok(())
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotData;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.applied.last_applied, self.applied.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let (mut batch, mut batch_bytes) = (Vec::new(), 0);
        while let Some((entry, responder)) = entries.try_next().await? {
            batch_bytes += command_bytes(&entry);
            batch.push((entry, responder));
            if batch.len() >= BATCH_ENTRIES_MAX || batch_bytes >= BATCH_BYTES_MAX {
                self.apply_batch(std::mem::take(&mut batch)).await?;
                batch_bytes = 0;
            }
        }
        if !batch.is_empty() {
            self.apply_batch(batch).await?;
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<SnapshotBuilder> {
        if force { Some(self.snapshots.of_state(&self.applied)) } else { self.snapshots.of_flushed_position().await }
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        self.snapshots.of_state(&self.applied)
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotData) -> io::Result<()> {
        // If it fails the state is torn: nothing is read from it until a start has done the install again.
        self.gate.install_begins();
        self.applied = self.snapshots.install(meta, snapshot).await.map_err(io::Error::other)?;
        self.gate.decides_about(recorded_range(&self.store, &self.keys).await.map_err(io::Error::other)?);
        self.applier = None;
        self.gate.install_ended();
        self.blob_changes.replaced(self.keys.group());
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        self.snapshots.current(&self.applied).await.map_err(io::Error::other)
    }
}

async fn recorded_range(store: &MetadataStore, keys: &GroupKeys) -> Result<Option<RangeRecord>> {
    let stored = store.get(&GroupSpace(keys.group()).range()).await?;
    Ok(stored.map(|bytes| RangeRecord::from_bytes(&bytes)).transpose()?)
}

fn command_bytes(entry: &Entry) -> usize {
    match &entry.payload {
        Payload::Normal(command) => command.0.len(),
        Payload::Blank | Payload::Membership(_) => 0,
    }
}
