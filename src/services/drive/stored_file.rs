//! Stored file: one revision of a file, found to be read.

use std::ops::Range;

use onggi_cluster::metadata::command::tree::At;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::Content;
use onggi_cluster::metadata::record::tree::RevisionRecord;

use super::DriveService;
use super::actor::Actor;
use super::entries::Entry;
use super::revisions::known_file;
use crate::services::error::{Error, Result};
use crate::services::found_object::ObjectBytes;
use crate::services::object_reader::StoredContent;

/// Found for an actor who may read it.
#[derive(Clone, Debug)]
pub struct StoredFile {
    pub entry: Entry,
    pub revision: RevisionRecord,
    content: StoredContent,
}

impl DriveService {
    /// The head, or the revision `rev`.
    pub async fn file(&self, actor: &Actor, at: At, rev: Option<u64>) -> Result<StoredFile> {
        let owner = actor.principal.owner_key();
        let found = self
            .read(actor, move |view, tree| {
                let file = match known_file(view, tree, &at)? {
                    // What lies in the trash is given out only to who asks for a revision of it.
                    Ok(file) if file.trashed.is_some() && rev.is_none() => return Ok(Err(Refusal::NoSuchEntry)),
                    Ok(file) => file,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let rev = rev.unwrap_or(file.head.rev);
                let Some(revision) = query::tree::revision(view, tree, &file.entry.record, rev)? else {
                    return Ok(Err(Refusal::NoSuchRevision));
                };
                let manifest = match revision.content {
                    Content::Parts { bucket, upload } => query::manifest(view, owner, bucket, upload)?,
                    _ => None,
                };
                let content =
                    StoredContent { owner, content: revision.content.clone(), bytes: revision.bytes, manifest };
                Ok(Ok(StoredFile { entry: file.entry, revision, content }))
            })
            .await?;
        found.map_err(Error::Refused)
    }

    /// The first piece is read before this returns, so that bad news come before good headers. `Vanished`: the revision was removed
    /// since it was found.
    pub async fn read_file(&self, file: &StoredFile, range: Range<u64>) -> Result<ObjectBytes> {
        self.content.read(&file.content, range).await
    }
}
