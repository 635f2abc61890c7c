//! Inbound: what this node does with chunks for other nodes: takes them in, makes them durable, gives them out.
//! Owns: the handlers of the chunk methods, and how much of this they do at a time.
//! Does not own: why a chunk is sent here (the writer of another node), who may call (`peer`).
//! Invariant: an append is acknowledged only after the bytes were verified; a sync only if every chunk of the blob is durable here.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::chunk_store::ChunkStore;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio::sync::Semaphore;

use super::chunk_message as message;
use super::counters::Counters;
use super::received_blobs::ReceivedBlobs;
use crate::error::{Error, ErrorKind, Result};
use crate::peer::{Caller, Handler, Handlers, Method, Payload};

/// Appends at a time; each holds its chunk in memory, so more are refused rather than queued. The senders' own bounds
/// (`remote_chunks`) keep a few nodes far below this.
const APPENDS_MAX: usize = 256;
/// Reads at a time; more wait, holding nothing.
const READS_MAX: usize = 64;

/// Cheap to clone.
#[derive(Clone)]
pub struct Inbound {
    inner: Arc<Inner>,
}

struct Inner {
    chunks: ChunkStore,
    metadata: MetadataStore,
    received: ReceivedBlobs,
    counters: Arc<Counters>,
    appends: Semaphore,
    reads: Semaphore,
}

impl Inbound {
    pub fn new(chunks: ChunkStore, metadata: MetadataStore, received: ReceivedBlobs, counters: Arc<Counters>) -> Self {
        let (appends, reads) = (Semaphore::new(APPENDS_MAX), Semaphore::new(READS_MAX));
        Self { inner: Arc::new(Inner { chunks, metadata, received, counters, appends, reads }) }
    }

    pub fn handlers(&self, handlers: Handlers) -> Handlers {
        handlers
            .with(Method::CHUNK_APPEND, self.serve(|inner, request| Box::pin(inner.append(request))))
            .with(Method::CHUNK_SYNC, self.serve(|inner, request| Box::pin(inner.sync(request))))
            .with(Method::CHUNK_READ, self.serve(|inner, request| Box::pin(inner.read(request))))
            .with(Method::INLINE_READ, self.serve(|inner, request| Box::pin(inner.read_inline(request))))
    }

    fn serve(&self, work: fn(Arc<Inner>, Bytes) -> BoxFuture<'static, Result<Payload>>) -> impl Handler {
        let inner = self.inner.clone();
        move |_from: Caller, request: Bytes| work(inner.clone(), request)
    }
}

impl Inner {
    /// Idempotent: a chunk that is here with its full length is not written again.
    async fn append(self: Arc<Self>, request: Bytes) -> Result<Payload> {
        let Ok(_permit) = self.appends.try_acquire() else {
            return Err(Error::new(ErrorKind::Overloaded, "too many chunks are being received"));
        };
        let (chunk, payload) = message::read_append_request(request)?;
        self.received.touch(chunk.blob())?;
        if self.received.has(chunk) || self.is_durable(chunk, payload.len()).await? {
            return Ok(Vec::new());
        }
        let bytes = payload.len() as u64;
        let appended = self.chunks.append(chunk, vec![payload]).await?;
        self.received.appended(appended);
        // Once more: the drive may have taken its time.
        self.received.touch(chunk.blob())?;
        self.counters.count_received_chunk(bytes);
        Ok(Vec::new())
    }

    /// From before a restart of this node, or synced early.
    async fn is_durable(&self, chunk: crate::id::ChunkId, bytes: usize) -> Result<bool> {
        if chunk.number() == 0 || !self.received.unsynced(chunk.blob()).is_empty() {
            // The usual case, without a look at the index: a blob's chunks come one after the other, each once.
            return Ok(false);
        }
        let stored = self.chunks.chunks_of(vec![chunk.blob()]).await?;
        Ok(stored.iter().flatten().any(|stored| *stored == (chunk.number(), bytes as u32)))
    }

    async fn sync(self: Arc<Self>, request: Bytes) -> Result<Payload> {
        let layout = message::read_sync_request(&request)?;
        self.received.touch(layout.blob)?;
        self.chunks.sync(&self.received.unsynced(layout.blob)).await?;
        // Of what was appended before a restart of this node, the index knows what is durable.
        let stored = self.chunks.chunks_of(vec![layout.blob]).await?;
        let missing = stored.first().map_or(layout.chunks() as usize, |stored| layout.missing(stored).len());
        if missing > 0 {
            let context = format!("{missing} of {} chunks of {:?} are not here", layout.chunks(), layout.blob);
            return Err(Error::new(ErrorKind::NotFound, context));
        }
        self.received.close(layout.blob);
        Ok(Vec::new())
    }

    async fn read(self: Arc<Self>, request: Bytes) -> Result<Payload> {
        let piece = message::read_read_request(&request)?;
        let _permit = self.reads.acquire().await.map_err(closed)?;
        let bytes = match piece.end {
            Some(end) => self.chunks.read(piece.chunk, piece.start..end).await?,
            None => self.chunks.read_from(piece.chunk, piece.start).await?,
        };
        Ok(message::read_answer(&piece, bytes))
    }

    async fn read_inline(self: Arc<Self>, request: Bytes) -> Result<Payload> {
        let blob = message::read_inline_request(&request)?;
        let _permit = self.reads.acquire().await.map_err(closed)?;
        let gone = || Error::new(ErrorKind::NotFound, format!("inline payload {blob:?} is not here"));
        let payload = self.metadata.inline_payload(blob).await?.ok_or_else(gone)?;
        Ok(message::inline_answer(blob, payload))
    }
}

fn closed(error: tokio::sync::AcquireError) -> Error {
    Error::caused_by(ErrorKind::Internal, "serve a chunk", error)
}
