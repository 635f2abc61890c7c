//! Frame writer: turns a payload into the slices of one vectored write, without copying it.

use std::io::{self, IoSlice};

use bytes::Bytes;

use super::layout::{BLOCK_BYTES, BlockHasher, FrameHeader, FramePlace, PAYLOAD_BYTES_MAX, block_count, padding_bytes};
use crate::env::DiskFile;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ChunkId;

const PADDING: [u8; 8] = [0; 8];

/// A payload and its checksums. The header is made when the place is known.
pub struct Frame {
    pub header: FrameHeader,
    payload: Vec<Bytes>,
    checksums: Vec<[u8; 4]>,
}

impl Frame {
    pub fn new(chunk: ChunkId, payload: Vec<Bytes>, created_ms: u64) -> Result<Self> {
        let bytes: usize = payload.iter().map(Bytes::len).sum();
        let valid = u32::try_from(bytes).ok().filter(|bytes| (1..=PAYLOAD_BYTES_MAX).contains(bytes));
        let Some(payload_bytes) = valid else {
            return Err(Error::new(ErrorKind::Internal, format!("append a chunk of {bytes} bytes")));
        };
        let hasher = BlockHasher::new(chunk);
        let mut checksums = Vec::with_capacity(block_count(payload_bytes) as usize);
        for_each_block(&payload, |number, pieces| {
            let mut block = hasher.block(number);
            pieces.iter().for_each(|piece| block.update(piece));
            checksums.push(block.finalize().to_le_bytes());
        });
        Ok(Self { header: FrameHeader { chunk, payload_bytes, created_ms }, payload, checksums })
    }

    pub fn write(&self, file: &dyn DiskFile, place: &FramePlace) -> io::Result<()> {
        let header = self.header.encode(place);
        let mut slices = Vec::with_capacity(self.payload.len() + 2 * self.checksums.len() + 2);
        slices.push(IoSlice::new(&header));
        for_each_block(&self.payload, |number, pieces| {
            slices.extend(pieces.iter().map(|piece| IoSlice::new(piece)));
            slices.push(IoSlice::new(&self.checksums[number as usize]));
        });
        slices.push(IoSlice::new(&PADDING[..padding_bytes(self.header.payload_bytes)]));
        file.write_at(&slices, place.offset)
    }
}

/// Gives the pieces of each block in turn, however the payload is cut.
fn for_each_block<'a>(payload: &'a [Bytes], mut visit: impl FnMut(u32, &[&'a [u8]])) {
    let mut number = 0;
    let mut pieces: Vec<&[u8]> = Vec::new();
    let mut room = BLOCK_BYTES as usize;
    for bytes in payload {
        let mut rest: &[u8] = bytes;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(room));
            pieces.push(piece);
            room -= piece.len();
            rest = after;
            if room == 0 {
                visit(number, &pieces);
                number += 1;
                pieces.clear();
                room = BLOCK_BYTES as usize;
            }
        }
    }
    if !pieces.is_empty() {
        visit(number, &pieces);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{BlobId, OwnerKey};

    #[test]
    fn checksums_do_not_depend_on_how_the_payload_is_cut() {
        let chunk = BlobId::new(OwnerKey(1), 2, 3).chunk(0);
        let payload: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let whole = Frame::new(chunk, vec![Bytes::from(payload.clone())], 1).expect("frame").checksums;
        assert_eq!(whole.len(), 4);
        for piece_bytes in [1000, 65_535, 65_536, 65_537, 131_072] {
            let pieces = payload.chunks(piece_bytes).map(Bytes::copy_from_slice).collect();
            assert_eq!(Frame::new(chunk, pieces, 1).expect("frame").checksums, whole, "{piece_bytes}");
        }
    }

    #[test]
    fn an_empty_or_huge_chunk_is_refused() {
        let chunk = BlobId::new(OwnerKey(1), 2, 3).chunk(0);
        assert!(Frame::new(chunk, vec![Bytes::new()], 1).is_err());
        assert!(Frame::new(chunk, vec![Bytes::from(vec![0; 32 << 20]); 3], 1).is_err());
    }
}
