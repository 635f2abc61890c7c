//! Index records: keys and values of the chunk index (docs/data-layout.md, "Chunk index").

use std::ops::Range;

use super::layout::{EXTENT_HEADER_BYTES, ExtentId, frame_bytes};
use crate::error::{Error, Result};
use crate::format::{Decoder, Encoder, Record};
use crate::id::{BlobId, ChunkId};

const TABLE_CHUNK: u8 = 1;
const TABLE_EXTENT: u8 = 2;
const TABLE_SCRUB: u8 = 3;

/// Where a chunk stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub extent: ExtentId,
    pub offset: u64,
    pub payload_bytes: u32,
}

impl Place {
    pub fn end(&self) -> u64 {
        self.offset + frame_bytes(self.payload_bytes)
    }
}

impl Record for Place {
    const NAME: &'static str = "place of a chunk";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.varint(self.extent.0).varint(self.offset).varint(u64::from(self.payload_bytes));
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let (extent, offset) = (ExtentId(decoder.varint()?), decoder.varint()?);
        let payload_bytes = u32::try_from(decoder.varint()?).map_err(|_| Error::corrupt("length of a chunk"))?;
        Ok(Self { extent, offset, payload_bytes })
    }
}

/// What is known of an extent: changed in the same batch as the entries it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtentRecord {
    /// Nothing is appended any more; all its frames are counted here.
    pub sealed: bool,
    /// Frames before this offset are durable and counted: where a scan after a crash begins.
    pub indexed_through: u64,
    /// Frames that the index points at, and their bytes.
    pub live_chunks: u64,
    pub live_bytes: u64,
}

impl ExtentRecord {
    pub fn new() -> Self {
        Self { sealed: false, indexed_through: EXTENT_HEADER_BYTES, live_chunks: 0, live_bytes: 0 }
    }

    pub fn frames_bytes(&self) -> u64 {
        self.indexed_through - EXTENT_HEADER_BYTES
    }

    pub fn dead_bytes(&self) -> u64 {
        self.frames_bytes().saturating_sub(self.live_bytes)
    }
}

impl Record for ExtentRecord {
    const NAME: &'static str = "extent record";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.bool(self.sealed).varint(self.indexed_through).varint(self.live_chunks).varint(self.live_bytes);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let sealed = decoder.bool()?;
        let (indexed_through, live_chunks, live_bytes) = (decoder.varint()?, decoder.varint()?, decoder.varint()?);
        if indexed_through < EXTENT_HEADER_BYTES {
            return Err(Error::corrupt("extent record: ends inside the header"));
        }
        Ok(Self { sealed, indexed_through, live_chunks, live_bytes })
    }
}

pub fn chunk_key(chunk: ChunkId) -> Vec<u8> {
    [&[TABLE_CHUNK], chunk.as_bytes().as_slice()].concat()
}

pub fn chunk_of_key(key: &[u8]) -> Result<ChunkId> {
    let Some((&TABLE_CHUNK, chunk)) = key.split_first() else { return Err(Error::corrupt("key of a chunk")) };
    chunk.try_into().map(ChunkId::from_bytes).map_err(|_| Error::corrupt("key of a chunk"))
}

/// Keys of all chunks of a blob.
pub fn blob_keys(blob: BlobId) -> Range<Vec<u8>> {
    // A key of the last possible chunk, and one byte more: `u32::MAX` is included.
    let mut after = chunk_key(blob.chunk(u32::MAX));
    after.push(0);
    chunk_key(blob.chunk(0))..after
}

pub fn chunk_keys() -> Range<Vec<u8>> {
    vec![TABLE_CHUNK]..vec![TABLE_CHUNK + 1]
}

pub fn extent_key(extent: ExtentId) -> Vec<u8> {
    [&[TABLE_EXTENT], extent.0.to_be_bytes().as_slice()].concat()
}

pub fn extent_of_key(key: &[u8]) -> Result<ExtentId> {
    let Some((&TABLE_EXTENT, id)) = key.split_first() else { return Err(Error::corrupt("key of an extent")) };
    id.try_into().map(|id| ExtentId(u64::from_be_bytes(id))).map_err(|_| Error::corrupt("key of an extent"))
}

pub fn extent_keys() -> Range<Vec<u8>> {
    vec![TABLE_EXTENT]..vec![TABLE_EXTENT + 1]
}

pub fn scrub_key() -> Vec<u8> {
    vec![TABLE_SCRUB]
}

/// Every key of the chunk index.
pub fn all_keys() -> Range<Vec<u8>> {
    vec![0]..vec![u8::MAX]
}
