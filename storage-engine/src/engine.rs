//! The storage engine of one node: one drive, and the stores on it.
//! Owns: the order in which they open and close, and their background tasks.
//! Does not own: what is stored.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chunk_store::{ChunkStore, ChunkStoreOptions};
use crate::drive::{ClusterId, Drive, Reserve};
use crate::env::{Environment, spawn_blocking};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::log_store::{LogStore, LogStoreOptions};
use crate::metadata_store::MetadataStore;
use crate::rocks::{MemoryDatabase, Rocks, RocksOptions, RocksStatus};

#[derive(Clone, Debug)]
pub struct EngineOptions {
    pub data_dir: PathBuf,
    /// Refuse a drive of another cluster; a new drive without it founds its own.
    pub cluster: Option<ClusterId>,
    pub reserve: Reserve,
    pub rocks: RocksOptions,
    pub log_store: LogStoreOptions,
    /// The directory and drive of the chunk store follow from the data directory.
    pub chunk_store: ChunkStoreOptions,
}

impl EngineOptions {
    pub fn new(data_dir: PathBuf) -> Self {
        let reserve = Reserve::default();
        let mut chunk_store = ChunkStoreOptions::new(data_dir.join("extents"), [0; 16]);
        chunk_store.reserve_bytes = reserve.store_bytes;
        Self {
            data_dir,
            cluster: None,
            reserve,
            rocks: RocksOptions::default(),
            log_store: LogStoreOptions::default(),
            chunk_store,
        }
    }
}

pub struct StorageEngine {
    environment: Environment,
    snapshots_directory: PathBuf,
    rocks: Rocks,
    log_store: LogStore,
    metadata_store: MetadataStore,
    chunk_store: ChunkStore,
    drive: Drive,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
}

impl StorageEngine {
    /// Opens everything in the data directory, recovering what a crash left, and starts the background work.
    pub async fn open(options: EngineOptions, environment: Environment) -> Result<Self> {
        Self::start(move || {
            let directory = &options.data_dir;
            let drive = Drive::open(directory, &environment, options.cluster, options.reserve.clone())?;
            let rocks = Rocks::open(&directory.join("rocks"), &options.rocks, drive.poison().clone())?;
            Self::open_stores(options, environment, drive, rocks)
        })
        .await
    }

    /// As `open`, on a simulated disk and a database in memory.
    pub async fn open_simulated(
        options: EngineOptions,
        environment: Environment,
        database: MemoryDatabase,
    ) -> Result<Self> {
        Self::start(move || {
            let drive =
                Drive::open_unlocked(&options.data_dir, &environment, options.cluster, options.reserve.clone())?;
            let rocks = Rocks::in_memory(database, drive.poison().clone());
            Self::open_stores(options, environment, drive, rocks)
        })
        .await
    }

    async fn start(open: impl FnOnce() -> Result<Self> + Send + 'static) -> Result<Self> {
        let opened = spawn_blocking(open).await;
        let engine =
            opened.map_err(|join| Error::new(ErrorKind::Internal, "open storage engine").with_source(join))??;
        engine.spawn(engine.drive.health().clone().watch(engine.stop.clone()));
        engine.spawn(engine.chunk_store.background().run(engine.stop.clone()));
        Ok(engine)
    }

    fn open_stores(options: EngineOptions, environment: Environment, drive: Drive, rocks: Rocks) -> Result<Self> {
        let (directory, poison) = (&options.data_dir, drive.poison().clone());
        let log_store = LogStore::open(directory, rocks.clone(), poison.clone(), &environment, options.log_store)?;
        let mut chunk_options = options.chunk_store;
        chunk_options.directory = directory.join("extents");
        chunk_options.drive = drive.identity().drive;
        let (chunk_store, recovery) = ChunkStore::open(chunk_options, environment.clone(), poison, rocks.clone())?;
        tracing::info!(drive = ?drive.identity(), ?recovery, "opened storage engine");
        let snapshots_directory = directory.join("snapshots");
        environment.disk.create_directory(&snapshots_directory).context("create snapshot directory")?;
        Ok(Self {
            metadata_store: MetadataStore::new(rocks.clone()),
            environment,
            snapshots_directory,
            rocks,
            log_store,
            chunk_store,
            drive,
            stop: CancellationToken::new(),
            tasks: Mutex::default(),
        })
    }

    pub fn log_store(&self) -> &LogStore {
        &self.log_store
    }

    pub fn metadata_store(&self) -> &MetadataStore {
        &self.metadata_store
    }

    pub fn chunk_store(&self) -> &ChunkStore {
        &self.chunk_store
    }

    pub fn drive(&self) -> &Drive {
        &self.drive
    }

    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Where Raft snapshots are staged.
    pub fn snapshots_directory(&self) -> &Path {
        &self.snapshots_directory
    }

    pub fn rocks_status(&self) -> RocksStatus {
        self.rocks.status()
    }

    /// Stops the background work, seals the open extents and flushes, so that the next start has nothing to recover.
    /// Every step is tried; the first error is returned. Nothing may be written afterwards.
    pub async fn close(&self) -> Result<()> {
        self.stop.cancel();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
        let log = self.log_store.close().await;
        let chunks = self.chunk_store.close().await;
        let metadata = self.metadata_store.flush().await;
        log.and(chunks).and(metadata).context("close storage engine")
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::id::{BlobId, OwnerKey};

    #[tokio::test]
    async fn what_was_stored_is_there_after_a_close_and_an_open() {
        let directory = tempfile::tempdir().expect("directory");
        let options = EngineOptions::new(directory.path().join("data"));
        let chunk = BlobId::new(OwnerKey(1), 1, 1).chunk(0);
        {
            let engine = StorageEngine::open(options.clone(), Environment::real()).await.expect("opens");
            engine.log_store().append(1, vec![(0, Bytes::from_static(b"entry"))], |result| result.expect("ok")).await;
            let mut batch = engine.metadata_store().batch();
            batch.put(b"key", b"value");
            engine.metadata_store().apply(batch).expect("applies");
            let appended =
                engine.chunk_store().append(chunk, vec![Bytes::from_static(b"chunk")]).await.expect("appends");
            engine.chunk_store().sync(&[appended]).await.expect("syncs");
            let second = StorageEngine::open(options.clone(), Environment::real()).await.err().expect("is locked");
            assert!(second.to_string().contains("another process"), "{second}");
            engine.close().await.expect("closes");
        }
        let engine = StorageEngine::open(options, Environment::real()).await.expect("opens");
        let entries = engine.log_store().read(1, 0..1, 100).await.expect("reads");
        assert_eq!(entries, vec![(0, Bytes::from_static(b"entry"))]);
        assert_eq!(engine.metadata_store().get(b"key").await.expect("reads").as_deref(), Some(&b"value"[..]));
        assert_eq!(engine.chunk_store().read(chunk, 0..5).await.expect("reads"), "chunk");
        assert!(engine.rocks_status().memtable_bytes > 0);
        engine.close().await.expect("closes");
    }
}
