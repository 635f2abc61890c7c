//! Object bytes: the way to their replicas and back (docs/replication.md).
//! Owns: cutting bodies into chunks, reading them back verified, and freeing blobs that nothing names.
//! Does not own: where a chunk lies on the drive (storage engine), what a version names (`metadata`).

mod backfills;
mod blob_changes;
mod blob_layout;
mod chunk_message;
mod counters;
mod departed_groups;
mod freed_blobs;
mod group_state;
mod hedge;
mod inbound;
mod node;
mod open_blobs;
mod passes;
mod reader;
mod received_blobs;
mod remote_chunks;
mod repair;
mod replica_reads;
mod replica_set;
mod sweep;
mod writer;

#[cfg(test)]
mod faulty_disk;
#[cfg(test)]
mod simulation_test;
#[cfg(test)]
mod sweep_test;
#[cfg(test)]
mod test_nodes;
#[cfg(test)]
mod test_replica;

use std::ops::Range;
use std::sync::Arc;

use onggi_storage_engine::env::Environment;

pub use backfills::Backfills;
pub use blob_changes::{BlobChanges, BlobQueues};
pub use blob_layout::BlobLayout;
pub use counters::{RepairStatus, ReplicationStatus};
pub use group_state::{GroupState, GroupStates};
pub use node::{DataNode, DataNodeOptions};
pub use reader::ContentStream;
pub use repair::RepairOptions;
pub use replica_set::{ReplicaMap, ReplicaMapWatch, ReplicaSet};
pub use sweep::{SweepOptions, SweepStatus};
pub use writer::BlobWriter;

use open_blobs::OpenBlobs;
use reader::ReadBudget;
use replica_reads::ReplicaReads;
use writer::Destination;

use crate::id::{BlobId, OwnerKey};
use crate::metadata::record::Content;

#[derive(Clone, Debug)]
pub struct DataOptions {
    pub inline_bytes_max: u32,
    pub chunk_bytes: u32,
}

impl DataOptions {
    fn with_smaller_chunks(&self) -> Self {
        let chunk_bytes = (self.chunk_bytes / 4).max(self.inline_bytes_max + 1);
        Self { chunk_bytes, ..self.clone() }
    }
}

/// A writer holds up to three chunks. From this many writers on, new bodies are cut into chunks of a quarter of the size: 16 × 12 MiB, and
/// 3 MiB for each further one.
const WRITERS_OF_FULL_CHUNKS_MAX: usize = 16;

/// Cheap to clone.
#[derive(Clone)]
pub struct DataClient {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Environment,
    open: OpenBlobs,
    destination: Arc<Destination>,
    replicas: ReplicaReads,
    budget: ReadBudget,
    options: DataOptions,
}

impl DataClient {
    fn new(
        environment: Environment,
        open: OpenBlobs,
        destination: Destination,
        replicas: ReplicaReads,
        options: DataOptions,
    ) -> Self {
        let (destination, budget) = (Arc::new(destination), ReadBudget::new());
        Self { inner: Arc::new(Inner { environment, open, destination, replicas, budget, options }) }
    }

    /// Takes one uploaded body. The bytes of a writer that is dropped, or never committed, are swept later.
    pub fn blob_writer(&self, owner: OwnerKey) -> BlobWriter {
        let environment = &self.inner.environment;
        let blob = BlobId::new(owner, environment.clock.unix_ms(), environment.random.next_u64());
        let crowded = self.inner.open.writers() >= WRITERS_OF_FULL_CHUNKS_MAX;
        let options = if crowded { self.inner.options.with_smaller_chunks() } else { self.inner.options.clone() };
        BlobWriter::new(self.inner.destination.clone(), self.inner.open.register(blob), options)
    }

    /// The verified bytes `range` of `content`, which holds `bytes` in all. `Content::Parts` is resolved by the caller
    /// through the manifest. `NotFound`: the version was replaced or deleted since its record was read; read it again.
    pub fn read(&self, content: &Content, bytes: u64, range: Range<u64>) -> ContentStream {
        reader::read(&self.inner.replicas, &self.inner.budget, content, bytes, range)
    }
}
