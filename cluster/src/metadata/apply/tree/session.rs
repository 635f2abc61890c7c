//! Upload sessions: begun, appended to, dropped. A session is a multipart upload of the tree's bucket.
//! Invariant: a sequential session has the bytes `0..received`, in parts numbered from 1 on.

use bytes::Bytes;

use super::super::bucket_draft::signed;
use super::super::{references, upload};
use super::tree_draft::TreeDraft;
use crate::error::Result;
use crate::id::UploadId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{AppendSession, CreateSession};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::PartRecord;
use crate::metadata::record::tree::{SessionKind, SessionPartRecord, SessionRecord};

/// More than S3's 10,000, which small pieces of 256 KiB would use up within 2.5 GiB.
pub(super) const PARTS_MAX: u16 = 60_000;
/// Where pieces of a concurrent session may begin (Dropbox: "a multiple of 4,194,304 bytes").
const CONCURRENT_STEP_BYTES: u64 = 4 << 20;

pub(super) fn create(tree: &mut TreeDraft<'_, '_>, create: &CreateSession) -> Decision<Outcome> {
    let reserved = create.bytes.unwrap_or(0);
    let record = SessionRecord {
        session: create.session,
        kind: create.kind,
        created_ms: tree.time_ms(),
        expires_ms: create.expires_ms,
        bytes: create.bytes,
        received: 0,
        reserved,
        parts: 0,
        closed: false,
        details: create.details.clone(),
        state: Bytes::new(),
        finished: None,
    };
    tree.record.reserved_bytes = tree.record.reserved_bytes.saturating_add(reserved);
    tree.bucket.change.uploads += 1;
    tree.bucket.draft.put(tree.space.session(create.session), &record);
    Ok(Outcome::UploadCreated { upload: create.session })
}

pub(super) fn append(tree: &mut TreeDraft<'_, '_>, append: &AppendSession) -> Decision<Outcome> {
    let mut session = tree.open_session(append.session)?;
    if session.closed {
        return Err(Refusal::SessionClosed.into());
    }
    if append.part.content.bytes > 0 {
        let number = match session.kind {
            SessionKind::Sequential => next_part(&session, append.offset)?,
            SessionKind::Concurrent => part_at(append.offset)?,
        };
        let replaced = store_part(tree, append, number)?;
        session.received = (session.received + append.part.content.bytes).saturating_sub(replaced);
        session.parts = session.parts.max(number);
        settle_reserve(tree, &mut session);
        match session.kind {
            SessionKind::Sequential => session.state = append.state.clone(),
            SessionKind::Concurrent => {
                let key = tree.space.session_part(append.session, number);
                tree.bucket.draft.put(key, &SessionPartRecord { state: append.state.clone() });
            }
        }
    }
    session.closed = append.close;
    session.expires_ms = append.expires_ms;
    tree.bucket.draft.put(tree.space.session(append.session), &session);
    Ok(Outcome::SessionAppended { received: session.received })
}

/// An unfinished one with all its bytes; of a finished one only the memory of it.
pub(super) fn abort(tree: &mut TreeDraft<'_, '_>, id: UploadId) -> Decision<Outcome> {
    let session = tree.session(id)?.ok_or(Refusal::NoSuchSession)?;
    if session.finished.is_none() {
        let parts = tree.session_parts(&session)?;
        upload::remove_parts(&mut tree.bucket, id, &parts)?;
        tree.end_session(&session)?;
    }
    tree.bucket.draft.delete(tree.space.session(id));
    Ok(Outcome::Done)
}

fn next_part(session: &SessionRecord, offset: u64) -> Decision<u16> {
    if offset != session.received {
        return Err(Refusal::IncorrectOffset { expected: session.received }.into());
    }
    if session.parts >= PARTS_MAX {
        return Err(Refusal::TooManyParts.into());
    }
    Ok(session.parts + 1)
}

fn part_at(offset: u64) -> Decision<u16> {
    if !offset.is_multiple_of(CONCURRENT_STEP_BYTES) {
        return Err(
            Refusal::IncorrectOffset { expected: offset / CONCURRENT_STEP_BYTES * CONCURRENT_STEP_BYTES }.into()
        );
    }
    let number = u16::try_from(offset / CONCURRENT_STEP_BYTES + 1).ok().filter(|number| *number <= PARTS_MAX);
    Ok(number.ok_or(Refusal::TooManyParts)?)
}

/// Answers the size of the part that it replaces.
fn store_part(tree: &mut TreeDraft<'_, '_>, append: &AppendSession, number: u16) -> Decision<u64> {
    let owner = tree.space.0.owner;
    let place = tree.space.0.part(append.session, number);
    let replaced: Option<PartRecord> = tree.bucket.draft.get(&place)?;
    references::name_new(tree.bucket.draft, owner, &append.part.content)?;
    let record = PartRecord {
        number,
        bytes: append.part.content.bytes,
        md5: append.part.md5,
        modified_ms: tree.time_ms(),
        content: append.part.content.content.clone(),
        checksum: append.part.checksum.clone(),
    };
    tree.bucket.draft.put(place, &record);
    tree.bucket.change.bytes += signed(record.bytes);
    let Some(replaced) = replaced else {
        return Ok(0);
    };
    tree.bucket.change.bytes -= signed(replaced.bytes);
    references::release(tree.bucket.draft, owner, &replaced.content)?;
    Ok(replaced.bytes)
}

/// What has come needs no reserve any more.
fn settle_reserve(tree: &mut TreeDraft<'_, '_>, session: &mut SessionRecord) {
    let still = session.bytes.unwrap_or(0).saturating_sub(session.received);
    tree.record.reserved_bytes = (tree.record.reserved_bytes + still).saturating_sub(session.reserved);
    session.reserved = still;
}

impl TreeDraft<'_, '_> {
    pub(super) fn session(&self, session: UploadId) -> Result<Option<SessionRecord>> {
        self.bucket.draft.get(&self.space.session(session))
    }

    /// That is not finished.
    pub(super) fn open_session(&self, session: UploadId) -> Decision<SessionRecord> {
        let record = self.session(session)?.ok_or(Refusal::NoSuchSession)?;
        if record.finished.is_some() {
            return Err(Refusal::SessionClosed.into());
        }
        Ok(record)
    }

    pub(super) fn session_parts(&self, session: &SessionRecord) -> Result<Vec<PartRecord>> {
        let (owner, bucket) = (self.space.0.owner, self.space.0.bucket);
        query::parts(self.bucket.draft.view(), owner, bucket, session.session, 0, usize::from(PARTS_MAX))
    }

    /// It is no upload in progress any more: nothing is reserved for it, and its running hashes go.
    pub(super) fn end_session(&mut self, session: &SessionRecord) -> Result<()> {
        self.record.reserved_bytes = self.record.reserved_bytes.saturating_sub(session.reserved);
        self.bucket.change.uploads -= 1;
        for key in query::tree::session_part_keys(self.bucket.draft.view(), self.space, session.session)? {
            self.bucket.draft.delete(key);
        }
        Ok(())
    }
}
