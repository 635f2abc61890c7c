//! Network: how the groups of this node reach the same groups on other nodes.
//! Owns: the factory that openraft asks for a connection per peer and group.
//! Does not own: connections and frames. A cluster of one has no peers, so every call answers `Unreachable`.

use std::future::Future;

use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::impls::EmptyNode;
use openraft::network::RPCOption;
use openraft::network::v2::RaftNetworkV2;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::storage::Snapshot;
use openraft::{OptionalSend, RaftNetworkFactory};

use super::snapshot::SnapshotData;
use super::type_config::{TypeConfig, Vote};
use crate::id::{GroupId, NodeId};

type CommittedLeaderId = openraft::type_config::alias::CommittedLeaderIdOf<TypeConfig>;

/// One per group.
pub struct NetworkFactory {
    group: GroupId,
}

impl NetworkFactory {
    pub fn new(group: GroupId) -> Self {
        Self { group }
    }
}

impl RaftNetworkFactory<TypeConfig> for NetworkFactory {
    type Network = PeerGroup;

    async fn new_client(&mut self, target: u64, _node: &EmptyNode) -> PeerGroup {
        PeerGroup { group: self.group, peer: NodeId(target) }
    }
}

/// One group on one peer.
pub struct PeerGroup {
    group: GroupId,
    peer: NodeId,
}

impl PeerGroup {
    fn unreachable(&self) -> Unreachable<TypeConfig> {
        let (group, peer) = (self.group.0, self.peer.0);
        Unreachable::from_string(format!("no way to group {group} on node {peer}: this node has no peers"))
    }
}

impl RaftNetworkV2<TypeConfig> for PeerGroup {
    type SnapshotData = SnapshotData;

    async fn append_entries(
        &mut self,
        _rpc: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        Err(self.unreachable().into())
    }

    async fn vote(
        &mut self,
        _rpc: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        Err(self.unreachable().into())
    }

    /// The default of openraft grants an unreachable peer's pre-vote; ours must not.
    async fn pre_vote(
        &mut self,
        _rpc: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        Err(self.unreachable().into())
    }

    async fn full_snapshot(
        &mut self,
        _vote: Vote,
        _snapshot: Snapshot<CommittedLeaderId, u64, EmptyNode, SnapshotData>,
        _cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        Err(self.unreachable().into())
    }
}
