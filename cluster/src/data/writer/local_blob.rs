//! Local blob: one body on its way to this node's drive alone.
//! Owns: how many of its chunks are on their way at a time, and one sync at the end.

use bytes::Bytes;
use onggi_storage_engine::chunk_store::{Appended, ChunkStore};
use onggi_storage_engine::error as engine;
use tokio::task::JoinSet;

use super::APPENDS_IN_FLIGHT_MAX;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ChunkId;

pub struct LocalBlob {
    chunks: ChunkStore,
    appends: JoinSet<engine::Result<Appended>>,
    appended: Vec<Appended>,
}

impl LocalBlob {
    pub fn new(chunks: ChunkStore) -> Self {
        Self { chunks, appends: JoinSet::new(), appended: Vec::new() }
    }

    /// Waits while too many chunks of this body are on their way.
    pub async fn append(&mut self, chunk: ChunkId, payload: Vec<Bytes>) -> Result<()> {
        self.wait_for_appends(APPENDS_IN_FLIGHT_MAX - 1).await?;
        let chunks = self.chunks.clone();
        self.appends.spawn(async move { chunks.append(chunk, payload).await });
        Ok(())
    }

    /// All chunks are durable when this returns.
    pub async fn finish(mut self) -> Result<()> {
        self.wait_for_appends(0).await?;
        Ok(self.chunks.sync(&self.appended).await?)
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

impl Drop for LocalBlob {
    fn drop(&mut self) {
        // An append is not cancel-safe; what is on its way ends by itself, and is swept.
        self.appends.detach_all();
    }
}
