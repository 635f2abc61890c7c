//! Network: how the groups of this node reach the same groups on other nodes.
//! Owns: openraft's calls as messages to peers, in order and pipelined; what a failed call means to openraft.
//! Does not own: connections and frames (`peer`), the bytes of messages (`message`, `append_message`).

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use onggi_storage_engine::format::Record;
use openraft::base::BoxFuture;
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::impls::EmptyNode;
use openraft::network::RPCOption;
use openraft::network::v2::RaftNetworkV2;
use openraft::raft::{
    AppendEntriesResponse, SnapshotResponse, StreamAppendError, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::storage::Snapshot;
use openraft::{OptionalSend, RaftNetworkFactory};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::append_budget::AppendBudgets;
use super::append_message::{AppendAnswer, AppendRequest, encode_append};
use super::format::command_of;
use super::message::{TransferAnswer, TransferMessage, VoteAnswer, VoteMessage};
use super::snapshot::SnapshotData;
use super::snapshot_file::SnapshotFiles;
use super::snapshot_send;
use super::type_config::{LogId, TypeConfig, Vote};
use crate::error::{Error, ErrorKind};
use crate::id::{GroupId, NodeId};
use crate::peer::{Method, Payload, Peers};

type CommittedLeaderId = openraft::type_config::alias::CommittedLeaderIdOf<TypeConfig>;
type RpcError = RPCError<TypeConfig>;
type AppendResult = Result<StreamAppendResult<TypeConfig>, RpcError>;

/// Appends of one group on their way to one follower: enough to fill the time of a round trip and a sync.
const APPENDS_IN_FLIGHT_MAX: usize = 16;
/// Snapshots that this node sends at a time, all groups and peers together.
const SNAPSHOTS_SENDING_MAX: usize = 2;

/// What all groups of the node share.
pub struct Network {
    pub peers: Peers,
    pub files: SnapshotFiles,
    /// How long an append may stay without an answer.
    pub append_limit: Duration,
    budgets: AppendBudgets,
    pub(super) sending: Semaphore,
    pub(super) snapshots_sent: AtomicU64,
}

impl Network {
    pub fn new(peers: Peers, files: SnapshotFiles, append_limit: Duration) -> Self {
        let sending = Semaphore::new(SNAPSHOTS_SENDING_MAX);
        Self {
            peers,
            files,
            append_limit,
            budgets: AppendBudgets::default(),
            sending,
            snapshots_sent: AtomicU64::new(0),
        }
    }
}

/// One per group.
pub struct NetworkFactory {
    pub group: GroupId,
    pub network: Arc<Network>,
}

impl RaftNetworkFactory<TypeConfig> for NetworkFactory {
    type Network = PeerGroup;

    async fn new_client(&mut self, target: u64, _node: &EmptyNode) -> PeerGroup {
        PeerGroup { group: self.group, peer: NodeId(target), network: self.network.clone() }
    }
}

/// One group on one peer.
#[derive(Clone)]
pub struct PeerGroup {
    pub group: GroupId,
    pub peer: NodeId,
    pub network: Arc<Network>,
}

impl PeerGroup {
    /// On its way in the order of the calls, when this returns.
    pub(super) fn call(
        &self,
        method: Method,
        payload: Payload,
        limit: Duration,
    ) -> impl Future<Output = Result<Bytes, RpcError>> + Send + use<> {
        let answer = self.network.peers.call(self.peer, method, payload, limit);
        async move { answer.await.map_err(|error| rpc_error(&error)) }
    }

    async fn ask<A: Record>(&self, method: Method, message: &impl Record, limit: Duration) -> Result<A, RpcError> {
        let answer = self.call(method, vec![message.to_bytes()], limit).await?;
        decode(&answer)
    }

    /// On its way when this is done.
    async fn send_append(self, request: AppendRequest) -> SentAppend {
        let permit = self.network.budgets.take(self.peer, entry_bytes(&request)).await;
        let (previous, last) = (request.prev_log_id, last_log_id(&request));
        SentAppend { answer: self.append(request).boxed(), previous, last, _permit: permit }
    }

    fn append(
        &self,
        request: AppendRequest,
    ) -> impl Future<Output = Result<AppendEntriesResponse<TypeConfig>, RpcError>> + Send + use<> {
        let payload = encode_append(self.group, &request);
        let answer = self.call(Method::RAFT_APPEND, payload, self.network.append_limit);
        async move { Ok(decode::<AppendAnswer>(&answer.await?)?.0) }
    }
}

/// An append that waits for its answer.
struct SentAppend {
    answer: BoxFuture<'static, Result<AppendEntriesResponse<TypeConfig>, RpcError>>,
    previous: Option<LogId>,
    last: Option<LogId>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl SentAppend {
    async fn result(self) -> AppendResult {
        match (self.answer.await?, self.previous) {
            (AppendEntriesResponse::Success, _) => Ok(Ok(self.last)),
            (AppendEntriesResponse::PartialSuccess(last), _) => Ok(Ok(last)),
            (AppendEntriesResponse::HigherVote(vote), _) => Ok(Err(StreamAppendError::HigherVote(vote))),
            (AppendEntriesResponse::Conflict, Some(previous)) => Ok(Err(StreamAppendError::Conflict(previous))),
            // Nothing before the first entry can be in conflict.
            (AppendEntriesResponse::Conflict, None) => {
                Err(Unreachable::from_string("the peer sees a conflict where there is no entry").into())
            }
        }
    }
}

/// `Unreachable` makes openraft wait before it tries again; `Network` lets it try at once, which suits what has waited already.
pub(super) fn rpc_error(error: &Error) -> RpcError {
    match error.kind() {
        ErrorKind::OutcomeUnknown => NetworkError::new(error).into(),
        _ => Unreachable::new(error).into(),
    }
}

pub(super) fn decode<R: Record>(answer: &Bytes) -> Result<R, RpcError> {
    R::from_bytes(answer).map_err(|error| Unreachable::new(&error).into())
}

impl RaftNetworkV2<TypeConfig> for PeerGroup {
    type SnapshotData = SnapshotData;

    async fn append_entries(
        &mut self,
        request: AppendRequest,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        let _permit = self.network.budgets.take(self.peer, entry_bytes(&request)).await;
        self.append(request).await
    }

    /// Several appends are on their way at a time; their answers come back in the order of the requests.
    fn stream_append<'s, S>(
        &'s mut self,
        requests: S,
        _option: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, AppendResult>, RpcError>>
    where
        S: Stream<Item = AppendRequest> + OptionalSend + Unpin + 'static,
    {
        let target = self.clone();
        // One after the other, so that they are on their way in the order of the log.
        let sent = requests.then(move |request| target.clone().send_append(request));
        let answers = sent.map(SentAppend::result).buffered(APPENDS_IN_FLIGHT_MAX);
        Box::pin(async move { Ok(until_failure(answers).boxed()) })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let message = VoteMessage { group: self.group, request };
        Ok(self.ask::<VoteAnswer>(Method::RAFT_VOTE, &message, option.soft_ttl()).await?.0)
    }

    /// The default of openraft grants an unreachable peer's pre-vote; this one must not.
    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let message = VoteMessage { group: self.group, request };
        Ok(self.ask::<VoteAnswer>(Method::RAFT_PRE_VOTE, &message, option.soft_ttl()).await?.0)
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        let message = TransferMessage { group: self.group, request };
        Ok(self.ask::<TransferAnswer>(Method::RAFT_TRANSFER_LEADER, &message, option.soft_ttl()).await?.0)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<CommittedLeaderId, u64, EmptyNode, SnapshotData>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        tokio::select! {
            biased;
            sent = snapshot_send::send(self, vote, snapshot.snapshot) => sent,
            closed = cancel => Err(closed.into()),
        }
    }
}

fn entry_bytes(request: &AppendRequest) -> usize {
    request.entries.iter().map(|entry| command_of(entry).len()).sum()
}

fn last_log_id(request: &AppendRequest) -> Option<LogId> {
    request.entries.last().map(|entry| entry.log_id).or(request.prev_log_id)
}

/// What comes after a failure answers requests that openraft will make again.
fn until_failure<'s>(
    answers: impl Stream<Item = AppendResult> + Send + 's,
) -> impl Stream<Item = AppendResult> + Send + 's {
    stream::unfold(Some(answers.boxed()), |answers| async move {
        let mut answers = answers?;
        let answer = answers.next().await?;
        let goes_on = matches!(answer, Ok(Ok(_)));
        Some((answer, goes_on.then_some(answers)))
    })
}
