//! Layout: the bytes of an extent (docs/data-layout.md, "Extents").
//! Owns: the extent header, the frame header, block checksums, and the arithmetic of where a block stands.
//! Does not own: which chunk is where (index), when bytes are durable (extent).
//! Invariant: a checksum covers the place as well as the bytes. A frame header is bound to drive, extent and offset, a block
//! to chunk and number, so that bytes which are intact but stand in the wrong place are refused.

use crate::id::ChunkId;

pub const EXTENT_HEADER_BYTES: u64 = 4096;
pub const FRAME_HEADER_BYTES: u64 = 64;
/// Payload bytes under one checksum: the least that a small range read has to fetch.
pub const BLOCK_BYTES: u64 = 65_536;
const CHECKSUM_BYTES: u64 = 4;
/// Frames begin at multiples of this: where a scan looks for the next frame behind damage.
pub const FRAME_ALIGNMENT: u64 = 8;
/// Bounds what a damaged length can make a reader allocate.
pub const PAYLOAD_BYTES_MAX: u32 = 64 << 20;

const EXTENT_MAGIC: [u8; 8] = *b"ONGGIEXT";
const EXTENT_VERSION: u16 = 1;
const FRAME_MAGIC: [u8; 4] = *b"ONGF";
const FRAME_VERSION: u8 = 1;
const FRAME_KIND_CHUNK: u8 = 1;

pub type DriveId = [u8; 16];

/// Number of an extent: ascending, never used twice while anything may still name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtentId(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtentHeader {
    pub drive: DriveId,
    pub extent: ExtentId,
    pub created_ms: u64,
}

/// Why the first bytes of a file are not the header of the extent that the file name promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderFault {
    #[error("no header, or a damaged one")]
    Damaged,
    #[error("written by a newer version ({0})")]
    NewerVersion(u16),
}

impl ExtentHeader {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(EXTENT_HEADER_BYTES as usize);
        bytes.extend_from_slice(&EXTENT_MAGIC);
        bytes.extend_from_slice(&EXTENT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        bytes.extend_from_slice(&self.drive);
        bytes.extend_from_slice(&self.extent.0.to_le_bytes());
        bytes.extend_from_slice(&self.created_ms.to_le_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes.resize(EXTENT_HEADER_BYTES as usize, 0);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        const CHECKED: usize = 8 + 2 + 2 + 16 + 8 + 8;
        if bytes.len() < CHECKED + 4 || bytes[..8] != EXTENT_MAGIC {
            return Err(HeaderFault::Damaged);
        }
        if crc32fast::hash(&bytes[..CHECKED]) != u32_at(bytes, CHECKED) {
            return Err(HeaderFault::Damaged);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != EXTENT_VERSION {
            return Err(HeaderFault::NewerVersion(version));
        }
        let mut drive = [0; 16];
        drive.copy_from_slice(&bytes[12..28]);
        Ok(Self { drive, extent: ExtentId(u64_at(bytes, 28)), created_ms: u64_at(bytes, 36) })
    }
}

/// Where a frame header stands. Its checksum covers this, so a header copied elsewhere (or a look-alike inside a payload)
/// is not taken for a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FramePlace {
    pub drive: DriveId,
    pub extent: ExtentId,
    pub offset: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameHeader {
    pub chunk: ChunkId,
    pub payload_bytes: u32,
    pub created_ms: u64,
}

impl FrameHeader {
    pub fn encode(&self, place: &FramePlace) -> [u8; FRAME_HEADER_BYTES as usize] {
        let mut bytes = [0; FRAME_HEADER_BYTES as usize];
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4] = FRAME_VERSION;
        bytes[5] = FRAME_KIND_CHUNK;
        bytes[8..34].copy_from_slice(self.chunk.as_bytes());
        bytes[36..40].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.created_ms.to_le_bytes());
        let checksum = frame_header_checksum(&bytes[..60], place);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// `None` unless a whole, undamaged header of this very place stands here.
    pub fn decode(bytes: &[u8], place: &FramePlace) -> Option<Self> {
        if bytes.len() < FRAME_HEADER_BYTES as usize || bytes[..4] != FRAME_MAGIC {
            return None;
        }
        let intact = frame_header_checksum(&bytes[..60], place) == u32_at(bytes, 60);
        let known = bytes[4] == FRAME_VERSION && bytes[5] == FRAME_KIND_CHUNK;
        let payload_bytes = u32_at(bytes, 36);
        if !intact || !known || !(1..=PAYLOAD_BYTES_MAX).contains(&payload_bytes) {
            return None;
        }
        let mut chunk = [0; ChunkId::BYTES];
        chunk.copy_from_slice(&bytes[8..34]);
        Some(Self { chunk: ChunkId::from_bytes(chunk), payload_bytes, created_ms: u64_at(bytes, 40) })
    }
}

fn frame_header_checksum(fields: &[u8], place: &FramePlace) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.drive);
    hasher.update(&place.extent.0.to_le_bytes());
    hasher.update(&place.offset.to_le_bytes());
    hasher.update(fields);
    hasher.finalize()
}

