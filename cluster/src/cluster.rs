//! Cluster: this node's part of the replicated metadata and of the stored bytes.
//! Owns: the order in which groups, clients and background tasks start and stop.
//! Does not own: what any of them does.

mod group_truth;
mod network;
mod options;
mod start;

use std::sync::{Arc, Mutex, PoisonError};

use onggi_storage_engine::StorageEngine;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::network::{ClusterNetwork, Serve};
pub use self::options::ClusterOptions;
pub use self::start::MembershipOptions;

use crate::data::{DataClient, DataNode, ReplicationStatus, SweepStatus};
use crate::id::NodeId;
use crate::membership::Membership;
use crate::metadata::client::MetadataClient;
use crate::peer::Peers;
use crate::placement::{Placement, PlacementView};
use crate::raft::{GroupSet, GroupStatus};

#[derive(Clone, Debug)]
pub struct ClusterStatus {
    pub node: NodeId,
    pub partition_epoch: u64,
    pub groups: Vec<GroupStatus>,
    pub sweep: SweepStatus,
    pub replication: ReplicationStatus,
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
    membership: Option<Membership>,
    data: DataNode,
    engine: StorageEngine,
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
