//! Cluster: this node's part of the replicated metadata and of the stored bytes.
//! Owns: the order in which groups, clients and background tasks start and stop.
//! Does not own: what any of them does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onggi_storage_engine::StorageEngine;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::data::{
    DataClient, DataNode, DataNodeOptions, DataOptions, FreedQueue, RepairOptions, ReplicaMap, ReplicationStatus,
    SweepOptions, SweepStatus,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;
use crate::metadata::bucket_steps;
use crate::metadata::client::MetadataClient;
use crate::peer::{Alone, Peers};
use crate::placement::{PartitionMap, load_partition_map};
use crate::raft::{GroupSet, GroupSetOptions, GroupStatus, Opening, RaftOptions, SnapshotFiles};

#[derive(Clone, Debug)]
pub struct ClusterOptions {
    pub name: String,
    /// Never reused, also not after the node's drive was lost.
    pub node: NodeId,
    /// Raft groups that share the owners' key space, besides the system group. Fixed when the cluster is created.
    /// 16: enough to spread over a handful of nodes before the first split, few enough to idle for free.
    pub groups: u32,
    /// Bodies up to this many bytes travel inside the command: one sync, no chunk.
    pub inline_bytes_max: u32,
    /// Size of every chunk of a blob but the last.
    pub chunk_bytes: u32,
    /// Proposals in flight on this node, all groups together; more are refused as `Overloaded`. Each holds its command,
    /// so 4,096 of 32 KiB hold 128 MiB.
    pub proposals_in_flight_max: usize,
    /// How long chunks without a name are kept: longer than any upload takes between its last byte and its commit, and than
    /// a reader takes who began before the deletion.
    pub sweep_grace: Duration,
    /// How often the chunk index is compared with the references.
    pub sweep_interval: Duration,
    pub raft: RaftOptions,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            name: "onggi".to_owned(),
            node: NodeId(1),
            groups: 16,
            inline_bytes_max: 32 * 1024,
            chunk_bytes: 4 * 1024 * 1024,
            proposals_in_flight_max: 4096,
            sweep_grace: Duration::from_secs(60 * 60),
            sweep_interval: Duration::from_secs(6 * 60 * 60),
            raft: RaftOptions::default(),
        }
    }
}

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
    map: PartitionMap,
    groups: Arc<GroupSet>,
    metadata: MetadataClient,
    data: DataNode,
    engine: StorageEngine,
    stop: CancellationToken,
    tasks: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Cluster {
    /// Returns when every group can be read and written.
    pub async fn start(options: ClusterOptions, engine: StorageEngine) -> Result<Self> {
        check(&options)?;
        let environment = engine.environment().clone();
        let freed = FreedQueue::new(environment.clock.clone(), options.sweep_grace);
        let peers: Peers = Arc::new(Alone);
        let group_options = GroupSetOptions {
            node: options.node,
            cluster_name: options.name.clone(),
            raft: options.raft.clone(),
            peers: peers.clone(),
            log_store: engine.log_store().clone(),
            metadata_store: engine.metadata_store().clone(),
            snapshot_files: SnapshotFiles {
                disk: environment.disk.clone(),
                directory: engine.snapshots_directory().to_owned(),
            },
            freed: freed.sender(),
        };

        let groups = Arc::new(GroupSet::open(group_options, Opening::Found).await?);
        let map = load_partition_map(groups.system(), options.groups, &environment).await?;
        groups.found_all(&map).await?;

        let (chunks, metadata_store) = (engine.chunk_store().clone(), engine.metadata_store().clone());
        let drive = engine.drive().health().clone();
        let metadata = MetadataClient::new(
            groups.clone(),
            map.clone(),
            environment.clone(),
            drive,
            options.proposals_in_flight_max,
        );
        let (_replicas, replica_watch) = watch::channel(Arc::new(ReplicaMap::of_one_node(map.clone(), options.node)));
        let data = DataNode::new(DataNodeOptions {
            node: options.node,
            chunks,
            metadata: metadata_store,
            environment,
            // Nobody to be reached: all replicas are here.
            peers,
            replicas: replica_watch,
            freed,
            data: DataOptions { inline_bytes_max: options.inline_bytes_max, chunk_bytes: options.chunk_bytes },
            repair: RepairOptions::default(),
            sweep: SweepOptions { interval: options.sweep_interval },
            grace: options.sweep_grace,
        });

        let stop = CancellationToken::new();
        let tasks = vec![
            ("log-purge", tokio::spawn(groups.clone().purge_logs(options.raft.purge_interval, stop.clone()))),
            ("bucket-janitor", tokio::spawn(bucket_steps::run_janitor(metadata.clone(), stop.clone()))),
            ("data", tokio::spawn(data.clone().run(stop.clone()))),
        ];
        tracing::info!(node = options.node.0, groups = map.partitions().len(), "cluster started");
        let inner = Inner { node: options.node, map, groups, metadata, data, engine, stop, tasks: Mutex::new(tasks) };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn metadata(&self) -> MetadataClient {
        self.inner.metadata.clone()
    }

    pub fn data(&self) -> DataClient {
        self.inner.data.client().clone()
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
            partition_epoch: self.inner.map.epoch(),
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

fn check(options: &ClusterOptions) -> Result<()> {
    let wrong = if options.groups == 0 || options.groups > GROUPS_MAX {
        "groups must be between 1 and 4096"
    } else if options.chunk_bytes < CHUNK_BYTES_MIN {
        "chunks must have at least 64 KiB"
    } else if options.inline_bytes_max >= options.chunk_bytes {
        "the inline limit must be below the size of a chunk"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Internal, wrong))
}

/// A group costs a task and a tick on every node that holds it.
const GROUPS_MAX: u32 = 4096;
/// One block of an extent.
const CHUNK_BYTES_MIN: u32 = 64 * 1024;

#[cfg(test)]
mod cluster_test;
