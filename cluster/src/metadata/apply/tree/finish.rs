//! Finish: the pieces of a session, or the parts of an upload through S3, become a file where they are.
//! Invariant: a refused finish leaves the session as it was; a finished session answers the same until it expires.

use super::super::bucket_draft::signed;
use super::super::complete_upload::{self, Completion};
use super::super::{references, upload};
use super::target::{self, Place, Target, Wanted};
use super::tree_draft::{Found, TreeDraft, changed, unchanged};
use crate::error::Result;
use crate::id::VersionId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{CompleteFile, FinishSession, NewFile};
use crate::metadata::outcome::{EntryChanged, ObjectWritten, Outcome, Refusal};
use crate::metadata::record::tree::{FinishedSession, SessionKind, SessionRecord};
use crate::metadata::record::{Content, ManifestRecord, PartRecord};

pub(super) fn finish_session(tree: &mut TreeDraft<'_, '_>, finish: &FinishSession) -> Decision<Outcome> {
    let session = tree.session(finish.session)?.ok_or(Refusal::NoSuchSession)?;
    if let Some(finished) = session.finished {
        let FinishedSession { path, entry } = finished;
        return Ok(Outcome::EntryChanged(EntryChanged { path, entry, unchanged: true, trashed: None }));
    }
    let parts = tree.session_parts(&session)?;
    check_complete(&session, finish, &parts)?;
    let wanted = Wanted {
        path: &finish.path,
        mode: &finish.mode,
        rename: finish.rename.as_ref(),
        bytes: finish.bytes,
        content_hash: finish.file.content_hash,
    };
    let (found, is_new) = match target::find(tree, &wanted)? {
        Target::Unchanged(found) => {
            upload::remove_parts(&mut tree.bucket, session.session, &parts)?;
            (found, false)
        }
        Target::Write(place) => {
            // The bytes of the parts are counted with the revision from now on.
            tree.bucket.change.bytes -= signed(session.received);
            let content = join(tree, &session, &parts)?;
            let revision = tree.revision(&finish.file, content, finish.bytes);
            (tree.write_file(place, revision)?, true)
        }
    };
    tree.end_session(&session)?;
    remember(tree, session, &found);
    Ok(if is_new { changed(found) } else { unchanged(found) })
}

fn check_complete(session: &SessionRecord, finish: &FinishSession, parts: &[PartRecord]) -> Decision<()> {
    if session.kind == SessionKind::Concurrent {
        if !session.closed {
            return Err(Refusal::SessionNotClosed.into());
        }
        check_gapless(parts)?;
    }
    if finish.bytes != session.received {
        return Err(Refusal::IncorrectOffset { expected: session.received }.into());
    }
    if session.bytes.is_some_and(|declared| declared != session.received) {
        return Err(Refusal::SizeMismatch.into());
    }
    Ok(())
}

/// A part's number says where it begins: at as many times 4 MiB.
fn check_gapless(parts: &[PartRecord]) -> Decision<()> {
    let mut end = 0;
    for part in parts {
        let begin = u64::from(part.number - 1) * (4 << 20);
        if begin != end {
            return Err(Refusal::SessionIncomplete { missing_at: end }.into());
        }
        end += part.bytes;
    }
    Ok(())
}

/// What a revision names for them: one part as it is, several through a manifest.
fn join(tree: &mut TreeDraft<'_, '_>, session: &SessionRecord, parts: &[PartRecord]) -> Result<Content> {
    match parts {
        [] => Ok(Content::Empty),
        [only] => {
            // Its name passes from the part to the revision: the count stays.
            tree.bucket.draft.delete(tree.space.0.part(session.session, only.number));
            Ok(only.content.clone())
        }
        parts => {
            let manifest = ManifestRecord { parts: parts.iter().map(|part| (part.number, part.bytes)).collect() };
            tree.bucket.draft.put(tree.space.0.manifest(session.session), &manifest);
            let content = Content::Parts { bucket: tree.space.0.bucket, upload: session.session };
            references::name_again(tree.bucket.draft, tree.space.0.owner, &content)?;
            Ok(content)
        }
    }
}

fn remember(tree: &mut TreeDraft<'_, '_>, session: SessionRecord, found: &Found) {
    let finished = FinishedSession { path: found.path(), entry: found.record.clone() };
    let record =
        SessionRecord { reserved: 0, closed: true, state: bytes::Bytes::new(), finished: Some(finished), ..session };
    tree.bucket.draft.put(tree.space.session(record.session), &record);
}

/// CompleteMultipartUpload, as of any bucket, but the object is a revision.
pub(super) fn complete_upload(tree: &mut TreeDraft<'_, '_>, complete: &CompleteFile) -> Decision<Outcome> {
    let completion = Completion {
        key: &complete.key,
        upload: complete.upload,
        parts: &complete.parts,
        checksum: complete.checksum.as_ref(),
        checksum_type: complete.checksum_type,
        expected_bytes: complete.expected_bytes,
    };
    let Some(standing) = complete_upload::standing(&tree.bucket, &completion)? else {
        return complete_upload::replay(&tree.bucket, &completion);
    };
    let wanted = Wanted {
        path: &complete.path,
        mode: &complete.mode,
        rename: complete.rename.as_ref(),
        bytes: 0,
        content_hash: None,
    };
    let place = match target::find(tree, &wanted)? {
        // Never of contents without a hash, and they would be the same all the same.
        Target::Unchanged(found) => Place::Over(found),
        Target::Write(place) => place,
    };
    let object = complete_upload::assemble(&mut tree.bucket, standing, &completion)?;
    let file = NewFile {
        etag: object.etag,
        checksum: object.checksum,
        content_hash: None,
        headers: object.headers,
        tags: object.tags,
        client_modified_ms: complete.client_modified_ms,
    };
    let revision = tree.revision(&file, object.content, object.bytes);
    let found = tree.write_file(place, revision)?;
    let written = written(&found)?;
    complete_upload::remember(&mut tree.bucket, &completion, &written)?;
    Ok(Outcome::ObjectWritten(written))
}

fn written(found: &Found) -> Decision<ObjectWritten> {
    let head = &found.record.file().ok_or(Refusal::NotAFile)?.head;
    Ok(ObjectWritten {
        version: VersionId::of_revision(head.rev, found.record.id),
        is_null: false,
        versioned: true,
        etag: head.etag,
        modified_ms: head.modified_ms,
        checksum: head.checksum.clone(),
        bytes: head.bytes,
    })
}
