//! Content hash: the digests of a file whose bytes come in pieces, over several requests and through several nodes.
//! Owns: what is computed of every file (MD5, CRC32C, and Dropbox's content hash: SHA-256 over the SHA-256 of each 4 MiB), and the
//! bytes in which a hash that is not finished travels from one node to the next.
//! Invariant: a byte is hashed once, as it comes in; no upload reads again what is stored already.

use crc_fast::CrcAlgorithm;
use md5::Md5;
use onggi_cluster::metadata::record::ETag;
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};

use crate::services::body_hash::RunningHash;

/// Of Dropbox's content hash. Pieces of a concurrent upload begin at multiples of it.
pub const BLOCK_BYTES: u64 = 4 << 20;

/// Of a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentDigests {
    pub bytes: u64,
    /// Unknown for pieces that came side by side: MD5 cannot be put together.
    pub md5: Option<[u8; 16]>,
    pub crc32c: u32,
    pub content_hash: [u8; 32],
}

/// Of the bytes so far, from the first one on.
#[derive(Clone)]
pub struct ContentHash {
    bytes: u64,
    md5: Md5,
    crc: RunningCrc,
    block: Sha256,
    whole: Sha256,
}

impl Default for ContentHash {
    fn default() -> Self {
        Self { bytes: 0, md5: Md5::new(), crc: RunningCrc::after(0), block: Sha256::new(), whole: Sha256::new() }
    }
}

impl RunningHash for ContentHash {
    fn update(&mut self, piece: &[u8]) {
        self.md5.update(piece);
        self.crc.update(piece);
        let whole = &mut self.whole;
        hash_blocks(&mut self.block, self.bytes, piece, |digest| whole.update(digest));
        self.bytes += piece.len() as u64;
    }
}

impl ContentHash {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn finish(mut self) -> ContentDigests {
        if !self.bytes.is_multiple_of(BLOCK_BYTES) {
            self.whole.update(self.block.finalize());
        }
        ContentDigests {
            bytes: self.bytes,
            md5: Some(self.md5.finalize().into()),
            crc32c: self.crc.value(),
            content_hash: self.whole.finalize().into(),
        }
    }
}

impl Record for ContentHash {
    const NAME: &'static str = "running content hash";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u64(self.bytes).u32(self.crc.value());
        encoder.raw(&SerializableState::serialize(&self.md5));
        encoder.raw(&SerializableState::serialize(&self.block));
        encoder.raw(&SerializableState::serialize(&self.whole));
    }

    fn decode_fields(_: u8, decoder: &mut Decoder<'_>) -> onggi_storage_engine::error::Result<Self> {
        Ok(Self {
            bytes: decoder.u64()?,
            crc: RunningCrc::after(decoder.u32()?),
            md5: hasher(decoder)?,
            block: hasher(decoder)?,
            whole: hasher(decoder)?,
        })
    }
}

fn hasher<H: SerializableState>(decoder: &mut Decoder<'_>) -> onggi_storage_engine::error::Result<H> {
    let mut state = SerializedState::<H>::default();
    let bytes = state.len();
    state.copy_from_slice(decoder.raw(bytes)?);
    H::deserialize(&state).map_err(|_| onggi_storage_engine::error::Error::corrupt("decode: no state of a hash"))
}

/// `at`: how many bytes came before `piece`. Every block that `piece` completes is given out.
pub fn hash_blocks(block: &mut Sha256, at: u64, piece: &[u8], mut completed: impl FnMut([u8; 32])) {
    let (mut at, mut rest) = (at, piece);
    while !rest.is_empty() {
        let room = BLOCK_BYTES - at % BLOCK_BYTES;
        let take = rest.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let (head, tail) = rest.split_at(take);
        block.update(head);
        at += take as u64;
        rest = tail;
        if at.is_multiple_of(BLOCK_BYTES) {
            completed(block.finalize_reset().into());
        }
    }
}

/// Kept as a value over what came before, because only values can be put together whatever computes them.
#[derive(Clone)]
struct RunningCrc {
    before: u32,
    since: crc_fast::Digest,
}

impl RunningCrc {
    fn after(before: u32) -> Self {
        Self { before, since: crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi) }
    }

    fn update(&mut self, piece: &[u8]) {
        self.since.update(piece);
    }

    fn value(&self) -> u32 {
        combined(self.before, self.since.finalize() as u32, self.since.get_amount())
    }
}

fn combined(first: u32, second: u32, second_bytes: u64) -> u32 {
    crc_fast::checksum_combine(CrcAlgorithm::Crc32Iscsi, first.into(), second.into(), second_bytes) as u32
}

/// Of one piece of a file whose pieces come side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PieceDigests {
    pub bytes: u64,
    pub md5: [u8; 16],
    pub crc32c: u32,
    /// SHA-256 of each block; of the rest, too, if the piece ends within one.
    pub blocks: Vec<[u8; 32]>,
}

/// The hash of such a piece while it comes in.
#[derive(Default)]
pub struct PieceHash {
    bytes: u64,
    md5: Md5,
    crc: RunningCrc,
    block: Sha256,
    blocks: Vec<[u8; 32]>,
}

impl Default for RunningCrc {
    fn default() -> Self {
        Self::after(0)
    }
}

impl RunningHash for PieceHash {
    fn update(&mut self, piece: &[u8]) {
        self.md5.update(piece);
        self.crc.update(piece);
        let blocks = &mut self.blocks;
        hash_blocks(&mut self.block, self.bytes, piece, |digest| blocks.push(digest));
        self.bytes += piece.len() as u64;
    }
}

impl PieceHash {
    pub fn finish(mut self) -> PieceDigests {
        if !self.bytes.is_multiple_of(BLOCK_BYTES) {
            self.blocks.push(self.block.finalize().into());
        }
        let (md5, crc32c) = (self.md5.finalize().into(), self.crc.value());
        PieceDigests { bytes: self.bytes, md5, crc32c, blocks: self.blocks }
    }
}

impl PieceDigests {
    /// Of the file that these pieces make, in their order. Only the last one may end within a block.
    pub fn combine<'a>(pieces: impl IntoIterator<Item = &'a Self>) -> ContentDigests {
        let (mut bytes, mut crc32c, mut whole) = (0, 0, Sha256::new());
        for piece in pieces {
            bytes += piece.bytes;
            crc32c = combined(crc32c, piece.crc32c, piece.bytes);
            piece.blocks.iter().for_each(|digest| whole.update(digest));
        }
        ContentDigests { bytes, md5: None, crc32c, content_hash: whole.finalize().into() }
    }

    /// As S3 makes one of parts: the MD5 of their MD5s, and how many they are.
    pub fn etag(pieces: &[Self]) -> ETag {
        let mut md5 = Md5::new();
        pieces.iter().for_each(|piece| md5.update(piece.md5));
        ETag { md5: md5.finalize().into(), parts: u32::try_from(pieces.len()).ok() }
    }
}

impl Record for PieceDigests {
    const NAME: &'static str = "digests of a piece";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u64(self.bytes).u32(self.crc32c).raw(&self.md5);
        encoder.list(&self.blocks, |encoder, digest| {
            encoder.raw(digest);
        });
    }

    fn decode_fields(_: u8, decoder: &mut Decoder<'_>) -> onggi_storage_engine::error::Result<Self> {
        Ok(Self {
            bytes: decoder.u64()?,
            crc32c: decoder.u32()?,
            md5: decoder.array()?,
            blocks: decoder.list(Decoder::array)?,
        })
    }
}

#[cfg(test)]
mod content_hash_test;
