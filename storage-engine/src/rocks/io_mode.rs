//! Reads from async code: memory is tried on the spot, and only a read that needs the drive goes to a blocking thread.
//! A hop costs some ten microseconds and two context switches, a memtable or cache hit one or two.

use bytes::Bytes;
use rocksdb::{ReadOptions, ReadTier};

use super::{ColumnFamily, Database, Rocks, handle};
use crate::env::spawn_blocking;
use crate::error::{Error, ErrorKind, Result};

impl Rocks {
    pub async fn get_async(&self, cf: ColumnFamily, key: &[u8]) -> Result<Option<Bytes>> {
        let Database::Rocks(db) = &self.inner.database else { return self.get(cf, key) };
        let mut cache_only = ReadOptions::default();
        cache_only.set_read_tier(ReadTier::BlockCache);
        match db.get_cf_opt(handle(db, cf), key, &cache_only) {
            Ok(value) => Ok(value.map(Bytes::from)),
            // Any error: the blocking read meets it again if it is real, and reports it.
            Err(_) => {
                let key = Bytes::copy_from_slice(key);
                self.blocking(move |rocks| rocks.get(cf, &key)).await
            }
        }
    }
}

/// RocksDB answers `Incomplete` where it was told not to wait.
pub(super) fn would_block(error: &rocksdb::Error) -> bool {
    error.kind() == rocksdb::ErrorKind::Incomplete
}

pub(super) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(join) => Err(Error::new(ErrorKind::Internal, "run on a blocking thread").with_source(join)),
    }
}
