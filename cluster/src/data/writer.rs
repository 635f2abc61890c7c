//! Blob writer: one uploaded body on its way to its replicas.
//! Owns: the cut into chunks, and what stays small enough to travel inside the command.
//! Does not own: which replicas there are, and who of them is waited for (`replicated_blob`).
//! Invariant: content given out by `finish` is durable (or travels inside the content itself).

mod destination;
mod local_blob;
mod quorum;
mod replica;
mod replicated_blob;

#[cfg(test)]
mod writer_test;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::DataOptions;
use super::blob_layout::BlobLayout;
use super::open_blobs::OpenBlob;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ChunkId;
use crate::metadata::command::NewContent;

pub use destination::Destination;
use local_blob::LocalBlob;
use replicated_blob::ReplicatedBlob;

/// Chunks of one body on their way to one replica at once: one is written while the next one fills, and one more so that
/// a slow write does not stop the socket. With the chunk that fills, a body holds at most three chunks in memory.
const APPENDS_IN_FLIGHT_MAX: usize = 2;
/// Chunk numbers are u32; the largest body (5 TiB) has far fewer, so this only guards the arithmetic.
const CHUNKS_MAX: u32 = u32::MAX;

pub struct BlobWriter {
    destination: Arc<Destination>,
    blob: OpenBlob,
    options: DataOptions,
    /// The chunk that fills.
    pending: Vec<Bytes>,
    pending_bytes: usize,
    bytes: u64,
    next_chunk: u32,
    /// `None` while the body may still stay inline.
    way: Option<Way>,
}

enum Way {
    Local(LocalBlob),
    Replicated(Box<ReplicatedBlob>),
}

impl BlobWriter {
    pub(super) fn new(destination: Arc<Destination>, blob: OpenBlob, options: DataOptions) -> Self {
        Self { destination, blob, options, pending: Vec::new(), pending_bytes: 0, bytes: 0, next_chunk: 0, way: None }
    }

    /// Waits while too many chunks of this body are on their way. After an error the writer is of no more use.
    pub async fn push(&mut self, bytes: Bytes) -> Result<()> {
        let chunk_bytes = self.options.chunk_bytes as usize;
        let mut rest = bytes;
        self.bytes += rest.len() as u64;
        if !self.may_stay_inline() {
            // Before a chunk is full: a body that nobody can take is refused at its first bytes.
            self.begin()?;
        }
        while self.pending_bytes + rest.len() >= chunk_bytes {
            let piece = rest.split_to(chunk_bytes - self.pending_bytes);
            self.keep(piece);
            self.append_pending().await?;
        }
        self.keep(rest);
        Ok(())
    }

    /// Everything pushed is durable when this returns, or travels inside the content. To be committed at once: the
    /// grace period of the sweep runs.
    pub async fn finish(mut self) -> Result<NewContent> {
        if self.bytes == 0 {
            return Ok(NewContent::empty());
        }
        let blob = self.blob.id();
        if self.may_stay_inline() {
            return Ok(NewContent::inline(blob, join(std::mem::take(&mut self.pending), self.pending_bytes)));
        }
        if self.pending_bytes > 0 {
            self.append_pending().await?;
        }
        let chunk_bytes = self.options.chunk_bytes;
        let layout = BlobLayout { blob, bytes: self.bytes, chunk_bytes };
        self.begin()?;
        let synced_on = match self.way.take() {
            Some(Way::Local(way)) => {
                way.finish().await?;
                vec![self.destination.node()]
            }
            Some(Way::Replicated(way)) => way.finish(layout).await?,
            None => return Err(Error::new(ErrorKind::Internal, "a body that went nowhere")),
        };
        Ok(NewContent::blob(blob, self.bytes, chunk_bytes, synced_on))
    }

    fn may_stay_inline(&self) -> bool {
        self.bytes <= u64::from(self.options.inline_bytes_max)
    }

    /// The way to the replicas of this moment.
    fn begin(&mut self) -> Result<&mut Way> {
        if self.way.is_none() {
            let set = self.destination.set_of_owner(self.blob.id().owner())?;
            self.way = Some(match self.destination.only_here(&set) {
                Some(chunks) => Way::Local(LocalBlob::new(chunks)),
                None => Way::Replicated(Box::new(ReplicatedBlob::begin(self.destination.clone(), set)?)),
            });
        }
        self.way.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "a body that goes nowhere"))
    }

    fn keep(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.pending_bytes += piece.len();
            self.pending.push(piece);
        }
    }

    async fn append_pending(&mut self) -> Result<()> {
        if self.next_chunk == CHUNKS_MAX {
            return Err(Error::new(ErrorKind::Internal, "a body of more chunks than can be numbered"));
        }
        let chunk: ChunkId = self.blob.id().chunk(self.next_chunk);
        self.next_chunk += 1;
        self.pending_bytes = 0;
        let payload = std::mem::take(&mut self.pending);
        match self.begin()? {
            Way::Local(way) => way.append(chunk, payload).await,
            Way::Replicated(way) => way.append(chunk, payload).await,
        }
    }
}

fn join(mut pieces: Vec<Bytes>, bytes: usize) -> Bytes {
    if pieces.len() == 1 {
        return pieces.remove(0);
    }
    let mut joined = BytesMut::with_capacity(bytes);
    pieces.iter().for_each(|piece| joined.extend_from_slice(piece));
    joined.freeze()
}
