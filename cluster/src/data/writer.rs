//! Blob writer: one uploaded body on its way to the drive.

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::id::OwnerKey;
use crate::metadata::command::NewContent;

pub struct BlobWriter {
    _owner: OwnerKey,
}

impl BlobWriter {
    pub(super) fn new(owner: OwnerKey) -> Self {
        Self { _owner: owner }
    }

    /// Waits while too many chunks of this body are on their way to the drive.
    pub async fn push(&mut self, _bytes: Bytes) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "data is not started"))
    }

    /// Everything pushed is durable when this returns (or travels inside the content). To be committed at once.
    pub async fn finish(self) -> Result<NewContent> {
        Err(Error::new(ErrorKind::Unavailable, "data is not started"))
    }
}
