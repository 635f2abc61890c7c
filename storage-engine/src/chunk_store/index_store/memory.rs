//! A map in memory in place of RocksDB: what a crash leaves of it is chosen by the test.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;

use super::{IndexStore, IndexWrite, Visit};
use crate::chunk_store::lock::lock;
use crate::env::simulated_disk::Fuse;
use crate::error::{Context, Result};

type Map = BTreeMap<Vec<u8>, Bytes>;

pub struct MemoryIndexStore {
    state: Mutex<State>,
    fuse: Fuse,
}

#[derive(Default)]
struct State {
    map: Map,
    /// What the last flush made durable, and the batches since.
    flushed: Map,
    unflushed: Vec<Vec<IndexWrite>>,
}

impl MemoryIndexStore {
    pub fn new(fuse: Fuse) -> Self {
        Self { state: Mutex::default(), fuse }
    }

    pub fn unflushed_batches(&self) -> usize {
        lock(&self.state).unflushed.len()
    }

    /// What is left after a crash that kept the first `batches` of those not flushed.
    pub fn after_crash(&self, batches: usize, fuse: Fuse) -> Self {
        let state = lock(&self.state);
        let mut map = state.flushed.clone();
        state.unflushed.iter().take(batches).for_each(|batch| apply(&mut map, batch));
        Self { state: Mutex::new(State { flushed: map.clone(), map, unflushed: Vec::new() }), fuse }
    }
}

impl IndexStore for MemoryIndexStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(lock(&self.state).map.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        for (key, value) in lock(&self.state).map.range(from.to_vec()..to.to_vec()) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, batch: Vec<IndexWrite>) -> Result<()> {
        self.fuse.burn().context("write to index")?;
        let mut state = lock(&self.state);
        apply(&mut state.map, &batch);
        state.unflushed.push(batch);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        self.fuse.burn().context("flush index")?;
        let mut state = lock(&self.state);
        let unflushed = std::mem::take(&mut state.unflushed);
        unflushed.iter().for_each(|batch| apply(&mut state.flushed, batch));
        Ok(())
    }
}

fn apply(map: &mut Map, batch: &[IndexWrite]) {
    for write in batch {
        match write {
            IndexWrite::Put { key, value } => map.insert(key.clone(), value.clone()),
            IndexWrite::Delete { key } => map.remove(key),
        };
    }
}
