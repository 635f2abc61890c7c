//! Data node: this node's part of the data path.
//! Owns: what its parts share, and in which order they are made. What each does is its own business.

use std::sync::Arc;

use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio_util::sync::CancellationToken;

use super::backfills::{self, Backfills};
use super::blob_changes::BlobQueues;
use super::counters::{Counters, ReplicationStatus};
use super::fill_report::{self, FillReport};
use super::group_state::GroupStates;
use super::inbound::Inbound;
use super::open_blobs::OpenBlobs;
use super::passes::{Passes, PassesParts};
use super::received_blobs::ReceivedBlobs;
use super::remote_chunks::RemoteChunks;
use super::repair::{Fetch, RepairOptions, Repairer, RepairerParts};
use super::replica_reads::{ReplicaReads, ReplicaReadsOptions};
use super::replica_set::ReplicaMapWatch;
use super::sweep::{SweepOptions, SweepStatus, Sweeper, SweeperParts};
use super::writer::Destination;
use super::{DataClient, DataOptions};
use crate::id::NodeId;
use crate::peer::{Handlers, Method, Peers};

/// What the data path of a node is built on.
pub struct DataNodeOptions {
    pub node: NodeId,
    pub chunks: ChunkStore,
    pub metadata: MetadataStore,
    pub environment: Environment,
    pub peers: Peers,
    pub replicas: ReplicaMapWatch,
    pub states: Arc<dyn GroupStates>,
    /// What `apply` fills.
    pub queues: BlobQueues,
    pub data: DataOptions,
    pub sweep: SweepOptions,
    pub repair: RepairOptions,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct DataNode {
    client: DataClient,
    inbound: Inbound,
    received: ReceivedBlobs,
    sweeper: Sweeper,
    repairer: Repairer,
    passes: Passes,
    backfills: Backfills,
    states: Arc<dyn GroupStates>,
    queues: BlobQueues,
    counters: Arc<Counters>,
}

impl DataNode {
    pub fn new(options: DataNodeOptions) -> Self {
        let DataNodeOptions { node, chunks, metadata, environment, peers, replicas, states, queues, .. } = options;
        let DataNodeOptions { data, sweep, repair, .. } = options;
        let (clock, counters) = (environment.clock.clone(), Arc::new(Counters::default()));
        let open = OpenBlobs::new(clock.clone(), sweep.grace);
        let received = ReceivedBlobs::new(clock.clone(), sweep.grace, open.clone());
        let (backfills, remote) = (Backfills::new(peers.clone()), RemoteChunks::new(peers));

        let destination = Destination::new(node, chunks.clone(), remote.clone(), replicas.clone(), counters.clone());
        let reads = ReplicaReads::new(ReplicaReadsOptions {
            node,
            chunks: chunks.clone(),
            metadata: metadata.clone(),
            remote: remote.clone(),
            replicas: replicas.clone(),
            repairs: queues.repairs.clone(),
            counters: counters.clone(),
        });
        let client = DataClient::new(environment, open.clone(), destination, reads, data);
        let inbound = Inbound::new(chunks.clone(), metadata.clone(), received.clone(), counters.clone());
        let repairer = Repairer::new(RepairerParts {
            chunks: chunks.clone(),
            metadata: metadata.clone(),
            received: received.clone(),
            fetch: Fetch::new(node, remote, replicas.clone(), repair.bytes_per_second),
            queue: queues.repairs.clone(),
            counters: counters.clone(),
        });
        let passes = Passes::new(PassesParts {
            node,
            chunks: chunks.clone(),
            metadata,
            replicas: replicas.clone(),
            repairer: repairer.clone(),
            repairs: queues.repairs.clone(),
            schedule: queues.passes.clone(),
            interval: repair.pass_interval,
        });
        let sweeper = Sweeper::new(SweeperParts {
            node,
            clock,
            chunks,
            replicas,
            states: states.clone(),
            open,
            received: received.clone(),
            freed: queues.freed.clone(),
            options: sweep,
        });
        Self { client, inbound, received, sweeper, repairer, passes, backfills, states, queues, counters }
    }

    pub fn client(&self) -> &DataClient {
        &self.client
    }

    /// What this node serves others.
    pub fn handlers(&self, handlers: Handlers) -> Handlers {
        let missing = backfills::handler(self.passes.clone(), self.states.clone());
        let node = self.clone();
        let report = fill_report::handler(move || node.fill_report());
        self.inbound.handlers(handlers).with(Method::BLOB_MISSING, missing).with(Method::GROUP_STATUS, report)
    }

    /// How much this node has of its groups.
    pub fn fill_report(&self) -> FillReport {
        FillReport::of(&self.passes, &self.counters)
    }

    /// The work that nobody waits for, until `stop`. Start it only when every group has applied its log.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.sweeper.run(stop.clone()), self.repairer.run(stop.clone()), self.passes.run(stop));
    }

    /// The same on a node that no other one will ever join: there is nobody to bring anything from.
    pub async fn run_alone(self, stop: CancellationToken) {
        self.sweeper.run(stop).await;
    }

    /// To ask others whether they have the bytes of a group.
    pub fn backfills(&self) -> Backfills {
        self.backfills.clone()
    }

    #[cfg(test)]
    pub(super) fn repairer(&self) -> &Repairer {
        &self.repairer
    }

    #[cfg(test)]
    pub(super) fn queues(&self) -> &BlobQueues {
        &self.queues
    }

    #[cfg(test)]
    pub(super) fn passes(&self) -> &Passes {
        &self.passes
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
        status.repair.queued = self.queues.repairs.len() as u64;
        (status.repair.passes, status.repair.blobs_left, status.repair.bytes_left) = self.passes.status();
        status
    }
}
