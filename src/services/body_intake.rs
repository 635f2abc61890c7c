//! Body intake: a request body on its way in: each piece is hashed and given to the writer; what the client claimed
//! about the whole is verified at the end.
//! Invariant: nothing is returned, and so nothing committed, for a body that is short, long or not what was claimed.

use futures::StreamExt;
use onggi_cluster::BlobWriter;
use onggi_cluster::metadata::command::NewContent;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm};

use super::body::{Body, BodyClaims, BodyPiece, ChecksumClaim};
use super::body_hash::{BodyHash, Digests, ObjectHash};
use super::error::{Digest, Error, Result};

/// A body that is stored (or travels in the command), ready to be committed.
pub(super) struct TakenBody {
    pub content: NewContent,
    pub md5: [u8; 16],
    pub checksum: Option<Checksum>,
}

/// `checksum_default` is computed when the client claims none.
pub(super) async fn take(
    mut body: Body,
    mut writer: BlobWriter,
    checksum_default: Option<ChecksumAlgorithm>,
) -> Result<TakenBody> {
    let mut hash = BodyHash::new(ObjectHash::new(body.claims.checksum.algorithm().or(checksum_default)));
    let mut received = 0;
    let mut trailer = None;
    while let Some(piece) = body.pieces.next().await {
        match piece.map_err(Error::Body)? {
            BodyPiece::Data(bytes) => {
                received += bytes.len() as u64;
                hash.update(bytes.clone()).await?;
                writer.push(bytes).await?;
            }
            BodyPiece::Trailer(checksum) => trailer = Some(checksum),
        }
    }
    if let Some(expected) = body.bytes.filter(|&expected| expected != received) {
        return Err(Error::BodyIncomplete { expected, received });
    }
    // The last batch is hashed while the drive syncs.
    let (digests, content) = futures::join!(hash.finish(), writer.finish());
    let digests = digests?.finish();
    verify(&body.claims, trailer.as_ref(), &digests)?;
    Ok(TakenBody { content: content?, md5: digests.md5, checksum: digests.checksum })
}

fn verify(claims: &BodyClaims, trailer: Option<&Checksum>, digests: &Digests) -> Result<()> {
    if claims.md5.is_some_and(|md5| md5 != digests.md5) {
        return Err(Error::DigestMismatch(Digest::ContentMd5));
    }
    let claimed = match &claims.checksum {
        ChecksumClaim::None => return Ok(()),
        ChecksumClaim::Value(checksum) => Some(checksum),
        ChecksumClaim::Trailer(_) => trailer,
    };
    let computed = digests.checksum.as_ref();
    let is_equal = claimed.map(|checksum| &checksum.value) == computed.map(|checksum| &checksum.value);
    match claims.checksum.algorithm() {
        Some(algorithm) if !is_equal => Err(Error::DigestMismatch(Digest::Checksum(algorithm))),
        _ => Ok(()),
    }
}
