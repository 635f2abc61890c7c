//! Group: one Raft group on this node, from opening to stop.
//! Owns: becoming readable after a start, proposing, what others may know of its state, purging the log.
//! Does not own: reads (`group_read`), who its members are (`group_members`), retries and request ids (`metadata::client`), which group an
//! owner belongs to (`placement`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::drive::{Health, WriteFor};
use onggi_storage_engine::env::spawn_blocking;
use onggi_storage_engine::log_store::LogStore;
use onggi_storage_engine::metadata_store::MetadataStore;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, Fatal, ForwardReason, InitializeError, RaftError};
use openraft::{Config, Raft};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::floor::Floor;
use super::group_keys::GroupKeys;
use super::group_split;
use super::handing_over::HandingOver;
use super::linearizable::{LogStart, ReadGate};
use super::log::Log;
use super::network::{Network, NetworkFactory};
use super::options::RaftOptions;
use super::patience::Patience;
use super::promise::Promise;
use super::read_round::ReadRounds;
use super::snapshot::{Snapshots, read_flushed};
use super::snapshot_file::SnapshotFiles;
use super::snapshot_install;
use super::state_machine::StateMachine;
use super::type_config::{Applied, EncodedCommand, StoredMembership, TypeConfig};
use crate::data::BlobChanges;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::outcome::Outcome;

/// A batch takes milliseconds, an install seconds; only a drive that hangs takes longer.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);
/// While a group has no leader yet, it is asked again this often.
const READY_POLL: Duration = Duration::from_millis(5);

pub(super) type Metrics = openraft::type_config::alias::WatchReceiverOf<TypeConfig, openraft::RaftMetrics<TypeConfig>>;

pub(super) type GroupRaft = Raft<TypeConfig, StateMachine>;
type WriteResult<T> = std::result::Result<T, RaftError<TypeConfig, ClientWriteError<TypeConfig>>>;

/// What a group is opened on.
pub struct GroupOptions {
    pub node: NodeId,
    pub keys: GroupKeys,
    pub config: Arc<Config>,
    pub raft: RaftOptions,
    pub network: Arc<Network>,
    pub log_store: LogStore,
    pub metadata_store: MetadataStore,
    pub snapshot_files: SnapshotFiles,
    pub blob_changes: BlobChanges,
    pub drive: Arc<Health>,
}

pub struct Group {
    pub(super) id: GroupId,
    pub(super) node: NodeId,
    pub(super) raft: GroupRaft,
    pub(super) metrics: Metrics,
    pub(super) network: Arc<Network>,
    pub(super) options: RaftOptions,
    pub(super) gate: Arc<ReadGate>,
    pub(super) reads: Arc<ReadRounds>,
    pub(super) patience: Patience,
    pub(super) handing_over: HandingOver,
    /// What the last pulse said was committed (`pacemaker`).
    pub(super) beat_committed: AtomicU64,
    pub(super) store: MetadataStore,
    pub(super) keys: Arc<GroupKeys>,
    /// A write that meets a full disk fails the drive, and every group with it: what cannot be written is refused before.
    pub(super) drive: Arc<Health>,
    pub(super) floor: Floor,
    pub(super) promise: Promise,
    /// Has a permit when nothing writes to the state any more.
    state_machine_use: Arc<Semaphore>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    pub group: GroupId,
    pub leader: Option<NodeId>,
    pub term: u64,
    pub voters: Vec<NodeId>,
    pub learners: Vec<NodeId>,
    pub last_log_index: Option<u64>,
    pub applied_index: Option<u64>,
    pub purged_index: Option<u64>,
    /// Why the group takes no more proposals, if it does not.
    pub failure: Option<String>,
}

