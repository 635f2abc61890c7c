//! Metadata view: read access to one consistent state of the metadata.

use std::ops::{ControlFlow, Range};

use bytes::Bytes;

use crate::error::Result;

/// Blocking: call it on a thread that may wait for the disk.
pub trait MetadataView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>>;

    /// Visits the keys of `range` in ascending order until the visitor breaks.
    fn scan(&self, range: Range<&[u8]>, visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>) -> Result<()>;

    /// Visits the keys of `range` in descending order until the visitor breaks.
    fn scan_reverse(&self, range: Range<&[u8]>, visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>) -> Result<()>;
}
