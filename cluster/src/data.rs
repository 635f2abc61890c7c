//! Object bytes: the way to their replicas and back.

mod reader;
mod writer;

pub use reader::ContentStream;
pub use writer::BlobWriter;

use std::ops::Range;
use std::sync::Arc;

use crate::id::OwnerKey;
use crate::metadata::record::Content;

/// Cheap to clone.
#[derive(Clone)]
pub struct DataClient {
    _inner: Arc<()>,
}

impl DataClient {
    /// Takes one uploaded body. Bytes of a writer that is dropped, or never committed, are swept later.
    pub fn blob_writer(&self, owner: OwnerKey) -> BlobWriter {
        BlobWriter::new(owner)
    }

    /// The verified bytes `range` of `content`, which holds `bytes` in all. `Content::Parts` is resolved by the caller
    /// through the manifest. `NotFound`: the version was replaced or deleted since its record was read; read it again.
    pub fn read(&self, content: &Content, bytes: u64, range: Range<u64>) -> ContentStream {
        reader::read(content, bytes, range)
    }
}
