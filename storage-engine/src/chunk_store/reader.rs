//! Reader: verified ranges of chunks, each with one read of the drive.
//! Invariant: no byte is returned whose block checksum did not match.

use std::io::{self, IoSliceMut};
use std::ops::Range;

use bytes::Bytes;

use super::index_record::Place;
use super::layout::{BLOCK_BYTES, BlockHasher, block_offset, block_payload_bytes};
use super::store::Store;
use crate::env::DiskFile;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ChunkId;

/// The garbage collector may move a chunk between look-up and open; more often than this in a row it does not.
const LOOKUPS_MAX: usize = 4;

impl Store {
    pub fn read(&self, chunk: ChunkId, range: Range<u32>) -> Result<Bytes> {
        self.read_of_place(chunk, |_| range.clone())
    }

    pub fn read_from(&self, chunk: ChunkId, start: u32) -> Result<Bytes> {
        self.read_of_place(chunk, |place| start..place.payload_bytes)
    }

    fn read_of_place(&self, chunk: ChunkId, range: impl Fn(Place) -> Range<u32>) -> Result<Bytes> {
        let mut missing = None;
        for _ in 0..LOOKUPS_MAX {
            let Some(place) = self.index.find(chunk)? else {
                return Err(Error::new(ErrorKind::NotFound, format!("read chunk {chunk:?}")));
            };
            match self.files.get(place.extent) {
                Ok(file) => return self.read_place(&*file, chunk, place, range(place)),
                Err(error) if error.kind == ErrorKind::NotFound => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        let reason = "its extent is missing";
        self.quarantine.add(chunk, reason.into());
        let error = Error::corrupt(format!("read chunk {chunk:?}: {reason}"));
        Err(missing.into_iter().fold(error, Error::with_source))
    }

    fn read_place(&self, file: &dyn DiskFile, chunk: ChunkId, place: Place, range: Range<u32>) -> Result<Bytes> {
        if range.start > range.end || range.end > place.payload_bytes {
            let context = format!("read {range:?} of chunk {chunk:?}, which has {} bytes", place.payload_bytes);
            return Err(Error::new(ErrorKind::Internal, context));
        }
        match read_range(file, chunk, place, range) {
            Ok(bytes) => {
                self.counters.reads.add(1);
                self.counters.read_bytes.add(bytes.len() as u64);
                Ok(bytes)
            }
            Err(reason) => {
                self.counters.corrupt_reads.add(1);
                self.quarantine.add(chunk, reason.to_string());
                Err(Error::corrupt(format!("read chunk {chunk:?}")).with_source(reason))
            }
        }
    }
}

/// Why the bytes of a chunk cannot be had from this drive.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    #[error("block {0} does not match its checksum")]
    Block(u32),
    #[error("the drive does not give the bytes: {0}")]
    Unreadable(#[from] io::Error),
}

/// Bytes whose block checksums matched.
pub type Verified = std::result::Result<Bytes, ReadFault>;

/// Reads and verifies the blocks that cover `range`. Payload and checksums are scattered into two buffers, so that the payload
/// is in one piece without having been copied.
pub fn read_range(file: &dyn DiskFile, chunk: ChunkId, place: Place, range: Range<u32>) -> Verified {
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    let first = (u64::from(range.start) / BLOCK_BYTES) as u32;
    let last = (u64::from(range.end - 1) / BLOCK_BYTES) as u32;
    let payload_start = u64::from(first) * BLOCK_BYTES;
    let payload_end = u64::from(last) * BLOCK_BYTES + block_payload_bytes(place.payload_bytes, last) as u64;
    let mut payload = vec![0; (payload_end - payload_start) as usize];
    let mut checksums = vec![[0; 4]; (last - first + 1) as usize];

    let blocks = payload.chunks_mut(BLOCK_BYTES as usize).zip(&mut checksums);
    let mut slices: Vec<IoSliceMut<'_>> =
        blocks.flat_map(|(block, checksum)| [IoSliceMut::new(block), IoSliceMut::new(checksum)]).collect();
    file.read_vectored_at(&mut slices, place.offset + block_offset(first))?;

    let hasher = BlockHasher::new(chunk);
    for (number, (block, checksum)) in (first..).zip(payload.chunks(BLOCK_BYTES as usize).zip(&checksums)) {
        if !hasher.matches(number, block, *checksum) {
            return Err(ReadFault::Block(number));
        }
    }
    let skip = (u64::from(range.start) - payload_start) as usize;
    Ok(Bytes::from(payload).slice(skip..skip + range.len()))
}
