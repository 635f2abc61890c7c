//! Index: which chunk stands where, and how much of each extent is alive.
//! Owns: entries and extent records, which change together in one batch; chunks that are appended but not yet durable.
//! Does not own: files. What it is told is durable must be durable.
//! Invariant: an entry is written only after the bytes it points at are durable, so that what a crash leaves of the index
//! (a prefix of its batches) never points past the durable end of an extent.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex};

use super::index_change::Change;
use super::index_record::{
    ExtentRecord, Place, all_keys, blob_keys, chunk_key, chunk_keys, chunk_of_key, extent_key, extent_keys,
    extent_of_key,
};
use super::index_store::{IndexStore, IndexWrite};
use super::layout::{ExtentId, frame_bytes};
use super::lock::lock;
use crate::error::Result;
use crate::format::Record;
use crate::id::{BlobId, ChunkId};

pub struct Index {
    store: Arc<dyn IndexStore>,
    /// Appended, not yet synced: readable, but in no batch yet.
    pending: Mutex<HashMap<ChunkId, Place>>,
    /// Held for the whole of every change, so that records and entries cannot part.
    changing: Mutex<()>,
    /// Held for a moment only, so that a reader does not wait for a write that RocksDB slows down.
    extents: Mutex<BTreeMap<ExtentId, ExtentRecord>>,
}

/// A frame that has become durable, and what that means for the index.
#[derive(Clone, Copy, Debug)]
pub struct DurableFrame {
    pub chunk: ChunkId,
    pub place: Place,
    pub origin: Origin,
}

#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// By a caller: the newest copy of a chunk wins, unless the chunk was freed before it became durable.
    Appended,
    /// A copy by the garbage collector: counts only if the index still points at what was copied.
    Moved { from: Place },
    /// Found by a scan: counts only if the index knows no copy.
    Recovered,
}

impl Index {
    pub fn open(store: Arc<dyn IndexStore>) -> Result<Self> {
        let mut extents = BTreeMap::new();
        let mut damage = Ok(());
        let keys = extent_keys();
        store.scan(&keys.start, &keys.end, &mut |key, value| match extent_of_key(key)
            .and_then(|extent| Ok((extent, ExtentRecord::from_bytes(value)?)))
        {
            Ok((extent, record)) => {
                extents.insert(extent, record);
                ControlFlow::Continue(())
            }
            Err(error) => {
                damage = Err(error);
                ControlFlow::Break(())
            }
        })?;
        damage?;
        Ok(Self { store, pending: Mutex::default(), changing: Mutex::default(), extents: Mutex::new(extents) })
    }

