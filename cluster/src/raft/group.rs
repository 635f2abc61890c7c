//! Group: one Raft group on this node, from opening to stop.
//! Owns: becoming readable after a start, proposing, linearizable views, purging the log.
//! Does not own: retries and request ids (`metadata::client`), which group an owner belongs to (`placement`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::log_store::LogStore;
use onggi_storage_engine::metadata_store::MetadataStore;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, InitializeError, RaftError};
use openraft::raft::ReadPolicy;
use openraft::{Config, Raft};
use tokio::time::Instant;

use super::group_keys::GroupKeys;
use super::linearizable::ReadGate;
use super::log::Log;
use super::network::NetworkFactory;
use super::snapshot::{Snapshots, read_flushed};
use super::snapshot_file::SnapshotFiles;
use super::snapshot_install;
use super::state_machine::StateMachine;
use super::type_config::{Applied, EncodedCommand, TypeConfig};
use crate::data::FreedBlobs;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::outcome::Outcome;
use crate::metadata::view::StoreView;

/// While a group has no leader yet, it is asked again this often.
const READY_POLL: Duration = Duration::from_millis(5);
/// The log is not purged for fewer entries than this.
const PURGE_ENTRIES_MIN: u64 = 256;

type Metrics = openraft::type_config::alias::WatchReceiverOf<TypeConfig, openraft::RaftMetrics<TypeConfig>>;

/// What a group is opened on.
pub struct GroupOptions {
    pub node: NodeId,
    pub keys: GroupKeys,
    pub config: Arc<Config>,
    pub log_store: LogStore,
    pub metadata_store: MetadataStore,
    pub snapshot_files: SnapshotFiles,
    pub freed: FreedBlobs,
}

pub struct Group {
    id: GroupId,
    node: NodeId,
    raft: Raft<TypeConfig, StateMachine>,
    metrics: Metrics,
    gate: Arc<ReadGate>,
    store: MetadataStore,
    keys: Arc<GroupKeys>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    pub group: GroupId,
    pub leader: Option<NodeId>,
    pub term: u64,
    pub last_log_index: Option<u64>,
    pub applied_index: Option<u64>,
    pub purged_index: Option<u64>,
    /// Why the group takes no more proposals, if it does not.
    pub failure: Option<String>,
}

impl Group {
    /// Re-applies what the log has and the flushed state has not, as far as it is known to be committed.
    pub async fn open(options: GroupOptions) -> Result<Self> {
        let GroupOptions { node, keys, config, log_store, metadata_store: store, snapshot_files, freed } = options;
        let (id, keys) = (keys.group(), Arc::new(keys));
        let gate = Arc::new(ReadGate::new(node));
        snapshot_install::resume(&store, &keys, &snapshot_files).await?;
        let snapshots = Snapshots::new(store.clone(), keys.clone(), snapshot_files);
        let state_machine = StateMachine::open(store.clone(), keys.clone(), gate.clone(), freed, snapshots).await?;
        let log = Log::new(id, log_store, gate.clone());
        let raft = Raft::new(node.0, config, NetworkFactory::new(id), log, state_machine)
            .await
            .map_err(|fatal| Error::caused_by(ErrorKind::Internal, format!("open group {}", id.0), fatal))?;
        let metrics = raft.metrics();
        Ok(Self { id, node, raft, metrics, gate, store, keys })
    }

    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Makes a new group's only voter of this node, wins the election, and waits until everything that was ever acknowledged
    /// is applied. Bounded by `deadline`.
    pub async fn become_ready(&self, deadline: Instant) -> Result<()> {
        self.initialize().await?;
        self.raft.trigger().elect(false).await.map_err(|fatal| self.internal("start an election", fatal))?;
        loop {
            match self.wait_for_majority_read().await {
                Ok(()) => break,
                Err(error) if Instant::now() < deadline && error.kind() == ErrorKind::NotLeader => {
                    tokio::time::sleep(READY_POLL).await;
                }
                Err(error) => return Err(error),
            }
        }
        self.raft
            .with_state_machine(|state_machine| Box::pin(async move { state_machine.open_gate() }))
            .await
            .map_err(|fatal| self.internal("open the read gate", fatal))
    }

