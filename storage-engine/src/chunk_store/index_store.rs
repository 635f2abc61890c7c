//! Index store: the ordered keys and values under the chunk index, as a trait, so that crash tests can model it.
//! Contract: batches are atomic, and after a crash exactly a prefix of the batches is left, which holds at least every
//! batch written before the last `flush` that returned.

#[cfg(test)]
mod memory;
mod rocks;

#[cfg(test)]
pub use memory::MemoryIndexStore;
pub use rocks::RocksIndexStore;

use std::ops::ControlFlow;

use bytes::Bytes;

use crate::error::Result;

pub enum IndexWrite {
    Put { key: Vec<u8>, value: Bytes },
    Delete { key: Vec<u8> },
}

/// Is given each key and value, and says whether to go on.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// All calls may block on the drive.
pub trait IndexStore: Send + Sync {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>>;
    /// Visits keys in `from..to` in order until told to stop.
    fn scan(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()>;
    fn write(&self, batch: Vec<IndexWrite>) -> Result<()>;
    /// Makes every batch written so far durable.
    fn flush(&self) -> Result<()>;
}
