//! Options: from the configuration to what each part is started with.

use std::path::Path;

use onggi_cluster::membership::NodeIdentity;
use onggi_cluster::{ClusterOptions, RepairOptions};
use onggi_storage_engine::EngineOptions;
use onggi_storage_engine::rocks::BlockCache;

use crate::config::Config;
use crate::config::setting::ByteSize;
use crate::node::addresses::Bound;
use crate::s3_api::S3Options;
use crate::s3_api::auth::AuthOptions;
use crate::s3_api::presign::Presigner;

/// What the drives of a process share, so that more of them need no more memory.
pub struct SharedMemory {
    block_cache: BlockCache,
    /// A part of it each: which of them would flush is not a question that one asks the other.
    write_buffer_bytes: usize,
}

/// Below it RocksDB flushes all the time.
const WRITE_BUFFER_BYTES_MIN: usize = 8 << 20;

impl SharedMemory {
    pub fn new(config: &Config) -> Self {
        let drives = 1 + config.storage.more_data_dirs.len();
        let block_cache = BlockCache::new(memory(config.storage.block_cache_bytes));
        let whole = memory(config.storage.write_buffer_bytes);
        Self { block_cache, write_buffer_bytes: (whole / drives).max(WRITE_BUFFER_BYTES_MIN.min(whole)) }
    }
}

pub fn engine(config: &Config, data_dir: &Path, memory: &SharedMemory) -> EngineOptions {
    let storage = &config.storage;
    let mut options = EngineOptions::new(data_dir.to_path_buf());
    options.reserve.store_bytes = storage.reserve_bytes.0;
    options.reserve.change_bytes = storage.reserve_bytes.0 / 2;
    options.rocks.block_cache = memory.block_cache.clone();
    options.rocks.write_buffer_bytes = memory.write_buffer_bytes;
    options.chunk_store.reserve_bytes = storage.reserve_bytes.0;
    options.chunk_store.extent_bytes_max = storage.extent_bytes_max.0;
    options.chunk_store.garbage_bytes_per_second = storage.garbage_bytes_per_second.0;
    options.chunk_store.scrub_bytes_per_second = storage.scrub_bytes_per_second.0;
    options.chunk_store.scrub_interval = storage.scrub_interval;
    options
}

fn memory(size: ByteSize) -> usize {
    usize::try_from(size.0).unwrap_or(usize::MAX)
}

pub fn cluster(config: &Config, identity: &NodeIdentity) -> ClusterOptions {
    let bytes = |size: ByteSize| u32::try_from(size.0).unwrap_or(u32::MAX);
    ClusterOptions {
        name: config.cluster.name.clone(),
        node: identity.node,
        groups: config.cluster.groups.get(),
        group_entries_max: config.cluster.group_entries_max.get().into(),
        inline_bytes_max: bytes(config.storage.inline_bytes_max),
        chunk_bytes: bytes(config.storage.chunk_bytes),
        sweep_grace: config.storage.sweep_grace,
        sweep_interval: config.storage.sweep_interval,
        gone_after: config.cluster.repair_after,
        repair: RepairOptions {
            bytes_per_second: config.storage.repair_bytes_per_second.0,
            pass_interval: config.storage.repair_interval,
        },
        ..ClusterOptions::default()
    }
}

/// How clients are sent to S3.
pub fn presigner(config: &Config, bound: Bound) -> Presigner {
    Presigner {
        public_url: Some(config.s3.public_url.clone()).filter(|url| !url.is_empty()),
        scheme: if config.s3.tls { "https" } else { "http" },
        port: bound.s3.port(),
        region: s3(config).region,
    }
}

pub fn s3(config: &Config) -> S3Options {
    let region = Some(config.s3.region.clone()).filter(|region| !region.is_empty());
    let auth = AuthOptions { region: region.clone(), sigv2_presigned: config.s3.sigv2, ..AuthOptions::default() };
    let defaults = S3Options::default();
    S3Options { domains: config.s3.domains.clone(), region: region.unwrap_or(defaults.region), auth }
}
