//! Remote chunks: the chunks of other nodes, as if they were at hand.
//! Owns: how long a call may take, and how many bytes of bodies are on their way to one node.
//! Does not own: connections (`peer`), which node to ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::blob_layout::BlobLayout;
use super::chunk_message::{self as message, ChunkPiece};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, NodeId};
use crate::peer::{Method, Peers};

/// A drive that takes longer for one chunk is as good as down.
const APPEND_LIMIT: Duration = Duration::from_secs(10);
/// A sync may stand behind many others.
const SYNC_LIMIT: Duration = Duration::from_secs(20);
const READ_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of bodies on their way to one node, all bodies together: what a node that has stopped reading can pin in memory here.
const APPENDING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// In which the bound is counted.
const PERMIT_BYTES: usize = 64 * 1024;

/// Cheap to clone.
#[derive(Clone)]
pub struct RemoteChunks {
    peers: Peers,
    room: Arc<Mutex<BTreeMap<NodeId, Arc<Semaphore>>>>,
}

impl RemoteChunks {
    pub fn new(peers: Peers) -> Self {
        Self { peers, room: Arc::default() }
    }

    pub fn is_up(&self, node: NodeId) -> bool {
        self.peers.is_up(node)
    }

    pub fn round_trip(&self, node: NodeId) -> Option<Duration> {
        self.peers.round_trip(node)
    }

    /// Those that are up first, the near ones before the far ones.
    pub fn by_distance(&self, nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = nodes.collect();
        nodes.sort_by_cached_key(|node| (!self.is_up(*node), self.round_trip(*node).unwrap_or(Duration::MAX)));
        nodes
    }

    /// Waits while too much is on its way to the node. Stored there, but durable only after `sync`.
    pub async fn append(&self, node: NodeId, chunk: ChunkId, checksum: u32, payload: &[Bytes]) -> Result<()> {
        let bytes: usize = payload.iter().map(Bytes::len).sum();
        let permits = bytes.div_ceil(PERMIT_BYTES).min(APPENDING_BYTES_MAX / PERMIT_BYTES) as u32;
        let room = self.room_to(node);
        let closed = |error| Error::caused_by(ErrorKind::Internal, "append chunk", error);
        let _permit = room.acquire_many(permits).await.map_err(closed)?;
        let request = message::append_request(chunk, checksum, payload);
        self.peers.call(node, Method::CHUNK_APPEND, request, APPEND_LIMIT).await.map(drop)
    }

    /// The node has all chunks of the blob, durable.
    pub async fn sync(&self, node: NodeId, layout: BlobLayout) -> Result<()> {
        self.peers.call(node, Method::CHUNK_SYNC, message::sync_request(&layout), SYNC_LIMIT).await.map(drop)
    }

    /// Verified bytes.
    pub async fn read(&self, node: NodeId, piece: &ChunkPiece) -> Result<Bytes> {
        let answer = self.peers.call(node, Method::CHUNK_READ, message::read_request(piece), READ_LIMIT).await?;
        message::read_read_answer(piece, &answer)
    }

    /// Verified bytes.
    pub async fn read_inline(&self, node: NodeId, blob: BlobId) -> Result<Bytes> {
        let answer = self.peers.call(node, Method::INLINE_READ, message::inline_request(blob), READ_LIMIT).await?;
        message::read_inline_answer(blob, &answer)
    }

    fn room_to(&self, node: NodeId) -> Arc<Semaphore> {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Semaphore::new(APPENDING_BYTES_MAX / PERMIT_BYTES));
        room.entry(node).or_insert_with(fresh).clone()
    }
}
