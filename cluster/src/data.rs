//! Object bytes: the way to their replicas and back.
//! Owns: cutting bodies into chunks, reading them back verified, and freeing blobs that nothing names.
//! Does not own: where a chunk lies on the drive (storage engine), what a version names (`metadata`).

mod freed_blobs;
mod open_blobs;
mod reader;
mod sweep;
mod writer;

#[cfg(test)]
mod sweep_test;

use std::ops::Range;
use std::sync::Arc;

use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::metadata_store::MetadataStore;

pub use freed_blobs::{FreedBlobs, FreedQueue};
pub use open_blobs::OpenBlobs;
pub use reader::ContentStream;
pub use sweep::{SweepOptions, SweepStatus, Sweeper};
pub use writer::BlobWriter;

use reader::ReadBudget;

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
    chunks: ChunkStore,
    metadata: MetadataStore,
    environment: Environment,
    open: OpenBlobs,
    budget: ReadBudget,
    options: DataOptions,
}

impl DataClient {
    pub(crate) fn new(
        chunks: ChunkStore,
        metadata: MetadataStore,
        environment: Environment,
        open: OpenBlobs,
        options: DataOptions,
    ) -> Self {
        Self { inner: Arc::new(Inner { chunks, metadata, environment, open, budget: ReadBudget::new(), options }) }
    }

    /// Takes one uploaded body. The bytes of a writer that is dropped, or never committed, are swept later.
    pub fn blob_writer(&self, owner: OwnerKey) -> BlobWriter {
        let environment = &self.inner.environment;
        let blob = BlobId::new(owner, environment.clock.unix_ms(), environment.random.next_u64());
        let crowded = self.inner.open.count() >= WRITERS_OF_FULL_CHUNKS_MAX;
        let options = if crowded { self.inner.options.with_smaller_chunks() } else { self.inner.options.clone() };
        BlobWriter::new(self.inner.chunks.clone(), self.inner.open.register(blob), options)
    }

    /// The verified bytes `range` of `content`, which holds `bytes` in all. `Content::Parts` is resolved by the caller
    /// through the manifest. `NotFound`: the version was replaced or deleted since its record was read; read it again.
    pub fn read(&self, content: &Content, bytes: u64, range: Range<u64>) -> ContentStream {
        let Inner { chunks, metadata, budget, .. } = &*self.inner;
        reader::read(chunks, metadata, budget, content, bytes, range)
    }
}
