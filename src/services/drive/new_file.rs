//! New file: what a client says of a file that it sends, and what is known of it once its bytes are here.
//! Owns: which claims are checked, and that nothing is committed that is not what was claimed.

use onggi_cluster::metadata::command::tree::{AutoRename, NewFile, TreeChange, WriteMode};
use onggi_cluster::metadata::outcome::{EntryChanged, Refusal};
use onggi_cluster::metadata::record::tree::TreePath;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, ETag, ObjectHeaders};

use super::DriveService;
use super::actor::{Actor, Renaming};
use super::content_hash::ContentDigests;
use crate::services::error::{Digest, Error, Result};

/// Where a file shall go, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct FileTarget {
    pub path: TreePath,
    pub mode: WriteMode,
    /// Another name if this one is taken by something else.
    pub autorename: bool,
    pub client_modified_ms: Option<u64>,
    pub media_type: Option<String>,
}

/// What the client knows of the bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileClaims {
    pub bytes: Option<u64>,
    pub content_hash: Option<[u8; 32]>,
    pub md5: Option<[u8; 16]>,
}

impl FileTarget {
    pub(super) fn rename(&self, actor: &Actor) -> Option<AutoRename> {
        let renaming = match self.mode {
            WriteMode::Update { .. } => Renaming::Conflict,
            _ => Renaming::Numbered,
        };
        self.autorename.then(|| actor.auto_rename(&self.path, renaming, false)).flatten()
    }

    /// `etag`: for bytes whose MD5 is not known.
    pub(super) fn file(&self, digests: &ContentDigests, etag: ETag) -> NewFile {
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::Crc32c,
            kind: ChecksumType::FullObject,
            value: digests.crc32c.to_be_bytes().to_vec(),
        };
        NewFile {
            etag: digests.md5.map_or(etag, |md5| ETag { md5, parts: None }),
            checksum: Some(checksum),
            content_hash: Some(digests.content_hash),
            headers: ObjectHeaders { content_type: self.media_type.clone(), ..ObjectHeaders::default() },
            tags: Vec::new(),
            client_modified_ms: self.client_modified_ms,
        }
    }
}

impl DriveService {
    /// With `autorename` an update of what is gone makes it anew: what somebody edited is not lost with what somebody deleted.
    pub(super) async fn write_file(
        &self,
        actor: &Actor,
        target: &FileTarget,
        change: impl Fn(WriteMode) -> TreeChange,
    ) -> Result<EntryChanged> {
        let makes_anew = target.autorename && matches!(target.mode, WriteMode::Update { .. });
        match self.change_entry(actor, change(target.mode.clone())).await {
            Err(Error::Refused(Refusal::NoSuchEntry)) if makes_anew => {
                self.change_entry(actor, change(WriteMode::Add)).await
            }
            done => done,
        }
    }
}

impl FileClaims {
    pub(super) fn check(&self, digests: &ContentDigests) -> Result<()> {
        if let Some(expected) = self.bytes.filter(|&expected| expected != digests.bytes) {
            return Err(Error::BodyIncomplete { expected, received: digests.bytes });
        }
        if self.content_hash.is_some_and(|claimed| claimed != digests.content_hash) {
            return Err(Error::DigestMismatch(Digest::ContentHash));
        }
        if self.md5.is_some() && digests.md5.is_some() && self.md5 != digests.md5 {
            return Err(Error::DigestMismatch(Digest::ContentMd5));
        }
        Ok(())
    }
}
