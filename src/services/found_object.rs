//! Found object: one version of a key as it was resolved, and its bytes once they are opened.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use onggi_cluster::ContentStream;
use onggi_cluster::id::{OwnerKey, VersionId};
use onggi_cluster::metadata::record::{BucketRecord, ManifestRecord, ObjectRecord};

use super::body::{Body, BodyClaims, BodyPiece};
use super::error::BoxError;
use super::name::ObjectKey;
use super::object_reader::{self, StoredContent};

/// How often an object may be replaced between being found and being opened or copied (`Error::Vanished`) before the caller
/// is asked to try again: each time some other write succeeded.
pub const RESOLVE_ATTEMPTS_MAX: usize = 8;

/// Found for a principal who may read it.
#[derive(Clone, Debug)]
pub struct FoundObject {
    pub(super) owner: OwnerKey,
    pub bucket: BucketRecord,
    pub key: ObjectKey,
    pub version: VersionId,
    pub is_null: bool,
    pub is_latest: bool,
    pub modified_ms: u64,
    pub object: ObjectRecord,
    /// Of a completed multipart upload.
    pub(super) manifest: Option<ManifestRecord>,
}

impl FoundObject {
    pub(super) fn stored(&self) -> StoredContent {
        StoredContent {
            owner: self.owner,
            content: self.object.content.clone(),
            bytes: self.object.bytes,
            manifest: self.manifest.clone(),
        }
    }

    /// How many parts the object was uploaded in; `None` for a single PUT.
    pub fn part_count(&self) -> Option<usize> {
        self.manifest.as_ref().map(|manifest| manifest.parts.len())
    }

    /// The bytes of the `number`th part, counted from 1 without gaps. An object of a single PUT is its own part 1.
    pub fn part_range(&self, number: u16) -> Option<std::ops::Range<u64>> {
        let index = usize::from(number).checked_sub(1)?;
        match &self.manifest {
            Some(manifest) => object_reader::range_of_part(manifest, index),
            None => (index == 0).then_some(0..self.object.bytes),
        }
    }

    /// The number under which the `number`th part was uploaded.
    pub fn uploaded_number(&self, number: u16) -> Option<u16> {
        let index = usize::from(number).checked_sub(1)?;
        self.manifest.as_ref()?.parts.get(index).map(|&(number, _)| number)
    }
}

/// Verified bytes: the first piece is here, the rest (if any) follows.
#[derive(Default)]
pub struct ObjectBytes {
    pub first: Bytes,
    pub rest: Option<ContentStream>,
}

impl ObjectBytes {
    /// To be stored again elsewhere.
    pub(super) fn into_body(self, bytes: u64) -> Body {
        let pieces = self.into_pieces().map(|piece| piece.map(BodyPiece::Data)).boxed();
        Body { pieces, bytes: Some(bytes), claims: BodyClaims::default() }
    }

    pub fn into_pieces(self) -> BoxStream<'static, Result<Bytes, BoxError>> {
        let rest = futures::stream::iter(self.rest).flatten().map(|piece| piece.map_err(BoxError::from));
        futures::stream::iter([Ok(self.first)]).chain(rest).boxed()
    }
}
