//! References: how many versions and parts name stored bytes, and what goes when the last name does.
//! Owns: the `reference` table (docs/data-layout.md): a blob's and a manifest's count from 1 on, an inline payload's only
//! from 2 on, since most have one name for ever.
//! Invariant: a count is exactly the number of versions and parts in the records that name the bytes.

use crate::error::{Error, ErrorKind, Result};
use crate::id::{BucketId, OwnerKey, UploadId};
use crate::metadata::apply::{Decision, Draft};
use crate::metadata::command::NewContent;
use crate::metadata::key::{BucketSpace, OwnerSpace, Referent};
use crate::metadata::outcome::Refusal;
use crate::metadata::record::{Content, ManifestRecord, PartRecord, ReferenceRecord};

/// The first name of bytes that no record named before. A majority of those who decide must hold them.
pub(super) fn name_new(draft: &mut Draft<'_>, owner: OwnerKey, new: &NewContent) -> Decision<()> {
    // By the members at this very entry: who sent the bytes may not have heard of the latest.
    if new.synced_on.as_ref().is_some_and(|nodes| !draft.voters.have_majority(|voter| nodes.contains(&voter))) {
        return Err(Refusal::TooFewCopies.into());
    }
    match &new.content {
        Content::Inline { blob } => {
            draft.put_inline(*blob, new.inline.clone());
            Ok(())
        }
        Content::Blob { blob, chunk_bytes } => {
            draft.name_blob(*blob, new.bytes, *chunk_bytes);
            Ok(name_again(draft, owner, &new.content)?)
        }
        Content::Empty | Content::Parts { .. } => Ok(name_again(draft, owner, &new.content)?),
    }
}

/// One more name for bytes.
pub(super) fn name_again(draft: &mut Draft<'_>, owner: OwnerKey, content: &Content) -> Result<()> {
    let (referent, count_if_absent) = match content {
        Content::Empty => return Ok(()),
        Content::Inline { blob } => (Referent::Blob(*blob), 1),
        Content::Blob { blob, .. } => (Referent::Blob(*blob), 0),
        Content::Parts { upload, .. } => (Referent::Upload(*upload), 0),
    };
    let key = OwnerSpace(owner).reference(&referent);
    let count = draft.get::<ReferenceRecord>(&key)?.map_or(count_if_absent, |reference| reference.count);
    draft.put(key, &ReferenceRecord { count: count + 1 });
    Ok(())
}

/// One name less; with the last name the bytes go too.
pub(super) fn release(draft: &mut Draft<'_>, owner: OwnerKey, content: &Content) -> Result<()> {
    match content {
        Content::Empty => {}
        Content::Inline { blob } => {
            let key = OwnerSpace(owner).reference(&Referent::Blob(*blob));
            match draft.get::<ReferenceRecord>(&key)? {
                None => draft.delete_inline(*blob),
                Some(ReferenceRecord { count: 0 | 1 }) => return Err(gone(&Referent::Blob(*blob))),
                Some(ReferenceRecord { count: 2 }) => draft.delete(key),
                Some(ReferenceRecord { count }) => draft.put(key, &ReferenceRecord { count: count - 1 }),
            }
        }
        Content::Blob { blob, .. } => {
            if is_last_release(draft, owner, &Referent::Blob(*blob))? {
                draft.free_blob(*blob);
            }
        }
        Content::Parts { bucket, upload } => {
            if is_last_release(draft, owner, &Referent::Upload(*upload))? {
                release_manifest(draft, owner, *bucket, *upload)?;
            }
        }
    }
    Ok(())
}

/// Counts one name less; true if it was the last.
fn is_last_release(draft: &mut Draft<'_>, owner: OwnerKey, referent: &Referent) -> Result<bool> {
    let key = OwnerSpace(owner).reference(referent);
    match draft.get::<ReferenceRecord>(&key)? {
        None | Some(ReferenceRecord { count: 0 }) => Err(gone(referent)),
        Some(ReferenceRecord { count: 1 }) => {
            draft.delete(key);
            Ok(true)
        }
        Some(ReferenceRecord { count }) => {
            draft.put(key, &ReferenceRecord { count: count - 1 });
            Ok(false)
        }
    }
}

fn gone(referent: &Referent) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{referent:?} is named, but its reference count is not there"))
}

fn release_manifest(draft: &mut Draft<'_>, owner: OwnerKey, bucket: BucketId, upload: UploadId) -> Result<()> {
    let space = BucketSpace::new(owner, bucket);
    let missing = |what| Error::new(ErrorKind::Corrupt, format!("upload {upload}: {what} is gone"));
    let manifest: ManifestRecord = draft.get(&space.manifest(upload))?.ok_or_else(|| missing("manifest"))?;
    draft.delete(space.manifest(upload));
    for (number, _) in manifest.parts {
        let part: PartRecord = draft.get(&space.part(upload, number))?.ok_or_else(|| missing("part"))?;
        draft.delete(space.part(upload, number));
        release(draft, owner, &part.content)?;
    }
    Ok(())
}
