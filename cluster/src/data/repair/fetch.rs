//! Fetch: one chunk from whoever has it, verified, at the pace that repair may take.
//! Owns: whom to ask: the other replicas of the group first, then every node of the cluster, since one that left the group keeps
//! what it had for a while.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use onggi_storage_engine::chunk_store::RateLimit;
use tokio::time::Instant;

use crate::data::chunk_message::ChunkPiece;
use crate::data::remote_chunks::RemoteChunks;
use crate::data::replica_set::ReplicaMapWatch;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, NodeId};

pub struct Fetch {
    node: NodeId,
    remote: RemoteChunks,
    replicas: ReplicaMapWatch,
    limit: Mutex<RateLimit>,
}

impl Fetch {
    pub fn new(node: NodeId, remote: RemoteChunks, replicas: ReplicaMapWatch, bytes_per_second: u64) -> Self {
        let limit = Mutex::new(RateLimit::new(bytes_per_second, Instant::now()));
        Self { node, remote, replicas, limit }
    }

    /// Whether this node should have the blob at all.
    pub fn belongs_here(&self, blob: BlobId) -> Result<bool> {
        Ok(self.replicas.borrow().set_of_owner(blob.owner())?.contains(self.node))
    }

    /// Whether another node may have the blob, too.
    pub fn has_others(&self, blob: BlobId) -> bool {
        self.replicas.borrow().set_of_owner(blob.owner()).is_ok_and(|set| !set.is_only(self.node))
    }

    /// All of the chunk, which must have `bytes` if that is known. `Corrupt`: everybody was asked, and nobody has a good copy.
    pub async fn chunk(&self, chunk: ChunkId, bytes: Option<u32>) -> Result<Bytes> {
        let mut last = Error::new(ErrorKind::NotFound, "no other node");
        let mut all_answered = true;
        for node in self.sources(chunk)? {
            match self.remote.read(node, &ChunkPiece::whole(chunk)).await {
                Ok(payload) if bytes.is_none_or(|bytes| payload.len() as u64 == u64::from(bytes)) => {
                    self.keep_pace(payload.len()).await;
                    return Ok(payload);
                }
                Ok(payload) => {
                    let context = format!("node {} has {} bytes, not {bytes:?}", node.0, payload.len());
                    last = Error::new(ErrorKind::Corrupt, context);
                }
                Err(error) => {
                    all_answered &= matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt);
                    last = error;
                }
            }
        }
        let kind = if all_answered { ErrorKind::Corrupt } else { ErrorKind::Unavailable };
        Err(Error::caused_by(kind, format!("fetch chunk {chunk:?}"), last))
    }

    fn sources(&self, chunk: ChunkId) -> Result<Vec<NodeId>> {
        let map = self.replicas.borrow();
        let set = map.set_of_owner(chunk.blob().owner())?;
        let members = self.remote.by_distance(set.members().filter(|node| *node != self.node));
        let others = map.nodes().iter().copied().filter(|node| *node != self.node && !set.contains(*node));
        Ok(members.into_iter().chain(self.remote.by_distance(others)).collect())
    }

    /// Waits until what was fetched so far is within the rate.
    async fn keep_pace(&self, bytes: usize) {
        let free_at = self.limit.lock().unwrap_or_else(PoisonError::into_inner).charge(bytes as u64, Instant::now());
        tokio::time::sleep_until(free_at).await;
    }
}
