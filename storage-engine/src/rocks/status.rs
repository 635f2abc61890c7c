//! Status: what RocksDB says of itself, for metrics and operators.

use super::{ColumnFamily, Database, Rocks, handle};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RocksStatus {
    /// Memory of all memtables, those on their way to a file included.
    pub memtable_bytes: u64,
    pub block_cache_bytes: u64,
    /// Table and blob files of all column families.
    pub file_bytes: u64,
    /// What compaction still has to rewrite; writers are slowed down when it grows without end.
    pub compaction_pending_bytes: u64,
    pub flushes_running: u64,
    pub compactions_running: u64,
    /// A background flush or compaction failed.
    pub background_errors: u64,
    pub writes_stopped: bool,
}

impl Rocks {
    pub fn status(&self) -> RocksStatus {
        let db = match &self.inner.database {
            Database::Rocks(db) => db,
            Database::Memory(memory) => {
                let memtable_bytes = ColumnFamily::ALL.into_iter().map(|cf| memory.bytes(cf)).sum();
                return RocksStatus { memtable_bytes, ..RocksStatus::default() };
            }
        };
        let database = |name: &str| db.property_int_value(name).ok().flatten().unwrap_or(0);
        let family =
            |cf: ColumnFamily, name: &str| db.property_int_value_cf(handle(db, cf), name).ok().flatten().unwrap_or(0);
        let sum = |name: &str| ColumnFamily::ALL.into_iter().map(|cf| family(cf, name)).sum::<u64>();
        RocksStatus {
            memtable_bytes: sum("rocksdb.cur-size-all-mem-tables"),
            // One cache serves all families, and each tells its whole size.
            block_cache_bytes: family(ColumnFamily::Metadata, "rocksdb.block-cache-usage"),
            file_bytes: sum("rocksdb.total-sst-files-size") + sum("rocksdb.total-blob-file-size"),
            compaction_pending_bytes: sum("rocksdb.estimate-pending-compaction-bytes"),
            flushes_running: database("rocksdb.num-running-flushes"),
            compactions_running: database("rocksdb.num-running-compactions"),
            background_errors: database("rocksdb.background-errors"),
            writes_stopped: database("rocksdb.is-write-stopped") != 0,
        }
    }
}
