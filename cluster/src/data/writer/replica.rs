//! Replica: one node's part in one body.
//! Owns: the way to its chunk store, near or far, and one more try where that is harmless.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::chunk_store::{Appended, ChunkStore};

use crate::data::blob_layout::BlobLayout;
use crate::data::chunk_message;
use crate::data::remote_chunks::RemoteChunks;
use crate::error::{ErrorKind, Result};
use crate::id::{ChunkId, NodeId};

/// Before a chunk is sent again. An append is idempotent on the other side; once more covers a connection that broke.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone)]
pub enum Replica {
    Local(ChunkStore),
    Remote { node: NodeId, chunks: RemoteChunks },
}

/// A chunk on its way to several replicas, which share its bytes.
pub struct Chunk {
    id: ChunkId,
    payload: Vec<Bytes>,
    /// Computed by whoever needs it first, beside the body's own task.
    checksum: OnceLock<u32>,
}

impl Chunk {
    pub fn new(id: ChunkId, payload: Vec<Bytes>) -> Arc<Self> {
        Arc::new(Self { id, payload, checksum: OnceLock::new() })
    }

    fn checksum(&self) -> u32 {
        *self.checksum.get_or_init(|| chunk_message::chunk_checksum(self.id, &self.payload))
    }
}

impl Replica {
    /// What a local replica needs for its sync; a remote one remembers it there.
    pub async fn append(self, chunk: Arc<Chunk>) -> Result<Option<Appended>> {
        match self {
            Self::Local(chunks) => Ok(Some(chunks.append(chunk.id, chunk.payload.clone()).await?)),
            Self::Remote { node, chunks } => {
                let first = chunks.append(node, chunk.id, chunk.checksum(), &chunk.payload).await;
                match first.as_ref().map_err(|error| error.kind()) {
                    Err(ErrorKind::Unavailable | ErrorKind::Overloaded | ErrorKind::Corrupt) if chunks.is_up(node) => {
                        tokio::time::sleep(RETRY_PAUSE).await;
                        chunks.append(node, chunk.id, chunk.checksum(), &chunk.payload).await?;
                    }
                    _ => first?,
                }
                Ok(None)
            }
        }
    }

    /// `appended` is what `append` gave for all chunks.
    pub async fn sync(self, layout: BlobLayout, appended: Vec<Appended>) -> Result<()> {
        match self {
            Self::Local(chunks) => Ok(chunks.sync(&appended).await?),
            Self::Remote { node, chunks } => chunks.sync(node, layout).await,
        }
    }

    /// A guess. This node is up.
    pub fn is_up(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Remote { node, chunks } => chunks.is_up(*node),
        }
    }
}
