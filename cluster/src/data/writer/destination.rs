//! Destination: where the bodies of this node go.
//! Owns: which replicas an owner has at this moment, and how each of them is reached.

use std::sync::Arc;

use onggi_storage_engine::chunk_store::ChunkStore;
use tokio::sync::Semaphore;

use super::replica::Replica;
use crate::data::counters::Counters;
use crate::data::remote_chunks::RemoteChunks;
use crate::data::replica_set::{ReplicaMapWatch, ReplicaSet};
use crate::error::Result;
use crate::id::{GroupId, NodeId, OwnerKey};

/// Bodies that were answered for and still bring a slow replica its last chunks: two each, so this bounds them to 2 GiB of the
/// largest, and 512 MiB of the usual ones. Beyond, slow replicas are left to repair at once.
const BACKGROUND_BODIES_MAX: usize = 64;

pub struct Destination {
    node: NodeId,
    chunks: ChunkStore,
    remote: RemoteChunks,
    replicas: ReplicaMapWatch,
    pub counters: Arc<Counters>,
    pub background: Arc<Semaphore>,
}

impl Destination {
    pub fn new(
        node: NodeId,
        chunks: ChunkStore,
        remote: RemoteChunks,
        replicas: ReplicaMapWatch,
        counters: Arc<Counters>,
    ) -> Self {
        let background = Arc::new(Semaphore::new(BACKGROUND_BODIES_MAX));
        Self { node, chunks, remote, replicas, counters, background }
    }

    pub fn set_of_owner(&self, owner: OwnerKey) -> Result<Arc<ReplicaSet>> {
        self.replicas.borrow().set_of_owner(owner)
    }

    pub fn set_of_group(&self, group: GroupId) -> Result<Arc<ReplicaSet>> {
        self.replicas.borrow().set_of_group(group)
    }

    /// This node's own store, if it is the only replica.
    pub fn only_here(&self, set: &ReplicaSet) -> Option<ChunkStore> {
        set.is_only(self.node).then(|| self.chunks.clone())
    }

    pub fn node(&self) -> NodeId {
        self.node
    }

    pub fn replica(&self, node: NodeId) -> Replica {
        if node == self.node {
            return Replica::Local(self.chunks.clone());
        }
        Replica::Remote { node, chunks: self.remote.clone() }
    }
}
