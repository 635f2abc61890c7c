//! Object bytes: the way to their replicas and back (docs/replication.md).
//! Owns: cutting bodies into chunks, reading them back verified, and freeing blobs that nothing names.
//! Does not own: where a chunk lies on the drive (storage engine), what a version names (`metadata`).

mod backfills;
mod blob_changes;
mod blob_layout;
mod chunk_message;
mod counters;
mod departed_groups;
mod fill_report;
mod freed_blobs;
mod group_state;
mod hedge;
mod inbound;
mod node;
mod open_blobs;
mod passes;
mod rate_meter;
mod reader;
mod received_blobs;
mod remote_chunks;
mod repair;
mod replica_reads;
mod replica_set;
mod sweep;
mod writer;

#[cfg(test)]
pub(crate) mod faulty_disk;
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
pub use fill_report::{FillReport, GroupFill, ask as ask_fill_report};
pub use group_state::{GroupState, GroupStates};
pub use node::{DataNode, DataNodeOptions};
#[cfg(test)]
pub use passes::Walk;
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
    /// The chunk size of one more body beside `writers` others. A body holds up to three chunks in memory, so the more bodies there are the
    /// smaller are the chunks of a new one: 64 of them hold 144 MiB, with chunks of 4 MiB they would hold 768.
    fn beside(&self, writers: usize) -> Self {
        let crowd = (writers / WRITERS_OF_FULL_CHUNKS_MAX + 1).next_power_of_two() as u32;
        let least = CHUNK_BYTES_MIN.max(self.inline_bytes_max + 1).min(self.chunk_bytes);
        Self { chunk_bytes: (self.chunk_bytes / crowd.max(1)).max(least), ..self.clone() }
    }
}

/// Bodies at once that are cut into chunks of the full size.
const WRITERS_OF_FULL_CHUNKS_MAX: usize = 4;
/// Below it the work for each chunk (a hop, an entry of the index) weighs more than the memory that is saved.
const CHUNK_BYTES_MIN: u32 = 256 * 1024;

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
        let options = self.inner.options.beside(self.inner.open.writers());
        BlobWriter::new(self.inner.destination.clone(), self.inner.open.register(blob), options)
    }

    /// The verified bytes `range` of `content`, which holds `bytes` in all. `Content::Parts` is resolved by the caller
    /// through the manifest. `NotFound`: the version was replaced or deleted since its record was read; read it again.
    pub fn read(&self, content: &Content, bytes: u64, range: Range<u64>) -> ContentStream {
        reader::read(&self.inner.replicas, &self.inner.budget, content, bytes, range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_shrink_with_the_number_of_bodies() {
        let options = DataOptions { inline_bytes_max: 32 << 10, chunk_bytes: 4 << 20 };
        let sizes: Vec<u32> = [0, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 10_000]
            .map(|writers| options.beside(writers).chunk_bytes >> 10)
            .into();
        assert_eq!(sizes, [4096, 4096, 2048, 2048, 1024, 1024, 512, 512, 256, 256, 256, 256]);
        let held: u64 = (0..64).map(|writers| 3 * u64::from(options.beside(writers).chunk_bytes)).sum();
        assert_eq!(held >> 20, 144);
        let tiny = DataOptions { inline_bytes_max: 300 << 10, chunk_bytes: 64 << 10 };
        assert_eq!(tiny.beside(100).chunk_bytes, 64 << 10);
    }
}
