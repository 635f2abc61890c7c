//! Reader: a range of a blob as a stream of verified pieces.
//! Owns: the size of the pieces, and the memory that all readers of the node share for reading ahead.
//! Does not own: which replica the bytes come from, and their verification (`replica_reads`).

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::replica_reads::ReplicaReads;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::metadata::record::Content;

pub type ContentStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A large piece: few hops between threads per byte. Needs a permit.
const PIECE_BYTES: u64 = 1024 * 1024;
/// A small piece: half a block of an extent (its checksum covers 64 KiB, so each block is read twice), in memory of its own. Needs no permit.
const SMALL_PIECE_BYTES: u64 = 32 * 1024;
/// Large pieces in memory, all readers together: 32 MiB. A reader without a permit goes on in small pieces, so a thousand
/// slow readers hold this and two small pieces each.
const LARGE_PIECES_MAX: usize = 32;

/// The permits for large pieces. Cheap to clone.
#[derive(Clone)]
pub struct ReadBudget(Arc<Semaphore>);

impl ReadBudget {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_PIECES_MAX)))
    }

    fn try_large_piece(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

pub(super) fn read(
    replicas: &ReplicaReads,
    budget: &ReadBudget,
    content: &Content,
    bytes: u64,
    range: Range<u64>,
) -> ContentStream {
    if range.start > range.end || range.end > bytes {
        return failed(ErrorKind::Internal, format!("read {range:?} of a content of {bytes} bytes"));
    }
    match content {
        _ if range.is_empty() => Box::pin(stream::empty()),
        Content::Empty => failed(ErrorKind::Corrupt, format!("an empty content of {bytes} bytes")),
        Content::Parts { .. } => failed(ErrorKind::Internal, "parts are read one by one, through the manifest".into()),
        Content::Inline { blob } => Box::pin(stream::once(read_inline(replicas.clone(), *blob, bytes, range))),
        Content::Blob { chunk_bytes: 0, .. } => failed(ErrorKind::Corrupt, "a blob with chunks of 0 bytes".into()),
        Content::Blob { blob, chunk_bytes } => {
            let read = BlobRead {
                replicas: replicas.clone(),
                budget: budget.clone(),
                blob: *blob,
                chunk_bytes: u64::from(*chunk_bytes),
                next: range.start,
                end: range.end,
                ahead: None,
            };
            Box::pin(stream::unfold(read, BlobRead::next_piece))
        }
    }
}

fn failed(kind: ErrorKind, context: String) -> ContentStream {
    Box::pin(stream::iter([Err(Error::new(kind, context))]))
}

async fn read_inline(replicas: ReplicaReads, blob: BlobId, bytes: u64, range: Range<u64>) -> Result<Bytes> {
    let payload = replicas.inline(blob).await?;
    if payload.len() as u64 != bytes {
        let context = format!("inline payload {blob:?} has {} bytes, not {bytes}", payload.len());
        return Err(Error::new(ErrorKind::Corrupt, context));
    }
    Ok(payload.slice(range.start as usize..range.end as usize))
}

struct BlobRead {
    replicas: ReplicaReads,
    budget: ReadBudget,
    blob: BlobId,
    chunk_bytes: u64,
    next: u64,
    end: u64,
    /// At most one piece is read ahead.
    ahead: Option<Piece>,
}

struct Piece {
    bytes: u64,
    read: JoinHandle<Result<Bytes>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl BlobRead {
    async fn next_piece(mut self) -> Option<(Result<Bytes>, Self)> {
        let piece = match self.ahead.take() {
            Some(piece) => piece,
            None if self.next >= self.end => return None,
            None => {
                let permit = self.budget.try_large_piece();
                self.start_piece(permit)
            }
        };
        if self.next < self.end
            && let Some(permit) = self.budget.try_large_piece()
        {
            self.ahead = Some(self.start_piece(Some(permit)));
        }
        let result = piece.finish().await;
        if result.is_err() {
            // The stream ends behind an error.
            (self.next, self.ahead) = (self.end, None);
        }
        Some((result, self))
    }

    fn start_piece(&mut self, permit: Option<OwnedSemaphorePermit>) -> Piece {
        let (number, offset) = (self.next / self.chunk_bytes, self.next % self.chunk_bytes);
        let piece_bytes = if permit.is_some() { PIECE_BYTES } else { SMALL_PIECE_BYTES };
        // Up to the next multiple of the piece's size, so that only the first piece may begin inside a block.
        let to_boundary = piece_bytes - offset % piece_bytes;
        let bytes = to_boundary.min(self.chunk_bytes - offset).min(self.end - self.next);
        self.next += bytes;
        // A chunk number fits: a blob of more than u32::MAX chunks cannot be written (`BlobWriter`).
        let id = self.blob.chunk(number as u32);
        let range = offset as u32..(offset + bytes) as u32;
        let replicas = self.replicas.clone();
        Piece { bytes, read: tokio::spawn(async move { replicas.chunk(id, range).await }), permit }
    }
}

impl Piece {
    async fn finish(self) -> Result<Bytes> {
        let bytes = self.read.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "read chunk", panic))??;
        if bytes.len() as u64 != self.bytes {
            let context = format!("read chunk: {} bytes came, {} were asked for", bytes.len(), self.bytes);
            return Err(Error::new(ErrorKind::Corrupt, context));
        }
        match self.permit {
            Some(permit) => Ok(Bytes::from_owner(LargePiece { bytes, _permit: permit })),
            // Not a slice of the whole block, which it would keep in memory.
            None => Ok(Bytes::copy_from_slice(&bytes)),
        }
    }
}

/// Bytes whose permit is given back with their memory: whoever asks for the next piece may still hold the last one, as a
/// connection does until its client has read it.
struct LargePiece {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for LargePiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
