//! Value: stored bytes as seeds that make them, so that a history of gigabytes fits in memory.

use md5::{Digest, Md5};

use crate::s3_client::pattern;

/// What one request uploaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    pub seed: u64,
    pub bytes: usize,
}

/// What a key holds: one piece, or the parts of an upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value(pub Vec<Piece>);

impl Piece {
    pub fn content(self) -> Vec<u8> {
        pattern(self.bytes, self.seed)
    }

    pub fn etag(self) -> String {
        format!("\"{}\"", hex::encode(Md5::digest(self.content())))
    }
}

impl Value {
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|piece| piece.bytes).sum()
    }

    pub fn is(&self, stored: &[u8]) -> bool {
        let mut rest = stored;
        self.bytes() == stored.len()
            && self.0.iter().all(|piece| {
                let (this, behind) = rest.split_at(piece.bytes);
                rest = behind;
                piece.content() == this
            })
    }
}

impl From<Piece> for Value {
    fn from(piece: Piece) -> Self {
        Self(vec![piece])
    }
}
