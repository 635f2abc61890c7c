//! Cluster: this node's part of the replicated metadata and of the stored bytes.
//! Owns: the order in which groups, clients and background tasks start and stop.
//! Does not own: what any of them does.

mod group_truth;
mod network;
mod options;
mod start;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use onggi_storage_engine::StorageEngine;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::network::{ClusterNetwork, Serve};
pub use self::options::ClusterOptions;
pub use self::start::MembershipOptions;

use crate::data::{DataClient, DataNode, ReplicationStatus, SweepStatus, ask_fill_report};
use crate::error::Result;
use crate::id::NodeId;
use crate::membership::Membership;
use crate::metadata::client::MetadataClient;
use crate::metadata::record::NodeState;
use crate::peer::Peers;
use crate::placement::mover::targets;
use crate::placement::planner::{GroupView, NodeView};
use crate::placement::{Placement, PlacementView, Progress, Surveyor};
use crate::raft::{GroupSet, GroupStatus};

#[derive(Clone, Debug)]
pub struct ClusterStatus {
    pub node: NodeId,
    pub partition_epoch: u64,
    pub groups: Vec<GroupStatus>,
    pub sweep: SweepStatus,
    pub replication: ReplicationStatus,
    /// Nothing is moved because too many nodes look gone at once. Known to the node that leads the system group.
    pub repair_is_held: bool,
}

/// Cheap to clone; all clones are the same cluster.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    node: NodeId,
    peers: Peers,
    placement: PlacementView,
    groups: Arc<GroupSet>,
    metadata: MetadataClient,
    surveyor: Surveyor,
    membership: Option<Membership>,
    data: DataNode,
    engine: StorageEngine,
    repair_is_held: Arc<AtomicBool>,
    stop: CancellationToken,
    tasks: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Cluster {
    pub fn metadata(&self) -> MetadataClient {
        self.inner.metadata.clone()
    }

    pub fn data(&self) -> DataClient {
        self.inner.data.client().clone()
    }

    /// How much each group holds, and splitting them.
    pub fn surveyor(&self) -> &Surveyor {
        &self.inner.surveyor
    }

    /// `None` if the cluster was started without an identity.
    pub fn membership(&self) -> Option<&Membership> {
        self.inner.membership.as_ref()
    }

    /// Whether this node can reach another one, from what it heard of it lately.
    pub fn is_up(&self, node: NodeId) -> bool {
        node == self.inner.node || self.inner.peers.is_up(node)
    }

    /// Where everything is, as far as this node knows.
    pub fn placement(&self) -> Arc<Placement> {
        self.inner.placement.now()
    }

    pub fn engine(&self) -> &StorageEngine {
        &self.inner.engine
    }

    #[cfg(test)]
    pub(crate) fn groups(&self) -> &GroupSet {
        &self.inner.groups
    }

    pub fn status(&self) -> ClusterStatus {
        ClusterStatus {
            node: self.inner.node,
            partition_epoch: self.inner.placement.now().map.epoch(),
            groups: self.inner.groups.status(),
            sweep: self.inner.data.sweep_status(),
            replication: self.inner.data.replication_status(),
            repair_is_held: self.inner.repair_is_held.load(Ordering::Relaxed),
        }
    }

    /// What is to be copied until every group is where it shall be, as the nodes that answer report it.
    pub async fn progress(&self) -> Result<Progress> {
        let placement = self.placement();
        let members = placement.nodes.values().filter(|record| record.state != NodeState::Removed);
        let asked = members.map(|record| record.node).map(async |node| {
            let report = match node == self.inner.node {
                true => Ok(self.inner.data.fill_report()),
                false => ask_fill_report(&self.inner.peers, node).await,
            };
            // One that does not answer has nothing to report.
            report.ok().map(|report| (node, report))
        });
        let reports = join_all(asked).await.into_iter().flatten().collect();
        // As if all were up: what is gone is known to the director alone.
        let nodes = placement.nodes.values().map(|record| NodeView::of(record, true)).collect();
        let groups = placement.groups.values().map(GroupView::of).collect();
        let planned = targets(nodes, groups).await?;
        Ok(Progress::of(&placement, &planned, &reports))
    }

    /// Whether a node of another process can serve what this one does not.
    pub fn has_other_hosts_up(&self) -> bool {
        let placement = self.inner.placement.now();
        let host = placement.nodes.get(&self.inner.node).map(|record| record.host);
        let others = placement.nodes.values().filter(|record| Some(record.host) != host);
        others.filter(|record| record.state != NodeState::Removed).any(|record| self.inner.peers.is_up(record.node))
    }

    /// Gives the groups that this node leads to other voters that are up and have everything, as far as that can be done in time. For a
    /// node that is about to stop: a group whose leader goes without a word waits for an election.
    pub async fn hand_over(&self, limit: Duration) {
        let led = self.inner.groups.all().into_iter().filter(|group| group.is_leader());
        let handed_over = led.filter_map(|group| {
            let is_able = |voter: &NodeId| {
                *voter != self.inner.node && self.is_up(*voter) && group.entries_behind(*voter) == Some(0)
            };
            let successor = group.voters().into_iter().find(is_able)?;
            Some(async move { group.transfer_leader(successor, limit).await })
        });
        for error in join_all(handed_over).await.into_iter().filter_map(Result::err) {
            tracing::debug!(%error, "a group was not handed over");
        }
    }

    /// In the reverse order of the start. A second call does nothing. Requests in flight should have ended before.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, task) in tasks.into_iter().rev() {
            if let Err(error) = task.await {
                tracing::error!(task = name, %error, "a background task did not end cleanly");
            }
        }
        self.inner.groups.stop().await;
        if let Err(error) = self.inner.engine.close().await {
            tracing::error!(%error, "the storage engine did not close cleanly");
        }
    }
}

#[cfg(test)]
mod cluster_test;
#[cfg(test)]
mod members_test;
