//! Blob writer: one uploaded body on its way to the drive.
//! Owns: the cut into chunks, and how many chunks of one body are on their way at a time.
//! Invariant: content given out by `finish` is durable (or travels inside the content itself).

use bytes::{Bytes, BytesMut};
use onggi_storage_engine::chunk_store::{Appended, ChunkStore};
use onggi_storage_engine::error as engine;
use tokio::task::JoinSet;

use super::DataOptions;
use super::open_blobs::OpenBlob;
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::command::NewContent;
use crate::metadata::record::Content;

/// Chunks of one body on their way to the drive at once: one is written while the next one fills, and one more so that
/// a slow write does not stop the socket. With the chunk that fills, a body holds at most three chunks in memory.
const APPENDS_IN_FLIGHT_MAX: usize = 2;
/// Chunk numbers are u32; the largest body (5 TiB) has far fewer, so this only guards the arithmetic.
const CHUNKS_MAX: u32 = u32::MAX;

pub struct BlobWriter {
    chunks: ChunkStore,
    blob: OpenBlob,
    options: DataOptions,
    /// The chunk that fills.
    pending: Vec<Bytes>,
    pending_bytes: usize,
    bytes: u64,
    next_chunk: u32,
    appends: JoinSet<engine::Result<Appended>>,
    appended: Vec<Appended>,
}

impl BlobWriter {
    pub(super) fn new(chunks: ChunkStore, blob: OpenBlob, options: DataOptions) -> Self {
        Self {
            chunks,
            blob,
            options,
            pending: Vec::new(),
            pending_bytes: 0,
            bytes: 0,
            next_chunk: 0,
            appends: JoinSet::new(),
            appended: Vec::new(),
        }
    }

    /// Waits while too many chunks of this body are on their way to the drive. After an error the writer is of no more use.
    pub async fn push(&mut self, bytes: Bytes) -> Result<()> {
        let chunk_bytes = self.options.chunk_bytes as usize;
        let mut rest = bytes;
        self.bytes += rest.len() as u64;
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
            return Ok(NewContent { bytes: 0, content: Content::Empty, inline: Bytes::new() });
        }
        let blob = self.blob.id();
        if self.next_chunk == 0 && self.bytes <= u64::from(self.options.inline_bytes_max) {
            let inline = join(std::mem::take(&mut self.pending), self.pending_bytes);
            return Ok(NewContent { bytes: self.bytes, content: Content::Inline { blob }, inline });
        }
        if self.pending_bytes > 0 {
            self.append_pending().await?;
        }
        self.wait_for_appends(0).await?;
        self.chunks.sync(&self.appended).await?;
        let content = Content::Blob { blob, chunk_bytes: self.options.chunk_bytes };
        Ok(NewContent { bytes: self.bytes, content, inline: Bytes::new() })
    }

    fn keep(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.pending_bytes += piece.len();
            self.pending.push(piece);
        }
    }

    async fn append_pending(&mut self) -> Result<()> {
        self.wait_for_appends(APPENDS_IN_FLIGHT_MAX - 1).await?;
        if self.next_chunk == CHUNKS_MAX {
            return Err(Error::new(ErrorKind::Internal, "a body of more chunks than can be numbered"));
        }
        let id = self.blob.id().chunk(self.next_chunk);
        self.next_chunk += 1;
        self.pending_bytes = 0;
        let payload = std::mem::take(&mut self.pending);
        let chunks = self.chunks.clone();
        self.appends.spawn(async move { chunks.append(id, payload).await });
        Ok(())
    }

    /// Waits until at most `in_flight_max` appends are left.
    async fn wait_for_appends(&mut self, in_flight_max: usize) -> Result<()> {
        while self.appends.len() > in_flight_max {
            let Some(done) = self.appends.join_next().await else { break };
            let appended = done.map_err(|panic| Error::caused_by(ErrorKind::Internal, "append chunk", panic))??;
            self.appended.push(appended);
        }
        Ok(())
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // An append is not cancel-safe; what is on its way ends by itself, and is swept.
        self.appends.detach_all();
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
