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
use super::repair::{Fetch, RepairOptions, RepairQueue, Repairer, RepairerParts};
use super::replica_reads::{ReplicaReads, ReplicaReadsOptions};
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
    pub repair: RepairOptions,
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
    repairer: Repairer,
    repairs: RepairQueue,
    counters: Arc<Counters>,
}

impl DataNode {
    pub fn new(options: DataNodeOptions) -> Self {
        let DataNodeOptions { node, chunks, metadata, environment, peers, replicas, freed, data, sweep, repair, grace } =
            options;
        let (clock, counters) = (environment.clock.clone(), Arc::new(Counters::default()));
        let open = OpenBlobs::new(clock.clone(), grace);
        let received = ReceivedBlobs::new(clock.clone(), grace, open.clone());
        let repairs = RepairQueue::new(clock);
        let remote = RemoteChunks::new(peers);

        let destination = Destination::new(node, chunks.clone(), remote.clone(), replicas.clone(), counters.clone());
        let reads = ReplicaReads::new(ReplicaReadsOptions {
            node,
            chunks: chunks.clone(),
            metadata: metadata.clone(),
            remote: remote.clone(),
            replicas: replicas.clone(),
            repairs: repairs.clone(),
            counters: counters.clone(),
        });
        let client = DataClient::new(environment, open.clone(), destination, reads, data);
        let inbound = Inbound::new(chunks.clone(), metadata.clone(), received.clone(), counters.clone());
        let repairer = Repairer::new(RepairerParts {
            chunks: chunks.clone(),
            metadata: metadata.clone(),
            received: received.clone(),
            fetch: Fetch::new(node, remote, replicas, repair.bytes_per_second),
            queue: repairs.clone(),
            counters: counters.clone(),
        });
        let sweeper = Sweeper::new(chunks, metadata, open, received.clone(), freed, sweep);
        Self { client, inbound, received, sweeper, repairer, repairs, counters }
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
        tokio::join!(self.sweeper.run(stop.clone()), self.repairer.run(stop));
    }

    #[cfg(test)]
    pub(super) fn repairer(&self) -> &Repairer {
        &self.repairer
    }

    #[cfg(test)]
    pub(super) fn repairs(&self) -> &RepairQueue {
        &self.repairs
    }

    #[cfg(test)]
    pub(super) fn sweeper(&self) -> &Sweeper {
        &self.sweeper
    }

    pub fn sweep_status(&self) -> SweepStatus {
        self.sweeper.status()
    }

    pub fn replication_status(&self) -> ReplicationStatus {
        let mut status = self.counters.status();
        status.receiving_blobs = self.received.count() as u64;
        status.repair.queued = self.repairs.len() as u64;
        status
    }
}