/// Checksums of the blocks of one chunk.
#[derive(Clone)]
pub struct BlockHasher(crc32fast::Hasher);

impl BlockHasher {
    pub fn new(chunk: ChunkId) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(chunk.as_bytes());
        Self(hasher)
    }

    /// A hasher that takes the payload of block `number` and then gives its checksum.
    pub fn block(&self, number: u32) -> crc32fast::Hasher {
        let mut hasher = self.0.clone();
        hasher.update(&number.to_le_bytes());
        hasher
    }

    pub fn matches(&self, number: u32, payload: &[u8], checksum: [u8; 4]) -> bool {
        let mut hasher = self.block(number);
        hasher.update(payload);
        hasher.finalize() == u32::from_le_bytes(checksum)
    }
}

pub fn block_count(payload_bytes: u32) -> u32 {
    u64::from(payload_bytes).div_ceil(BLOCK_BYTES) as u32
}

/// Payload bytes of block `number`: all full but the last.
pub fn block_payload_bytes(payload_bytes: u32, number: u32) -> usize {
    let start = u64::from(number) * BLOCK_BYTES;
    (u64::from(payload_bytes) - start).min(BLOCK_BYTES) as usize
}

/// Offset of block `number` from the begin of its frame.
pub fn block_offset(number: u32) -> u64 {
    FRAME_HEADER_BYTES + u64::from(number) * (BLOCK_BYTES + CHECKSUM_BYTES)
}

/// Bytes of a frame on the drive, padding included.
pub fn frame_bytes(payload_bytes: u32) -> u64 {
    let unpadded =
        FRAME_HEADER_BYTES + u64::from(payload_bytes) + u64::from(block_count(payload_bytes)) * CHECKSUM_BYTES;
    unpadded.next_multiple_of(FRAME_ALIGNMENT)
}

