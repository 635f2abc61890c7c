//! Body: the bytes of an upload as a front end hands them over, with what the client claims about them.
//! Does not own: how they were framed on the wire (each front end decodes its own).

use bytes::Bytes;
use futures::stream::BoxStream;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm};

use super::error::BoxError;

pub struct Body {
    pub pieces: BoxStream<'static, Result<BodyPiece, BoxError>>,
    /// The length announced; a body that ends elsewhere is incomplete.
    pub bytes: Option<u64>,
    pub claims: BodyClaims,
}

pub enum BodyPiece {
    Data(Bytes),
    /// The checksum that follows the data, if `ChecksumClaim::Trailer` announced one.
    Trailer(Checksum),
}

/// Each is verified before anything is committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BodyClaims {
    pub md5: Option<[u8; 16]>,
    pub checksum: ChecksumClaim,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum ChecksumClaim {
    #[default]
    None,
    Value(Checksum),
    /// The value comes after the bytes.
    Trailer(ChecksumAlgorithm),
}

impl ChecksumClaim {
    pub fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        match self {
            Self::None => None,
            Self::Value(checksum) => Some(checksum.algorithm),
            Self::Trailer(algorithm) => Some(*algorithm),
        }
    }
}
