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
mod memory;
mod options;
mod scan;
mod snapshot;
mod status;
mod wal_tail;

pub use batch::WriteBatch;
pub use column_family::ColumnFamily;
pub use memory::MemoryDatabase;
pub use options::{BlockCache, RocksOptions};
pub use scan::{Direction, KeyRange, Scan};
pub use snapshot::Snapshot;
pub use status::RocksStatus;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rocksdb::{DB, FlushOptions, ReadOptions, ReadTier, WriteOptions};

use crate::drive::Poison;
use crate::error::Result;
use batch::Changes;
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
    database: Database,
    poison: Poison,
}

enum Database {
    Rocks(DB),
    /// Of a simulation.
    Memory(MemoryDatabase),
}

impl Rocks {
    pub fn open(path: &Path, options: &RocksOptions, poison: Poison) -> Result<Self> {
        wal_tail::cut_endless(path)?;
        let db = DB::open_cf_descriptors(&options.database(), path, options.column_families())
            .map_err(|error| fault("open rocksdb", error))?;
        Ok(Self { inner: Arc::new(Inner { database: Database::Rocks(db), poison }) })
    }

    /// Without files and threads, for simulations.
    pub fn in_memory(database: MemoryDatabase, poison: Poison) -> Self {
        Self { inner: Arc::new(Inner { database: Database::Memory(database), poison }) }
    }

    /// How long a sync of the log takes by the simulation's clock; `None` if this is no simulation: there a sync takes as long as
    /// it blocks.
    pub fn simulated_sync_time(&self) -> Option<Duration> {
        match &self.inner.database {
            Database::Rocks(_) => None,
            Database::Memory(memory) => Some(memory.sync_time()),
        }
    }

    pub fn batch(&self) -> WriteBatch {
        WriteBatch::new(self.clone())
    }

    /// All of the batch or nothing.
    pub fn write(&self, batch: WriteBatch, durability: Durability) -> Result<()> {
        let changes = batch.checked(durability);
        let mut options = WriteOptions::default();
        match durability {
            Durability::Unlogged => {
                options.disable_wal(true);
                self.write_with(changes, &options)
            }
            Durability::Logged => self.write_with(changes, &options),
            // Not `set_sync`: RocksDB holds its write queue during the sync of such a write, so that every state
            // machine would wait for every log sync. A separate sync of the log lets other writes pass.
            Durability::Synced => {
                self.write_with(changes, &options)?;
                self.sync_log()
            }
        }
    }

    /// An unlogged write that does not hold the async thread if RocksDB slows writers down.
    pub async fn write_unlogged_async(&self, batch: WriteBatch) -> Result<()> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let (db, batch) = match (&self.inner.database, batch.checked(Durability::Unlogged)) {
            (Database::Rocks(db), Changes::Rocks(batch)) => (db, batch),
            (_, changes) => return self.write_with(changes, &options),
        };
        // A refused write consumes its batch, hence the copy: a memcpy, small against the insertion itself.
        let again = rocksdb::WriteBatch::from_data(batch.data());
        options.set_no_slowdown(true);
        self.inner.poison.check()?;
        match db.write_opt(batch, &options) {
            Err(error) if io_mode::would_block(&error) => {
                options.set_no_slowdown(false);
                self.blocking(move |rocks| rocks.write_with(Changes::Rocks(again), &options)).await
            }
            result => self.written(result),
        }
    }

    /// Returns after every logged write that was made before the call is durable.
    pub fn sync_log(&self) -> Result<()> {
        self.inner.poison.check()?;
        match &self.inner.database {
            Database::Rocks(db) => {
                db.flush_wal(true).map_err(|error| self.inner.poison.set(fault("sync rocksdb log", error)))
            }
            Database::Memory(memory) => {
                memory.sync();
                Ok(())
            }
        }
    }

    /// Writes all memtables to files, those of all column families at one moment, and waits for it.
    pub fn flush(&self) -> Result<()> {
        self.inner.poison.check()?;
        match &self.inner.database {
            Database::Rocks(db) => {
                let families = ColumnFamily::ALL.map(|cf| handle(db, cf));
                self.written(db.flush_cfs_opt(&families, &FlushOptions::default()))
            }
            Database::Memory(memory) => {
                memory.flush();
                Ok(())
            }
        }
    }

    pub fn get(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        match &self.inner.database {
            Database::Rocks(db) => get_from(db, cf, key, &ReadOptions::default()),
            Database::Memory(memory) => Ok(memory.families().get(cf, key)),
        }
    }

    /// Only what is in files: of the unlogged families, what a power loss at this moment would leave.
    pub fn get_persisted(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        assert!(!cf.is_logged(), "a logged family is durable before it is flushed: {}", cf.name());
        match &self.inner.database {
            Database::Rocks(db) => {
                let mut options = ReadOptions::default();
                options.set_read_tier(ReadTier::Persisted);
                get_from(db, cf, key, &options)
            }
            Database::Memory(memory) => Ok(memory.get_durable(cf, key)),
        }
    }

    pub fn scan(&self, cf: ColumnFamily, range: &KeyRange, direction: Direction) -> Scan<'_> {
        match &self.inner.database {
            Database::Rocks(db) => scan_in(db, cf, range, direction, ReadOptions::default()),
            Database::Memory(memory) => Scan::of_memory(memory.families().entries(cf, range), direction),
        }
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

    fn write_with(&self, changes: Changes, options: &WriteOptions) -> Result<()> {
        self.inner.poison.check()?;
        match (&self.inner.database, changes) {
            (Database::Rocks(db), Changes::Rocks(batch)) => self.written(db.write_opt(batch, options)),
            (Database::Memory(memory), Changes::Memory(changes)) => {
                memory.write(changes);
                Ok(())
            }
            _ => unreachable!("a batch of another database"),
        }
    }

    /// A failed write leaves an unknown tail behind, so it poisons. A full disk too: what RocksDB has of the batch is
    /// not known here, and the reserve of `drive` refuses work long before.
    fn written(&self, result: std::result::Result<(), rocksdb::Error>) -> Result<()> {
        result.map_err(|error| self.inner.poison.set(fault("write to rocksdb", error)))
    }
}

fn get_from(db: &DB, cf: ColumnFamily, key: &[u8], options: &ReadOptions) -> Result<Option<Bytes>> {
    let value = db.get_cf_opt(handle(db, cf), key, options);
    Ok(value.map_err(|error| fault("read from rocksdb", error))?.map(Bytes::from))
}

fn scan_in<'a>(db: &'a DB, cf: ColumnFamily, range: &KeyRange, direction: Direction, options: ReadOptions) -> Scan<'a> {
    let options = range.bound(options);
    Scan::new(db.raw_iterator_cf_opt(handle(db, cf), options), direction)
}

fn handle(db: &DB, cf: ColumnFamily) -> &rocksdb::ColumnFamily {
    let handle = db.cf_handle(cf.name());
    handle.unwrap_or_else(|| unreachable!("every column family is opened with the database"))
}

#[cfg(test)]
mod memory_test;
#[cfg(test)]
mod rocks_test;