/// Zeros between the last checksum and the next frame.
pub fn padding_bytes(payload_bytes: u32) -> usize {
    let blocks = block_count(payload_bytes);
    let end = block_offset(blocks) - (u64::from(blocks) * BLOCK_BYTES - u64::from(payload_bytes));
    (frame_bytes(payload_bytes) - end) as usize
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::id::{BlobId, OwnerKey};

    const DRIVE: DriveId = *b"0123456789abcdef";

    fn check(bytes: &[u8], golden: Expect) {
        let lines: Vec<String> =
            bytes.chunks(16).map(|line| line.iter().map(|b| format!("{b:02x}")).collect()).collect();
        golden.assert_eq(&lines.join("\n"));
    }

    fn place() -> FramePlace {
        FramePlace { drive: DRIVE, extent: ExtentId(7), offset: 4096 }
    }

    fn frame() -> FrameHeader {
        let chunk = BlobId::new(OwnerKey(0x1122_3344_5566_7788), 1_790_000_000_123, 42).chunk(9);
        FrameHeader { chunk, payload_bytes: 100_000, created_ms: 1_790_000_000_456 }
    }

    #[test]
    fn golden_extent_header() {
        let header = ExtentHeader { drive: DRIVE, extent: ExtentId(7), created_ms: 1_790_000_000_123 };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, EXTENT_HEADER_BYTES);
        assert!(bytes[48..].iter().all(|byte| *byte == 0));
        check(
            &bytes[..48],
            expect![[r#"
            4f4e4747494558540100000030313233
            34353637383961626364656607000000
            000000007b6c50c4a001000042a44800"#]],
        );
        assert_eq!(ExtentHeader::decode(&bytes), Ok(header));
    }

    #[test]
    fn golden_frame_header() {
        let bytes = frame().encode(&place());
        check(
            &bytes,
            expect![[r#"
            4f4e4746010100001122334455667788
            01a0c4506c7b000000000000002a0000
            00090000a0860100c86d50c4a0010000
            00000000000000000000000082d45480"#]],
        );
        assert_eq!(FrameHeader::decode(&bytes, &place()), Some(frame()));
    }

    #[test]
    fn golden_block_checksum() {
        let mut hasher = BlockHasher::new(frame().chunk).block(1);
        hasher.update(b"onggi");
        check(&hasher.finalize().to_le_bytes(), expect!["6df861ce"]);
    }

    #[test]
    fn a_header_of_another_place_is_not_a_frame() {
        let bytes = frame().encode(&place());
        assert_eq!(FrameHeader::decode(&bytes, &FramePlace { offset: 8192, ..place() }), None);
        assert_eq!(FrameHeader::decode(&bytes, &FramePlace { extent: ExtentId(8), ..place() }), None);
        assert_eq!(FrameHeader::decode(&bytes, &FramePlace { drive: [0; 16], ..place() }), None);
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let extent = ExtentHeader { drive: DRIVE, extent: ExtentId(7), created_ms: 1 }.encode();
        for bit in 0..48 * 8 {
            let mut bytes = extent.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ExtentHeader::decode(&bytes), Err(HeaderFault::Damaged), "bit {bit}");
        }
        let intact = frame().encode(&place());
        for bit in 0..intact.len() * 8 {
            let mut bytes = intact;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&bytes, &place()), None, "bit {bit}");
        }
    }

    #[test]
    fn a_checksum_is_bound_to_chunk_and_block() {
        let blob = BlobId::new(OwnerKey(1), 2, 3);
        let mut hasher = BlockHasher::new(blob.chunk(0)).block(0);
        hasher.update(b"payload");
        let checksum = hasher.finalize().to_le_bytes();
        assert!(BlockHasher::new(blob.chunk(0)).matches(0, b"payload", checksum));
        assert!(!BlockHasher::new(blob.chunk(0)).matches(1, b"payload", checksum));
        assert!(!BlockHasher::new(blob.chunk(1)).matches(0, b"payload", checksum));
    }

    #[test]
    fn arithmetic_at_the_edges() {
        let line = |payload: u32| {
            let (blocks, last) = (block_count(payload), block_payload_bytes(payload, block_count(payload) - 1));
            format!(
                "{payload}: {blocks} blocks, last {last}, frame {} padding {}",
                frame_bytes(payload),
                padding_bytes(payload)
            )
        };
        let lines: Vec<String> = [1, 65_535, 65_536, 65_537, 131_072, 4 << 20].map(line).into();
        expect![[r#"
            1: 1 blocks, last 1, frame 72 padding 3
            65535: 1 blocks, last 65535, frame 65608 padding 5
            65536: 1 blocks, last 65536, frame 65608 padding 4
            65537: 2 blocks, last 1, frame 65616 padding 7
            131072: 2 blocks, last 65536, frame 131144 padding 0
            4194304: 64 blocks, last 65536, frame 4194624 padding 0"#]]
        .assert_eq(&lines.join("\n"));
    }
}
