//! Index change: one batch in the making, entries together with the records that count them.
//! Invariant: `live_chunks` and `live_bytes` of a record are what the entries of the same batch make them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::index_record::{ExtentRecord, Place, chunk_key, extent_key};
use super::index_store::{IndexStore, IndexWrite};
use super::layout::{ExtentId, frame_bytes};
use super::lock::lock;
use crate::error::Result;
use crate::format::Record;
use crate::id::ChunkId;

pub struct Change<'a> {
    extents: &'a Mutex<BTreeMap<ExtentId, ExtentRecord>>,
    records: BTreeMap<ExtentId, ExtentRecord>,
    entries: BTreeMap<ChunkId, Option<Place>>,
}

impl<'a> Change<'a> {
    pub fn new(extents: &'a Mutex<BTreeMap<ExtentId, ExtentRecord>>) -> Self {
        Self { extents, records: BTreeMap::new(), entries: BTreeMap::new() }
    }

    pub fn knows(&self, extent: ExtentId) -> bool {
        self.records.contains_key(&extent) || lock(self.extents).contains_key(&extent)
    }

    /// The record as this change leaves it; begun if the extent is new.
    pub fn record(&mut self, extent: ExtentId) -> &mut ExtentRecord {
        let begun = || lock(self.extents).get(&extent).copied().unwrap_or(ExtentRecord::new());
        self.records.entry(extent).or_insert_with(begun)
    }

    /// What this change makes of a chunk's entry, if it touches it.
    pub fn entry(&self, chunk: ChunkId) -> Option<Option<Place>> {
        self.entries.get(&chunk).copied()
    }

    pub fn replace(&mut self, chunk: ChunkId, old: Option<Place>, new: Option<Place>) {
        // An old place in an extent that is gone has no record to count in.
        if let Some(old) = old.filter(|old| self.knows(old.extent)) {
            let record = self.record(old.extent);
            assert!(record.live_chunks > 0, "an entry points into an extent that counts none");
            record.live_chunks -= 1;
            record.live_bytes -= frame_bytes(old.payload_bytes);
        }
        if let Some(new) = new {
            let record = self.record(new.extent);
            record.live_chunks += 1;
            record.live_bytes += frame_bytes(new.payload_bytes);
        }
        self.entries.insert(chunk, new);
    }

    pub fn write(self, store: &dyn IndexStore) -> Result<()> {
        if self.entries.is_empty() && self.records.is_empty() {
            return Ok(());
        }
        let entries = self.entries.iter().map(|(chunk, place)| match place {
            Some(place) => IndexWrite::Put { key: chunk_key(*chunk), value: place.to_bytes() },
            None => IndexWrite::Delete { key: chunk_key(*chunk) },
        });
        let records = self.records.iter();
        let records = records.map(|(id, record)| IndexWrite::Put { key: extent_key(*id), value: record.to_bytes() });
        store.write(entries.chain(records).collect())?;
        lock(self.extents).extend(self.records);
        Ok(())
    }
}
