//! The chunk index in RocksDB, without a write-ahead log: what is not flushed is found again in the extents.

use bytes::Bytes;

use super::{IndexStore, IndexWrite, Visit};
use crate::error::Result;
use crate::rocks::{ColumnFamily, Direction, Durability, KeyRange, Rocks};

pub struct RocksIndexStore {
    rocks: Rocks,
}

impl RocksIndexStore {
    pub fn new(rocks: Rocks) -> Self {
        Self { rocks }
    }
}

impl IndexStore for RocksIndexStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.rocks.get(ColumnFamily::ChunkIndex, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let mut scan = self.rocks.scan(ColumnFamily::ChunkIndex, &KeyRange::new(from, to), Direction::Forward);
        while let Some((key, value)) = scan.next_entry()? {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, writes: Vec<IndexWrite>) -> Result<()> {
        let mut batch = self.rocks.batch();
        for write in writes {
            match write {
                IndexWrite::Put { key, value } => batch.put(ColumnFamily::ChunkIndex, &key, &value),
                IndexWrite::Delete { key } => batch.delete(ColumnFamily::ChunkIndex, &key),
            }
        }
        self.rocks.write(batch, Durability::Unlogged)
    }

    fn flush(&self) -> Result<()> {
        self.rocks.flush()
    }
}