impl Group {
    /// Re-applies what the log has and the flushed state has not, as far as it is known to be committed. An empty group stays
    /// empty until it is founded, or a leader adds this node to it.
    pub async fn open(options: GroupOptions) -> Result<Self> {
        let (id, node, store, files) =
            (options.keys.group(), options.node, options.metadata_store, options.snapshot_files);
        let keys = Arc::new(options.keys);
        let gate = Arc::new(ReadGate::new(node));
        snapshot_install::resume(&store, &keys, &files).await?;
        files.remove_all(id)?;
        group_split::flush_first_state(&store, &options.log_store, &keys).await?;
        let snapshots = Snapshots::new(store.clone(), keys.clone(), files);
        let state_machine =
            StateMachine::open(store.clone(), keys.clone(), gate.clone(), options.blob_changes, snapshots).await?;
        let log_state = options.log_store.state(id.0)?;
        let last_index = log_state.last;
        let promise = Promise::of(&log_state)?;
        let floor = Floor::new(id, keys.floor(), state_machine.is_empty() && last_index.is_none());
        let state_machine_use = Arc::new(Semaphore::new(1));
        let state_machine = state_machine.held_by(state_machine_use.clone().try_acquire_owned().ok());
        let log = Log::new(id, options.log_store, gate.clone());
        let factory = NetworkFactory { group: id, network: options.network.clone() };
        let raft = Raft::new(node.0, options.config, factory, log, state_machine)
            .await
            .map_err(|fatal| Error::caused_by(ErrorKind::Internal, format!("open group {}", id.0), fatal))?;
        let metrics = raft.metrics();
        let drive = options.drive;
        let (network, reads) = (options.network, Arc::new(ReadRounds::new()));
        let options = options.raft;
        let patience = Patience::new(options.election_min, options.election_max);
        let (handing_over, beat_committed) = (HandingOver::default(), AtomicU64::new(0));
        let group = Self {
            id,
            node,
            raft,
            metrics,
            network,
            options,
            gate,
            reads,
            patience,
            handing_over,
            beat_committed,
            store,
            keys,
            drive,
            floor,
            promise,
            state_machine_use,
        };
        let membership_index = group.membership().await?.log_id().as_ref().map(|log_id| log_id.index);
        let term = group.raft.with_raft_state(|state| state.vote_ref().leader_id.term).await;
        let term = term.map_err(|fatal| group.internal("look at the vote", fatal))?;
        group.gate.started(LogStart { membership_index, term });
        Ok(group)
    }

    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Makes this node the only voter of a group that nobody is a member of yet.
    pub async fn found(&self) -> Result<()> {
        let initialized = self.raft.is_initialized().await.map_err(|fatal| self.internal("look at the log", fatal))?;
        if initialized {
            return Ok(());
        }
        match self.raft.initialize(BTreeSet::from([self.node.0])).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(self.internal("initialize", error)),
        }
    }

    /// If this node is the only voter, it wins the election and waits until everything that was ever acknowledged is applied,
    /// bounded by `deadline`. Where there are other voters it waits for nothing: they elect a leader among themselves.
    pub async fn become_ready(&self, deadline: Instant) -> Result<()> {
        if !self.membership().await?.membership().voter_ids().eq([self.node.0]) {
            return Ok(());
        }
        self.raft.trigger().elect(false).await.map_err(|fatal| self.internal("start an election", fatal))?;
        loop {
            match self.wait_for_majority_read().await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() < deadline && error.kind() == ErrorKind::NotLeader => {
                    tokio::time::sleep(READY_POLL).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Appends a command to the log and gives what `apply` decided. Kinds of the error: `NotLeader`, `Full` and `Unavailable` did not
    /// happen, `OutcomeUnknown` may have, `Internal` did not and never will on this start.
    pub async fn propose(&self, command: Bytes) -> Result<Outcome> {
        let running = self.metrics.borrow_watched().running_state.clone();
        running.map_err(|fatal| match fatal {
            // Another node will lead: the proposer looks for it.
            Fatal::Stopped => Error::caused_by(ErrorKind::Unavailable, self.context("propose"), fatal),
            failed => self.failed("propose", failed),
        })?;
        self.drive.poison().check().map_err(|failed| self.failed("propose", failed))?;
        self.drive.admit(WriteFor::Changing)?;
        if self.is_leader() && !self.majority_is_up() {
            return Err(Error::new(ErrorKind::Unavailable, self.context("no majority is up: propose")));
        }
        let append = |raft: GroupRaft| {
            let command = EncodedCommand(command.clone());
            async move { raft.client_write(command).await }
        };
        match self.write("propose", append).await? {
            Ok(response) => match response.data {
                Applied(Some(outcome)) => Ok(outcome),
                Applied(None) => Err(Error::new(ErrorKind::Internal, "a command was applied without an outcome")),
            },
            Err(error) => Err(self.write_error("propose", error)),
        }
    }

    /// Purges the log up to what the drive has flushed, if that is worth it.
    pub async fn purge_flushed(&self) -> Result<()> {
        let flushed = read_flushed(&self.store, &self.keys).await?.last_applied.map_or(0, |log_id| log_id.index);
        let snapshot = self.metrics.borrow_watched().snapshot.map_or(0, |log_id| log_id.index);
        if flushed < snapshot + self.options.purge_entries_min {
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
            voters: self.voters().into_iter().collect(),
            learners: self.learners().into_iter().collect(),
            last_log_index: metrics.last_log_index,
            applied_index: metrics.last_applied.map(|log_id| log_id.index),
            purged_index: metrics.purged.map(|log_id| log_id.index),
            failure: metrics.running_state.err().map(|fatal| fatal.to_string()),
        }
    }

    /// Entries that were queued in the log store still become durable; nothing is acknowledged any more, and when this returns
    /// nothing is written to the state any more.
    pub async fn stop(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::error!(group = self.id.0, %error, "a group did not stop cleanly");
        }
        // What openraft has begun to apply or install goes on behind its back.
        if tokio::time::timeout(STOP_TIME_MAX, self.state_machine_use.acquire()).await.is_err() {
            tracing::error!(
                group = self.id.0,
                "a group still writes to its state {STOP_TIME_MAX:?} after it was stopped"
            );
        }
    }

    /// Deletes the records of a group that was stopped. Its log must be gone before: a log without its state could not be
    /// opened again, a state without its log can.
    pub(super) async fn delete_records(&self) -> Result<()> {
        // For good: a reader that still holds this group, and was told what to wait for, would see a state without records.
        self.gate.install_begins();
        let (store, keys) = (self.store.clone(), self.keys.clone());
        let deleted = spawn_blocking(move || {
            let mut batch = store.batch();
            keys.of_state(&store.snapshot())?.delete(&mut batch);
            store.apply(batch)
        });
        deleted.await.map_err(|panic| self.internal("delete the records", panic))??;
        Ok(self.store.flush().await?)
    }

    /// The last membership in the log, committed or not.
    async fn membership(&self) -> Result<StoredMembership> {
        let membership = self.raft.with_raft_state(|state| (**state.membership_state.effective()).clone());
        membership.await.map_err(|fatal| self.internal("look at the members", fatal))
    }

    /// What `work` gives, unless the majority of voters that it needs goes away first: a leader that is cut off would wait for ever.
    pub(super) async fn while_majority_is_up<T>(&self, verb: &str, work: impl Future<Output = T>) -> Result<T> {
        let mut work = std::pin::pin!(work);
        let deadline = Instant::now() + self.options.commit_limit;
        loop {
            match tokio::time::timeout(self.options.majority_limit, &mut work).await {
                Ok(done) => return Ok(done),
                Err(_) if self.majority_is_up() && Instant::now() < deadline => {}
                Err(_) => {
                    let context = self.context(&format!("no majority answered: {verb}"));
                    return Err(Error::new(ErrorKind::OutcomeUnknown, context));
                }
            }
        }
    }

    /// As `while_majority_is_up`, for what a leader appends. One that was idle asks its majority first whether it still leads: openraft
    /// takes nothing from a leader that has not heard of it for long. All that wait share the question.
    pub(super) async fn write<T, F>(&self, verb: &str, append: impl Fn(GroupRaft) -> F) -> Result<WriteResult<T>>
    where
        F: Future<Output = WriteResult<T>>,
    {
        let written = self.while_majority_is_up(verb, append(self.raft.clone())).await?;
        match &written {
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward)))
                if forward.reason == ForwardReason::LeaseExpired =>
            {
                self.read_index().await?;
                self.while_majority_is_up(verb, append(self.raft.clone())).await
            }
            _ => Ok(written),
        }
    }

    pub(super) fn write_error(&self, verb: &str, error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> Error {
        let kind = match &error {
            RaftError::APIError(ClientWriteError::ForwardToLeader(_)) => ErrorKind::NotLeader,
            RaftError::APIError(ClientWriteError::LogEntryDiscarded(_)) => ErrorKind::OutcomeUnknown,
            RaftError::APIError(_) => ErrorKind::Conflict,
            // The group stopped with the command on its way: its entry may be in the log.
            RaftError::Fatal(_) => ErrorKind::OutcomeUnknown,
        };
        Error::caused_by(kind, self.context(verb), error)
    }

    pub(super) fn internal(&self, verb: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::caused_by(ErrorKind::Internal, self.context(verb), source)
    }

    /// Of what did not happen, because this node's part in the group has ended: others go on, if there are any.
    fn failed(&self, verb: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        let kind = if self.has_other_voters() { ErrorKind::Unavailable } else { ErrorKind::Internal };
        Error::caused_by(kind, self.context(verb), source)
    }

    pub(super) fn context(&self, verb: &str) -> String {
        format!("{verb} in group {}", self.id.0)
    }
}