    /// Appends a command to the log and gives what `apply` decided. Kinds of the error: `NotLeader` and `Unavailable` did not
    /// happen, `OutcomeUnknown` may have, `Internal` did not and never will on this start.
    pub async fn propose(&self, command: Bytes) -> Result<Outcome> {
        let running = self.metrics.borrow_watched().running_state.clone();
        running.map_err(|fatal| self.internal("propose", fatal))?;
        match self.raft.client_write(EncodedCommand(command)).await {
            Ok(response) => match response.data {
                Applied(Some(outcome)) => Ok(outcome),
                Applied(None) => Err(Error::new(ErrorKind::Internal, "a command was applied without an outcome")),
            },
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Err(Error::caused_by(ErrorKind::NotLeader, self.context("propose"), forward))
            }
            Err(RaftError::APIError(ClientWriteError::LogEntryDiscarded(forward))) => {
                Err(Error::caused_by(ErrorKind::OutcomeUnknown, self.context("propose"), forward))
            }
            Err(RaftError::APIError(other)) => Err(self.internal("propose", other)),
            // The group stopped with the command on its way: its entry may be in the log.
            Err(RaftError::Fatal(fatal)) => {
                Err(Error::caused_by(ErrorKind::OutcomeUnknown, self.context("propose"), fatal))
            }
        }
    }

    /// A state that contains every change acknowledged before the call, on any node.
    pub async fn linearizable_view(&self) -> Result<StoreView> {
        if !self.gate.is_sole_voter() {
            self.wait_for_majority_read().await?;
        }
        Ok(self.local_view())
    }

    /// What this node has applied.
    pub fn local_view(&self) -> StoreView {
        StoreView::new(self.store.snapshot())
    }

    /// Purges the log up to what the drive has flushed, if that is worth it.
    pub async fn purge_flushed(&self) -> Result<()> {
        let flushed = read_flushed(&self.store, &self.keys).await?.last_applied.map_or(0, |log_id| log_id.index);
        let snapshot = self.metrics.borrow_watched().snapshot.map_or(0, |log_id| log_id.index);
        if flushed < snapshot + PURGE_ENTRIES_MIN {
            return Ok(());
        }
        self.raft.trigger().snapshot().await.map_err(|fatal| self.internal("purge the log", fatal))
    }

    pub fn status(&self) -> GroupStatus {
        let metrics = self.metrics.borrow_watched().clone();
        GroupStatus {
            group: self.id,
            leader: metrics.current_leader.map(NodeId),
            term: metrics.current_term,
            last_log_index: metrics.last_log_index,
            applied_index: metrics.last_applied.map(|log_id| log_id.index),
            purged_index: metrics.purged.map(|log_id| log_id.index),
            failure: metrics.running_state.err().map(|fatal| fatal.to_string()),
        }
    }

    /// Entries that were queued in the log store still become durable; nothing is acknowledged any more.
    pub async fn stop(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::error!(group = self.id.0, %error, "a group did not stop cleanly");
        }
    }

    async fn initialize(&self) -> Result<()> {
        let initialized = self.raft.is_initialized().await.map_err(|fatal| self.internal("look at the log", fatal))?;
        if initialized {
            return Ok(());
        }
        match self.raft.initialize(BTreeSet::from([self.node.0])).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(self.internal("initialize", error)),
        }
    }

    /// Read-index: a majority confirms this leader, and everything committed until then is applied here.
    async fn wait_for_majority_read(&self) -> Result<()> {
        let linearizer = self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await.map_err(|error| match error {
            RaftError::APIError(error) => Error::caused_by(ErrorKind::NotLeader, self.context("read"), error),
            RaftError::Fatal(fatal) => self.internal("read", fatal),
        })?;
        linearizer.await_ready(&self.raft).await.map_err(|fatal| self.internal("read", fatal))?;
        Ok(())
    }

    fn internal(&self, verb: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::caused_by(ErrorKind::Internal, self.context(verb), source)
    }

    fn context(&self, verb: &str) -> String {
        format!("{verb} in group {}", self.id.0)
    }
}
