//! Data node: this node's part of the data path.
//! Owns: what its parts share, and in which order they are made. What each does is its own business.

use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio_util::sync::CancellationToken;

use super::counters::{Counters, ReplicationStatus};
use super::freed_blobs::FreedQueue;
use super::inbound::Inbound;
use super::open_blobs::OpenBlobs;
use super::received_blobs::ReceivedBlobs;
use super::remote_chunks::RemoteChunks;
use super::replica_set::ReplicaMapWatch;
use super::sweep::{SweepOptions, SweepStatus, Sweeper};
use super::writer::Destination;
use super::{DataClient, DataOptions};
use crate::id::NodeId;
use crate::peer::{Handlers, Peers};

/// What the data path of a node is built on.
pub struct DataNodeOptions {
    pub node: NodeId,
    pub chunks: ChunkStore,
    pub metadata: MetadataStore,
    pub environment: Environment,
    pub peers: Peers,
    pub replicas: ReplicaMapWatch,
    /// What `apply` frees.
    pub freed: FreedQueue,
    pub data: DataOptions,
    pub sweep: SweepOptions,
    /// How long chunks without a name are kept.
    pub grace: Duration,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct DataNode {
    client: DataClient,
    inbound: Inbound,
    received: ReceivedBlobs,
    sweeper: Sweeper,
    counters: Arc<Counters>,
}

impl DataNode {
    pub fn new(options: DataNodeOptions) -> Self {
        let DataNodeOptions { node, chunks, metadata, environment, peers, replicas, freed, data, sweep, grace } =
            options;
        let counters = Arc::new(Counters::default());
        let open = OpenBlobs::new(environment.clock.clone(), grace);
        let received = ReceivedBlobs::new(environment.clock.clone(), grace, open.clone());
        let inbound = Inbound::new(chunks.clone(), metadata.clone(), received.clone(), counters.clone());
        let remote = RemoteChunks::new(peers);
        let destination = Arc::new(Destination::new(node, chunks.clone(), remote, replicas, counters.clone()));
        let sweeper = Sweeper::new(chunks.clone(), metadata.clone(), open.clone(), received.clone(), freed, sweep);
        let client = DataClient::new(chunks, metadata, environment, open, destination, data);
        Self { client, inbound, received, sweeper, counters }
    }

    pub fn client(&self) -> &DataClient {
        &self.client
    }

    /// What this node serves others.
    pub fn handlers(&self, handlers: Handlers) -> Handlers {
        self.inbound.handlers(handlers)
    }

    /// The work that nobody waits for, until `stop`. Start it only when every group has applied its log.
    pub async fn run(self, stop: CancellationToken) {
        self.sweeper.run(stop).await;
    }

    #[cfg(test)]
    pub(super) fn sweeper(&self) -> &Sweeper {
        &self.sweeper
    }

    pub fn sweep_status(&self) -> SweepStatus {
        self.sweeper.status()
    }

    pub fn replication_status(&self) -> ReplicationStatus {
        ReplicationStatus { receiving_blobs: self.received.count() as u64, ..self.counters.status() }
    }
}
