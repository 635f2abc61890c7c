//! Replica reads: bytes of a group's replicas, from the best of them that has them.
//! Owns: the order in which replicas are asked, when a slow one is not waited for, and what it means that none has the bytes.
//! Does not own: verification: the local store verifies what it reads, `remote_chunks` what comes from others.
//! Invariant: a replica that does not have the bytes is never taken as proof that they are gone, while others were not asked.

#[cfg(test)]
mod replica_reads_test;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio::sync::Semaphore;

use super::chunk_message::ChunkPiece;
use super::counters::Counters;
use super::hedge::{Attempt, Fault, first_good};
use super::remote_chunks::RemoteChunks;
use super::repair::RepairQueue;
use super::replica_set::{ReplicaMapWatch, ReplicaSet};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, NodeId, OwnerKey};
use crate::metadata::majority;

/// A source that is slower than this, or than four round trips, is not waited for alone.
const PATIENCE_MIN: Duration = Duration::from_millis(50);
const PATIENCE_ROUND_TRIPS: u32 = 4;
/// Reads that ask a second source early, at a time: when everything is slow, asking twice makes it worse.
const HEDGES_MAX: usize = 32;

/// Cheap to clone.
#[derive(Clone)]
pub struct ReplicaReads {
    inner: Arc<Inner>,
}

struct Inner {
    node: NodeId,
    chunks: ChunkStore,
    metadata: MetadataStore,
    remote: RemoteChunks,
    replicas: ReplicaMapWatch,
    repairs: RepairQueue,
    counters: Arc<Counters>,
    hedges: Arc<Semaphore>,
}

pub struct ReplicaReadsOptions {
    pub node: NodeId,
    pub chunks: ChunkStore,
    pub metadata: MetadataStore,
    pub remote: RemoteChunks,
    pub replicas: ReplicaMapWatch,
    pub repairs: RepairQueue,
    pub counters: Arc<Counters>,
}

impl ReplicaReads {
    pub fn new(options: ReplicaReadsOptions) -> Self {
        let ReplicaReadsOptions { node, chunks, metadata, remote, replicas, repairs, counters } = options;
        let hedges = Arc::new(Semaphore::new(HEDGES_MAX));
        Self { inner: Arc::new(Inner { node, chunks, metadata, remote, replicas, repairs, counters, hedges }) }
    }

    /// Verified bytes of a chunk. A local copy that turns out to be bad or missing is repaired.
    pub async fn chunk(&self, chunk: ChunkId, range: Range<u32>) -> Result<Bytes> {
        let inner = &self.inner;
        let set = inner.set_of(chunk.blob().owner())?;
        if set.is_only(inner.node) {
            return Ok(inner.chunks.read(chunk, range).await?);
        }
        let piece = ChunkPiece::of_range(chunk, range.clone());
        let attempts = inner.attempts(&set, |node| inner.chunk_at(node, chunk, range.clone(), piece.clone()));
        match inner.first_good(attempts).await {
            Ok((bytes, from, faults)) => {
                if from != inner.node {
                    inner.counters.count_remote_read();
                }
                let bad_here = |fault: &Fault| {
                    fault.node == inner.node && matches!(fault.error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt)
                };
                if faults.iter().any(bad_here) {
                    inner.counters.count_bad_local_read();
                    inner.repairs.add_damaged(chunk);
                }
                Ok(bytes)
            }
            Err(faults) => Err(failure(&set, faults, || format!("read chunk {chunk:?}"))),
        }
    }

    /// The payload of a small object.
    pub async fn inline(&self, blob: BlobId) -> Result<Bytes> {
        let inner = &self.inner;
        let set = inner.set_of(blob.owner())?;
        if set.is_only(inner.node) {
            return inline_here(inner.metadata.clone(), blob).await;
        }
        match inner.first_good(inner.attempts(&set, |node| inner.inline_at(node, blob))).await {
            Ok((payload, ..)) => Ok(payload),
            Err(faults) => Err(failure(&set, faults, || format!("read inline payload {blob:?}"))),
        }
    }
}

impl Inner {
    fn set_of(&self, owner: OwnerKey) -> Result<Arc<ReplicaSet>> {
        self.replicas.borrow().set_of_owner(owner)
    }

    /// This node first, then the others by how soon they are likely to answer.
    fn attempts<T>(&self, set: &ReplicaSet, work: impl Fn(NodeId) -> BoxFuture<'static, Result<T>>) -> Vec<Attempt<T>> {
        let here = set.contains(self.node).then_some(self.node);
        let others = self.remote.by_distance(set.members().filter(|node| *node != self.node));
        here.into_iter().chain(others).map(|node| Attempt { node, work: work(node) }).collect()
    }

