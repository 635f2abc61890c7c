//! Ids: the names of users' data as they stand in keys, on disk and in memory.
//! Owns: the byte form and order of `OwnerKey`, `BlobId` and `ChunkId` (docs/data-layout.md).
//! Does not own: who owns what, or which node holds it (cluster).

use std::fmt;

/// A user's place in the key space: `mix64(user id)`, compared and stored as big endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerKey(pub u64);

impl OwnerKey {
    /// Spreads user numbers evenly over the key space. A bijection, so two users never share a key:
    /// the SplitMix64 finalizer (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
    pub fn of_user(user: u64) -> Self {
        let mut z = user.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(z ^ (z >> 31))
    }

    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// The stored bytes of one uploaded body: `OwnerKey` (8) ‖ unix ms (6) ‖ random (8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; BlobId::BYTES]);

impl BlobId {
    pub const BYTES: usize = 22;

    pub fn new(owner: OwnerKey, created_ms: u64, random: u64) -> Self {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&owner.to_bytes());
        bytes[8..14].copy_from_slice(&created_ms.to_be_bytes()[2..]);
        bytes[14..].copy_from_slice(&random.to_be_bytes());
        Self(bytes)
    }

    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    pub fn owner(&self) -> OwnerKey {
        let mut owner = [0; 8];
        owner.copy_from_slice(&self.0[..8]);
        OwnerKey(u64::from_be_bytes(owner))
    }

    /// When the bytes began to arrive, in unix milliseconds: what the sweep's grace period is counted from.
    pub fn created_ms(&self) -> u64 {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0[8..14]);
        u64::from_be_bytes(ms)
    }

    pub fn chunk(&self, number: u32) -> ChunkId {
        let mut bytes = [0; ChunkId::BYTES];
        bytes[..Self::BYTES].copy_from_slice(&self.0);
        bytes[Self::BYTES..].copy_from_slice(&number.to_be_bytes());
        ChunkId(bytes)
    }
}

/// One stored piece of a blob: `BlobId` ‖ number (u32, from 0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId([u8; ChunkId::BYTES]);

impl ChunkId {
    pub const BYTES: usize = BlobId::BYTES + 4;

    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    pub fn blob(&self) -> BlobId {
        let mut blob = [0; BlobId::BYTES];
        blob.copy_from_slice(&self.0[..BlobId::BYTES]);
        BlobId(blob)
    }

    pub fn number(&self) -> u32 {
        let mut number = [0; 4];
        number.copy_from_slice(&self.0[BlobId::BYTES..]);
        u32::from_be_bytes(number)
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.blob(), self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_id_come_back() {
        let owner = OwnerKey::of_user(7);
        let blob = BlobId::new(owner, 1_790_000_000_123, 42);
        assert_eq!((blob.owner(), blob.created_ms()), (owner, 1_790_000_000_123));
        let chunk = blob.chunk(9);
        assert_eq!((chunk.blob(), chunk.number()), (blob, 9));
    }

    #[test]
    fn chunks_of_a_blob_are_neighbours_in_order() {
        let blob = BlobId::new(OwnerKey(5), 1, 1);
        assert!(blob.chunk(0) < blob.chunk(1) && blob.chunk(255) < blob.chunk(256));
    }
}
