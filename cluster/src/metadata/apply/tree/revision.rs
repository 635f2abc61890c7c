//! Revisions of a file: restore, keep, label, remove.

use super::super::bucket_draft::signed;
use super::super::references;
use super::totals::TotalsChange;
use super::tree_draft::{Found, TreeDraft, changed, unchanged};
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::At;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{EntryKind, EntryRecord, RevisionReason, RevisionRecord};

/// The old contents become a revision of today; no byte moves.
pub(super) fn restore(tree: &mut TreeDraft<'_, '_>, entry: EntryId, rev: u64) -> Decision<Outcome> {
    let found = file(tree, entry)?;
    let old = tree.stored_revision(&found.record, rev)?.ok_or(Refusal::NoSuchRevision)?;
    let is_head = found.record.file().is_some_and(|file| file.head.rev == rev);
    if is_head {
        return Ok(unchanged(found));
    }
    references::name_again(tree.bucket.draft, tree.space.0.owner, &old.content)?;
    tree.bucket.change.versions += 1;
    tree.bucket.change.bytes += signed(old.bytes);
    let revision = RevisionRecord {
        modified_ms: tree.time_ms(),
        author: tree.author.clone(),
        reason: RevisionReason::Restore,
        keep: false,
        label: String::new(),
        ..old
    };
    Ok(changed(tree.write_revision(found, revision)?))
}

/// No change of the file: nothing in the feed.
pub(super) fn mark(
    tree: &mut TreeDraft<'_, '_>,
    entry: EntryId,
    rev: u64,
    keep: Option<bool>,
    label: Option<&str>,
) -> Decision<Outcome> {
    let mut found = file(tree, entry)?;
    let mut revision = tree.stored_revision(&found.record, rev)?.ok_or(Refusal::NoSuchRevision)?;
    revision.keep = keep.unwrap_or(revision.keep);
    if let Some(label) = label {
        label.clone_into(&mut revision.label);
    }
    match &mut found.record.kind {
        EntryKind::File(file) if file.head.rev == rev => {
            file.head = revision;
            tree.put_in_place(&found);
        }
        _ => tree.bucket.draft.put(tree.space.revision(entry, rev), &revision),
    }
    Ok(changed(found))
}

/// For good: its bytes lose a name.
pub(super) fn remove(tree: &mut TreeDraft<'_, '_>, entry: EntryId, rev: u64) -> Decision<Outcome> {
    let mut found = file(tree, entry)?;
    let removed = tree.stored_revision(&found.record, rev)?.ok_or(Refusal::NoSuchRevision)?;
    tree.discard(&removed)?;
    let before = found.record.totals();
    let newest = query::revisions(tree.bucket.draft.view(), tree.space, entry, None, 1)?.pop();
    let EntryKind::File(file) = &mut found.record.kind else {
        return Err(Refusal::NotAFile.into());
    };
    if file.head.rev != rev {
        file.revisions -= 1;
        file.revision_bytes -= removed.bytes;
        tree.bucket.draft.delete(tree.space.revision(entry, rev));
        tree.put_in_place(&found);
        tree.touch(&found.route, TotalsChange::between(before, found.record.totals()))?;
        return Ok(changed(found));
    }
    let Some(newest) = newest else {
        return remove_file(tree, found);
    };
    file.revisions -= 1;
    file.revision_bytes -= newest.bytes;
    tree.bucket.draft.delete(tree.space.revision(entry, newest.rev));
    file.head = newest;
    tree.update(&mut found, before)?;
    Ok(changed(found))
}

/// Its last revision is gone, and with it the file: there is nothing that the trash could give back.
fn remove_file(tree: &mut TreeDraft<'_, '_>, found: Found) -> Decision<Outcome> {
    tree.vacate(&found)?;
    tree.leave(&found)?;
    tree.forget_change(&found.record)?;
    tree.bucket.draft.delete(tree.space.place(found.record.id));
    tree.forget_stood(found.record.id)?;
    tree.bucket.change.objects -= 1;
    Ok(changed(found))
}

fn file(tree: &TreeDraft<'_, '_>, entry: EntryId) -> Decision<Found> {
    let found = tree.find(&At::Entry(entry))?;
    if found.record.is_folder() {
        return Err(Refusal::NotAFile.into());
    }
    Ok(found)
}

impl TreeDraft<'_, '_> {
    /// The head or another one.
    pub(super) fn stored_revision(&self, record: &EntryRecord, rev: u64) -> Result<Option<RevisionRecord>> {
        query::revision(self.bucket.draft.view(), self.space, record, rev)
    }

    /// The revision counts no more, and its bytes lose a name.
    pub(super) fn discard(&mut self, revision: &RevisionRecord) -> Result<()> {
        self.bucket.change.versions -= 1;
        self.bucket.change.bytes -= signed(revision.bytes);
        references::release(self.bucket.draft, self.space.0.owner, &revision.content)
    }
}
