//! The door to RocksDB: the only place that names it. One database a drive, shared by every store of the drive.
//! Owns: column families, options, durability of a write, what a RocksDB error means.
//! Does not own: keys and values (the stores above), when to flush or purge (the log's owner).
//! Invariant: after a failed write or sync nothing is written any more (`drive::Poison`).
//!
//! Every plain method blocks. The `_async` forms first try what memory can answer, and leave the async thread for the rest.

mod batch;
mod column_family;
mod fault;
mod io_mode;
mod options;
mod scan;
mod snapshot;
mod status;
mod wal_tail;

pub use batch::WriteBatch;
pub use column_family::ColumnFamily;
pub use options::{BlockCache, RocksOptions};
pub use scan::{Direction, KeyRange, Scan};
pub use snapshot::Snapshot;
pub use status::RocksStatus;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{DB, FlushOptions, ReadOptions, ReadTier, WriteOptions};

use crate::drive::Poison;
use crate::error::Result;
use fault::fault;

/// What has happened to a batch when the write returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// In the write-ahead log, and the log synced: survives a power loss.
    Synced,
    /// In the write-ahead log, in the hands of the operating system: survives a kill.
    Logged,
    /// In memory, until the next flush: something else must be able to write it again after a crash.
    Unlogged,
}

#[derive(Clone)]
pub struct Rocks {
    inner: Arc<Inner>,
}

struct Inner {
    db: DB,
    poison: Poison,
}

impl Rocks {
    pub fn open(path: &Path, options: &RocksOptions, poison: Poison) -> Result<Self> {
        wal_tail::cut_endless(path)?;
        let db = DB::open_cf_descriptors(&options.database(), path, options.column_families())
            .map_err(|error| fault("open rocksdb", error))?;
        Ok(Self { inner: Arc::new(Inner { db, poison }) })
    }

    pub fn batch(&self) -> WriteBatch {
        WriteBatch::new(self.clone())
    }

    /// All of the batch or nothing.
    pub fn write(&self, batch: WriteBatch, durability: Durability) -> Result<()> {
        let batch = batch.checked(durability);
        let mut options = WriteOptions::default();
        match durability {
            Durability::Unlogged => {
                options.disable_wal(true);
                self.write_with(batch, &options)
            }
            Durability::Logged => self.write_with(batch, &options),
            // Not `set_sync`: RocksDB holds its write queue during the sync of such a write, so that every state
            // machine would wait for every log sync. A separate sync of the log lets other writes pass.
            Durability::Synced => {
                self.write_with(batch, &options)?;
                self.sync_log()
            }
        }
    }

    /// An unlogged write that does not hold the async thread if RocksDB slows writers down.
    pub async fn write_unlogged_async(&self, batch: WriteBatch) -> Result<()> {
        let batch = batch.checked(Durability::Unlogged);
        // A refused write consumes its batch, hence the copy: a memcpy, small against the insertion itself.
        let again = rocksdb::WriteBatch::from_data(batch.data());
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        options.set_no_slowdown(true);
        self.inner.poison.check()?;
        match self.inner.db.write_opt(batch, &options) {
            Err(error) if io_mode::would_block(&error) => {
                options.set_no_slowdown(false);
                self.blocking(move |rocks| rocks.write_with(again, &options)).await
            }
            result => self.written(result),
        }
    }

    /// Returns after every logged write that was made before the call is durable.
    pub fn sync_log(&self) -> Result<()> {
        self.inner.poison.check()?;
        self.inner.db.flush_wal(true).map_err(|error| self.inner.poison.set(fault("sync rocksdb log", error)))
    }

    /// Writes all memtables to files, those of all column families at one moment, and waits for it.
    pub fn flush(&self) -> Result<()> {
        self.inner.poison.check()?;
        let families = ColumnFamily::ALL.map(|cf| self.handle(cf));
        let result = self.inner.db.flush_cfs_opt(&families, &FlushOptions::default());
        self.written(result)
    }

    pub fn get(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        self.get_with(cf, key, &ReadOptions::default())
    }

    /// Only what is in files: of the unlogged families, what a power loss at this moment would leave.
    pub fn get_persisted(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        assert!(!cf.is_logged(), "a logged family is durable before it is flushed: {}", cf.name());
        let mut options = ReadOptions::default();
        options.set_read_tier(ReadTier::Persisted);
        self.get_with(cf, key, &options)
    }

    pub fn scan(&self, cf: ColumnFamily, range: &KeyRange, direction: Direction) -> Scan<'_> {
        self.scan_with(cf, range, direction, ReadOptions::default())
    }

    /// The database as it is now, unchanged by later writes, until dropped.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.clone())
    }

    /// Runs work that may block on a thread made for it.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let rocks = self.clone();
        io_mode::on_blocking_thread(move || work(&rocks)).await
    }

    fn write_with(&self, batch: rocksdb::WriteBatch, options: &WriteOptions) -> Result<()> {
        self.inner.poison.check()?;
        let result = self.inner.db.write_opt(batch, options);
        self.written(result)
    }

    /// A failed write leaves an unknown tail behind, so it poisons. A full disk too: what RocksDB has of the batch is
    /// not known here, and the reserve of `drive` refuses work long before.
    fn written(&self, result: std::result::Result<(), rocksdb::Error>) -> Result<()> {
        result.map_err(|error| self.inner.poison.set(fault("write to rocksdb", error)))
    }

    fn get_with(&self, cf: ColumnFamily, key: &[u8], options: &ReadOptions) -> Result<Option<Bytes>> {
        let value = self.inner.db.get_cf_opt(self.handle(cf), key, options);
        Ok(value.map_err(|error| fault("read from rocksdb", error))?.map(Bytes::from))
    }

    fn scan_with(&self, cf: ColumnFamily, range: &KeyRange, direction: Direction, options: ReadOptions) -> Scan<'_> {
        let options = range.bound(options);
        Scan::new(self.inner.db.raw_iterator_cf_opt(self.handle(cf), options), direction)
    }

    fn handle(&self, cf: ColumnFamily) -> &rocksdb::ColumnFamily {
        let handle = self.inner.db.cf_handle(cf.name());
        handle.unwrap_or_else(|| unreachable!("every column family is opened with the database"))
    }
}

#[cfg(test)]
mod rocks_test;