    async fn first_good<T>(
        &self,
        attempts: Vec<Attempt<T>>,
    ) -> std::result::Result<(T, NodeId, Vec<Fault>), Vec<Fault>> {
        let nearest = attempts.iter().filter_map(|attempt| self.remote.round_trip(attempt.node)).min();
        let patience = PATIENCE_MIN.max(nearest.unwrap_or_default() * PATIENCE_ROUND_TRIPS);
        let mut permits = Vec::new();
        let hedged = first_good(attempts, || {
            permits.push(self.hedges.clone().try_acquire_owned().ok()?);
            Some(patience)
        });
        hedged.await
    }

    fn chunk_at(
        &self,
        node: NodeId,
        chunk: ChunkId,
        range: Range<u32>,
        piece: ChunkPiece,
    ) -> BoxFuture<'static, Result<Bytes>> {
        if node == self.node {
            let chunks = self.chunks.clone();
            return Box::pin(async move { Ok(chunks.read(chunk, range).await?) });
        }
        let remote = self.remote.clone();
        Box::pin(async move { remote.read(node, &piece).await })
    }

    fn inline_at(&self, node: NodeId, blob: BlobId) -> BoxFuture<'static, Result<Bytes>> {
        if node == self.node {
            return Box::pin(inline_here(self.metadata.clone(), blob));
        }
        let remote = self.remote.clone();
        Box::pin(async move { remote.read_inline(node, blob).await })
    }
}

async fn inline_here(metadata: MetadataStore, blob: BlobId) -> Result<Bytes> {
    let gone = || Error::new(ErrorKind::NotFound, format!("inline payload {blob:?} is gone"));
    metadata.inline_payload(blob).await?.ok_or_else(gone)
}

/// What it means that no replica gave the bytes.
fn failure(set: &ReplicaSet, faults: Vec<Fault>, what: impl Fn() -> String) -> Error {
    let kinds: Vec<(NodeId, ErrorKind)> = faults.iter().map(|fault| (fault.node, fault.error.kind())).collect();
    let kind = verdict(&set.voters, &kinds);
    match faults.into_iter().next() {
        Some(first) => {
            Error::caused_by(kind, format!("{}: no replica gave it; node {}", what(), first.node.0), first.error)
        }
        None => Error::new(kind, format!("{}: it has no replica", what())),
    }
}

/// Pure. What is acknowledged is on a majority of the voters, so if a majority does not have it, it was deleted.
fn verdict(voters: &[NodeId], faults: &[(NodeId, ErrorKind)]) -> ErrorKind {
    let has_not = |voter: &&NodeId| faults.contains(&(**voter, ErrorKind::NotFound));
    if voters.iter().filter(has_not).count() >= majority(voters.len()) {
        return ErrorKind::NotFound;
    }
    match faults.split_first() {
        // A drive that failed here is this node's trouble, but the same everywhere is everybody's.
        Some(((_, ErrorKind::Internal), rest)) if rest.iter().all(|(_, kind)| *kind == ErrorKind::Internal) => {
            ErrorKind::Internal
        }
        Some(_) if faults.iter().all(|(_, kind)| matches!(kind, ErrorKind::NotFound | ErrorKind::Corrupt)) => {
            ErrorKind::Corrupt
        }
        // Somebody who may have good bytes could not be asked.
        _ => ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use ErrorKind::{Corrupt, Internal, NotFound, OutcomeUnknown, Unavailable};

    use super::*;

    #[test]
    fn gone_is_what_a_majority_does_not_have() {
        for (kinds, expected) in [
            ([NotFound, NotFound, NotFound], NotFound),
            ([NotFound, NotFound, Unavailable], NotFound),
            ([NotFound, NotFound, Corrupt], NotFound),
            ([NotFound, Unavailable, OutcomeUnknown], Unavailable),
            ([NotFound, Corrupt, Unavailable], Unavailable),
            ([NotFound, Corrupt, Corrupt], Corrupt),
            ([Corrupt, Corrupt, Internal], Unavailable),
            ([Internal, Internal, Internal], Internal),
        ] {
            let voters = [NodeId(1), NodeId(2), NodeId(3)];
            let faults: Vec<_> = voters.into_iter().zip(kinds).collect();
            assert_eq!(verdict(&voters, &faults), expected, "{kinds:?}");
        }
        assert_eq!(verdict(&[NodeId(1)], &[(NodeId(1), Corrupt)]), Corrupt);
        assert_eq!(verdict(&[NodeId(1)], &[]), Unavailable);
    }
}
