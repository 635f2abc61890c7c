//! Checked pieces: bytes that must be what the client says of them, or none of them are stored.

use futures::StreamExt;
use onggi_cluster::metadata::checksum::ChecksumHasher;

use super::content_hash::ContentHash;
use super::session::Pieces;
use crate::services::BoxError;
use crate::services::body_hash::RunningHash;

#[derive(Debug, thiserror::Error)]
#[error("the bytes are not what their checksum says")]
pub struct PieceMismatch;

/// What a client says of the bytes of one request.
pub enum Claim {
    Checksum { hasher: Box<ChecksumHasher>, value: Vec<u8> },
    ContentHash { hash: Box<ContentHash>, value: [u8; 32] },
}

impl Claim {
    pub fn content_hash(value: [u8; 32]) -> Self {
        Self::ContentHash { hash: Box::default(), value }
    }

    /// The same pieces, and `PieceMismatch` instead of their end if they are something else.
    pub fn check(self, pieces: Pieces) -> Pieces {
        futures::stream::unfold(Some((pieces, self)), |state| async move {
            let (mut pieces, mut claim) = state?;
            match pieces.next().await {
                Some(Ok(piece)) => {
                    claim.update(&piece);
                    Some((Ok(piece), Some((pieces, claim))))
                }
                Some(Err(error)) => Some((Err(error), None)),
                None if claim.holds() => None,
                None => Some((Err(BoxError::from(PieceMismatch)), None)),
            }
        })
        .boxed()
    }

    fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Checksum { hasher, .. } => hasher.update(piece),
            Self::ContentHash { hash, .. } => hash.update(piece),
        }
    }

    fn holds(self) -> bool {
        match self {
            Self::Checksum { hasher, value } => hasher.finish().value == value,
            Self::ContentHash { hash, value } => hash.finish().content_hash == value,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use onggi_cluster::metadata::record::ChecksumAlgorithm;
    use sha2::{Digest, Sha256};

    use super::*;

    async fn passes(claim: Claim, body: &'static [u8]) -> bool {
        let pieces: Vec<Result<Bytes, BoxError>> = body.chunks(3).map(|piece| Ok(Bytes::from_static(piece))).collect();
        let mut checked = claim.check(futures::stream::iter(pieces).boxed());
        while let Some(piece) = checked.next().await {
            if let Err(error) = piece {
                return !error.is::<PieceMismatch>();
            }
        }
        true
    }

    #[tokio::test]
    async fn only_what_was_meant() {
        let crc = || Claim::Checksum {
            hasher: Box::new(ChecksumHasher::new(ChecksumAlgorithm::Crc32)),
            value: vec![0xcb, 0xf4, 0x39, 0x26],
        };
        assert!(passes(crc(), b"123456789").await);
        assert!(!passes(crc(), b"12345678").await);
        let hash = || Claim::content_hash(Sha256::digest(Sha256::digest(b"123456789")).into());
        assert!(passes(hash(), b"123456789").await);
        assert!(!passes(hash(), b"123456780").await);
    }
}
