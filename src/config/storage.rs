//! Settings of how bytes are kept.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::section::section;
use crate::config::setting::ByteSize;

section! {
    /// How bytes are kept on the drive.
    StorageConfig in "storage" {
        /// Further data directories, each on a disk of its own: each is one more drive. A new one is added to the cluster by itself; more `--data-dir` say the same.
        more_data_dirs: Vec<PathBuf> = Vec::new();
        /// Objects and parts up to this size are kept beside their metadata: one sync and no chunk.
        inline_bytes_max: ByteSize = ByteSize::kib(32);
        /// Size of the chunks that larger ones are cut into.
        chunk_bytes: ByteSize = ByteSize::mib(4);
        /// Room kept free: below it, new objects are refused with 507; below half of it, deletes are, too.
        reserve_bytes: ByteSize = ByteSize::gib(1);
        /// Where an append-only file of chunks is sealed and the next begun.
        extent_bytes_max: ByteSize = ByteSize::gib(1);
        /// Memory for blocks of RocksDB.
        block_cache_bytes: ByteSize = ByteSize::mib(64);
        /// Memory for changes that RocksDB has not written to files yet.
        write_buffer_bytes: ByteSize = ByteSize::mib(64);
        /// How fast files of chunks that are mostly dead are rewritten.
        garbage_bytes_per_second: ByteSize = ByteSize::mib(32);
        /// How fast a scrub reads; 24MiB reads 1 TiB in half a day.
        scrub_bytes_per_second: ByteSize = ByteSize::mib(24);
        /// From the end of one scrub to the begin of the next.
        scrub_interval: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        /// How fast a node fetches from others what it lacks: repairs, and the bytes of groups that move to it.
        repair_bytes_per_second: ByteSize = ByteSize::mib(64);
        /// How often a node compares all records of its groups with the chunks that it has, and fetches what it lacks.
        repair_interval: Duration = Duration::from_secs(60 * 60);
        /// How long chunks that no object names are kept: longer than any upload takes between its last byte and its reply.
        sweep_grace: Duration = Duration::from_secs(60 * 60);
        /// How often chunks that no object names are looked for.
        sweep_interval: Duration = Duration::from_secs(6 * 60 * 60);
    }
    problems: |storage| {
        let mut problems = Vec::new();
        if storage.inline_bytes_max > ByteSize::kib(256) {
            problems.push("`storage.inline_bytes_max` must be at most 256KiB: inline objects travel through the log".into());
        }
        if !(ByteSize::kib(64)..=ByteSize::mib(64)).contains(&storage.chunk_bytes) {
            problems.push("`storage.chunk_bytes` must be between 64KiB and 64MiB".into());
        }
        if storage.extent_bytes_max < ByteSize(2 * storage.chunk_bytes.0) {
            problems.push("`storage.extent_bytes_max` must be at least twice `storage.chunk_bytes`".into());
        }
        // Two flushes of memtables and a compaction must fit into the half that is kept to the end.
        if storage.reserve_bytes < ByteSize::mib(512) {
            problems.push("`storage.reserve_bytes` must be at least 512MiB: deletes need room, too".into());
        }
        for (name, value) in [
            ("garbage_bytes_per_second", storage.garbage_bytes_per_second),
            ("scrub_bytes_per_second", storage.scrub_bytes_per_second),
            ("repair_bytes_per_second", storage.repair_bytes_per_second),
            ("block_cache_bytes", storage.block_cache_bytes),
            ("write_buffer_bytes", storage.write_buffer_bytes),
        ] {
            if value < ByteSize::mib(1) {
                problems.push(format!("`storage.{name}` must be at least 1MiB"));
            }
        }
        problems
    }
}
