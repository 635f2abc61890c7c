//! RocksDB's options, each with its reason. What is not named here stands at RocksDB's default.

use std::fmt;

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, LogLevel,
    Options,
};

use super::ColumnFamily;

const MIB: usize = 1 << 20;

/// Blocks, indexes, filters and payloads kept in memory. All clones are one cache: drives of a process may share it.
#[derive(Clone)]
pub struct BlockCache {
    cache: Cache,
    bytes: usize,
}

impl BlockCache {
    pub fn new(bytes: usize) -> Self {
        Self { cache: Cache::new_lru_cache(bytes), bytes }
    }
}

impl fmt::Debug for BlockCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)
    }
}

#[derive(Clone, Debug)]
pub struct RocksOptions {
    /// Of all column families together.
    pub block_cache: BlockCache,
    /// Memtables of all column families together. One flush writes them all, so it is also how much of the Raft
    /// logs a restart replays at most.
    pub write_buffer_bytes: usize,
    /// Above it the memtables are flushed, so that old write-ahead logs can go.
    pub wal_bytes_max: u64,
    /// Threads that flush and compact.
    pub background_jobs: i32,
}

impl Default for RocksOptions {
    fn default() -> Self {
        Self {
            block_cache: BlockCache::new(64 * MIB),
            write_buffer_bytes: 64 * MIB,
            // The log holds the payloads of small objects too, so it grows about as fast as the memtables do.
            wal_bytes_max: 256 * MIB as u64,
            background_jobs: 2,
        }
    }
}

impl RocksOptions {
    pub(super) fn database(&self) -> Options {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        // A flush writes all families at one moment, so that metadata, payloads and last-applied marks, which have no
        // write-ahead log, are on disk together or not at all.
        options.set_atomic_flush(true);
        // After a power loss the log may end in a torn, partly zeroed or re-ordered tail that was never synced, thus
        // never acknowledged: replay stops there. `TolerateCorruptedTailRecords` refuses to open on a torn record with
        // a bad checksum, `AbsoluteConsistency` on any tail at all. That replay did not stop *before* what was synced
        // is checked by the log store against its sync mark (docs/log-store.md).
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        // Old records behind the end of a re-used log file look like a tail; with point-in-time recovery RocksDB
        // switches recycling off itself, because of a hole it once left in recovered data.
        options.set_recycle_log_file_num(0);
        // Notices that a closed log file is missing or shorter than when it was synced.
        options.set_track_and_verify_wals_in_manifest(true);
        // Refuse damaged files instead of reading around the damage; and stop for good when a background flush or its sync
        // of the log meets an IO error, instead of going on.
        options.set_paranoid_checks(true);
        options.set_max_total_wal_size(self.wal_bytes_max);
        options.set_db_write_buffer_size(self.write_buffer_bytes);
        options.set_max_background_jobs(self.background_jobs);
        // Write back during a flush or compaction, not all at its end: a large sync delays the log's small ones.
        options.set_bytes_per_sync(MIB as u64);
        // Deleting obsolete files is slow on some file systems; never in a reader's or writer's thread.
        options.set_avoid_unnecessary_blocking_io(true);
        // Descriptors are bounded; the table cache re-opens what it needs.
        options.set_max_open_files(1024);
        // Opens every file otherwise, which makes a restart slower with every object.
        options.set_skip_stats_update_on_db_open(true);
        // Replayed at open, so it is rewritten before it takes long.
        options.set_max_manifest_file_size(16 * MIB);
        options.set_log_level(LogLevel::Warn);
        options.set_max_log_file_size(4 * MIB);
        options.set_keep_log_file_num(4);
        options
    }

    pub(super) fn column_families(&self) -> Vec<ColumnFamilyDescriptor> {
        let cache = &self.block_cache.cache;
        ColumnFamily::ALL.map(|cf| ColumnFamilyDescriptor::new(cf.name(), self.column_family(cf, cache))).into()
    }

    fn column_family(&self, cf: ColumnFamily, cache: &Cache) -> Options {
        let mut options = Options::default();
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_block_based_table_factory(&table(cache));
        // The bound on all memtables together decides when to flush; one alone may take half of it.
        options.set_write_buffer_size(self.write_buffer_bytes / 2);
        // A flush in progress does not stop writers at once; the bound on the sum holds.
        options.set_max_write_buffer_number(4);
        if cf == ColumnFamily::InlinePayload {
            self.payloads_in_blob_files(&mut options, cache);
        }
        options
    }

    /// Compaction then moves 30-byte references instead of payloads, which are written once.
    fn payloads_in_blob_files(&self, options: &mut Options, cache: &Cache) {
        options.set_enable_blob_files(true);
        // Below it a reference saves little, and reading takes one more look-up.
        options.set_min_blob_size(1024);
        options.set_blob_file_size(64 * MIB as u64);
        // Users' data is mostly compressed already, and a blob file keeps the compressed form even where it is longer.
        options.set_blob_compression_type(DBCompressionType::None);
        options.set_blob_cache(cache);
        // The oldest half of the files is rewritten when compaction passes, or at once when half of it is garbage.
        options.set_enable_blob_gc(true);
        options.set_blob_gc_age_cutoff(0.5);
        options.set_blob_gc_force_threshold(0.5);
    }
}

fn table(cache: &Cache) -> BlockBasedOptions {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // Fewer index entries than 4 KiB blocks, and better compression of neighbouring keys.
    table.set_block_size(16 << 10);
    // Most reads of a PUT look for what is not there: 1 % false positives at 10 bits a key.
    table.set_bloom_filter(10.0, false);
    // Indexes and filters in the cache, in pieces: memory stays bounded whatever the number of objects.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_pin_top_level_index_and_filter(true);
    table.set_format_version(6);
    table
}