    /// Removes everything, durably: the scan at open then rebuilds it from the extents.
    pub fn erase(store: &dyn IndexStore) -> Result<()> {
        const BATCH_KEYS_MAX: usize = 10_000;
        let keys = all_keys();
        loop {
            let mut batch = Vec::new();
            store.scan(&keys.start, &keys.end, &mut |key, _| {
                batch.push(IndexWrite::Delete { key: key.to_vec() });
                if batch.len() < BATCH_KEYS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            if batch.is_empty() {
                return store.flush();
            }
            store.write(batch)?;
        }
    }

    pub fn find(&self, chunk: ChunkId) -> Result<Option<Place>> {
        // Pending first: a chunk leaves it only after its entry was written, so that it is never missed in between.
        if let Some(place) = lock(&self.pending).get(&chunk) {
            return Ok(Some(*place));
        }
        self.find_durable(chunk)
    }

    /// Whether the entry of a chunk points here. A newer copy that is not durable yet does not count.
    pub fn points_at(&self, chunk: ChunkId, place: Place) -> Result<bool> {
        Ok(self.find_durable(chunk)? == Some(place))
    }

    fn find_durable(&self, chunk: ChunkId) -> Result<Option<Place>> {
        self.store.get(&chunk_key(chunk))?.map(|value| Place::from_bytes(&value)).transpose()
    }

    /// Makes an appended chunk readable before it is durable.
    pub fn expect(&self, chunk: ChunkId, place: Place) {
        lock(&self.pending).insert(chunk, place);
    }

    /// Takes in frames of one extent, in file order, all durable, which end at `through`.
    pub fn commit(&self, extent: ExtentId, frames: &[DurableFrame], through: u64) -> Result<()> {
        let _turn = lock(&self.changing);
        let mut change = Change::new(&self.extents);
        change.record(extent).indexed_through = through;
        for frame in frames {
            let current = match change.entry(frame.chunk) {
                Some(changed) => changed,
                None => self.find_durable(frame.chunk)?,
            };
            let alive = match frame.origin {
                Origin::Appended => lock(&self.pending).get(&frame.chunk) == Some(&frame.place),
                Origin::Moved { from } => current == Some(from),
                Origin::Recovered => current.is_none_or(|place| !change.knows(place.extent)),
            };
            if alive {
                change.replace(frame.chunk, current, Some(frame.place));
            }
        }
        change.write(&*self.store)?;
        let mut pending = lock(&self.pending);
        for frame in frames {
            if pending.get(&frame.chunk) == Some(&frame.place) {
                pending.remove(&frame.chunk);
            }
        }
        Ok(())
    }

    /// Forgets all chunks of a blob. Gives the frame bytes that died.
    pub fn free(&self, blob: BlobId) -> Result<u64> {
        let _turn = lock(&self.changing);
        lock(&self.pending).retain(|chunk, _| chunk.blob() != blob);
        let mut change = Change::new(&self.extents);
        let mut freed_bytes = 0;
        self.visit(blob_keys(blob), &mut |chunk, place| {
            freed_bytes += frame_bytes(place.payload_bytes);
            change.replace(chunk, Some(place), None);
            ControlFlow::Continue(())
        })?;
        change.write(&*self.store)?;
        Ok(freed_bytes)
    }

    /// Nothing will be appended to the extent any more, and all its frames are committed.
    pub fn seal(&self, extent: ExtentId) -> Result<()> {
        let _turn = lock(&self.changing);
        let mut change = Change::new(&self.extents);
        change.record(extent).sealed = true;
        change.write(&*self.store)
    }

    /// The extent's file is gone, or about to go.
    pub fn forget(&self, extent: ExtentId) -> Result<()> {
        let _turn = lock(&self.changing);
        self.store.write(vec![IndexWrite::Delete { key: extent_key(extent) }])?;
        lock(&self.extents).remove(&extent);
        Ok(())
    }

    pub fn record(&self, extent: ExtentId) -> Option<ExtentRecord> {
        lock(&self.extents).get(&extent).copied()
    }

    pub fn records(&self) -> Vec<(ExtentId, ExtentRecord)> {
        lock(&self.extents).iter().map(|(extent, record)| (*extent, *record)).collect()
    }

    /// Blobs behind `after` in key order, at most `limit`, each with the payload bytes that are stored of it.
    pub fn blobs(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<(BlobId, u64)>> {
        let from = after.map_or(chunk_keys().start, |blob| blob_keys(blob).end);
        let mut blobs: Vec<(BlobId, u64)> = Vec::new();
        self.visit(from..chunk_keys().end, &mut |chunk, place| {
            let (payload_bytes, count) = (u64::from(place.payload_bytes), blobs.len());
            match blobs.last_mut() {
                Some((blob, bytes)) if *blob == chunk.blob() => *bytes += payload_bytes,
                _ if count == limit => return ControlFlow::Break(()),
                _ => blobs.push((chunk.blob(), payload_bytes)),
            }
            ControlFlow::Continue(())
        })?;
        Ok(blobs)
    }

    /// The durable chunks of a blob, in order: number and payload bytes.
    pub fn chunks_of(&self, blob: BlobId) -> Result<Vec<(u32, u32)>> {
        let mut chunks = Vec::new();
        self.visit(blob_keys(blob), &mut |chunk, place| {
            chunks.push((chunk.number(), place.payload_bytes));
            ControlFlow::Continue(())
        })?;
        Ok(chunks)
    }

    /// Chunks that the index places in a range of an extent. Reads the whole index: for damage only.
    pub fn chunks_within(&self, extent: ExtentId, range: Range<u64>) -> Result<Vec<(ChunkId, Place)>> {
        let mut found = Vec::new();
        self.visit(chunk_keys(), &mut |chunk, place| {
            if place.extent == extent && range.contains(&place.offset) {
                found.push((chunk, place));
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    pub fn flush(&self) -> Result<()> {
        self.store.flush()
    }

    pub fn note(&self, key: Vec<u8>, value: bytes::Bytes) -> Result<()> {
        self.store.write(vec![IndexWrite::Put { key, value }])
    }

    pub fn noted(&self, key: &[u8]) -> Result<Option<bytes::Bytes>> {
        self.store.get(key)
    }

    fn visit(&self, keys: Range<Vec<u8>>, visit: &mut dyn FnMut(ChunkId, Place) -> ControlFlow<()>) -> Result<()> {
        let mut damage = Ok(());
        self.store.scan(&keys.start, &keys.end, &mut |key, value| match chunk_of_key(key)
            .and_then(|chunk| Ok((chunk, Place::from_bytes(value)?)))
        {
            Ok((chunk, place)) => visit(chunk, place),
            Err(error) => {
                damage = Err(error);
                ControlFlow::Break(())
            }
        })?;
        damage
    }
}
