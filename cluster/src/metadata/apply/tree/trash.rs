//! Trash and undelete: one entry, whatever is below it.

use super::super::bucket_draft::signed;
use super::folder::{free_name, free_place};
use super::relocate::{movable, whole};
use super::totals::TotalsChange;
use super::tree_draft::{Found, Route, TreeDraft, changed};
use crate::error::Result;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{At, AutoRename};
use crate::metadata::outcome::{EntryChanged, Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{EntryName, EntryRecord, FormerPlace, PlaceRecord, Totals, TrashRecord, TreePath};

pub(super) fn trash(tree: &mut TreeDraft<'_, '_>, at: &At, expected_rev: Option<u64>) -> Decision<Outcome> {
    let found = deletable(tree, at, expected_rev)?;
    into_trash(tree, found)
}

pub(super) fn deletable(tree: &TreeDraft<'_, '_>, at: &At, expected_rev: Option<u64>) -> Decision<Found> {
    let found = movable(tree, at)?;
    if let Some(expected_rev) = expected_rev {
        let head = match found.record.folder() {
            Some(folder) => folder.subtree_seq,
            None => found.record.file().ok_or(Refusal::NotAFile)?.head.rev,
        };
        if head != expected_rev {
            return Err(Refusal::StaleRevision { head }.into());
        }
    }
    Ok(found)
}

pub(super) fn into_trash(tree: &mut TreeDraft<'_, '_>, found: Found) -> Decision<Outcome> {
    let path = found.path();
    let seq = tree.vacate(&found)?;
    tree.leave(&found)?;
    tree.forget_change(&found.record)?;
    let item = TrashRecord {
        seq,
        trashed_ms: tree.time_ms(),
        by: tree.author.clone(),
        parent: found.route.folder(),
        name: found.name,
        path: path.clone(),
        entry: found.record,
        purging: false,
    };
    tree.bucket.draft.put(tree.space.place(item.entry.id), &PlaceRecord::Trashed { seq });
    tree.bucket.draft.put(tree.space.trash(seq), &item);
    tree.count_files(item.entry.totals(), -1);
    tree.change_trash(TotalsChange::coming(item.entry.totals()))?;
    Ok(Outcome::EntryChanged(EntryChanged { path, entry: item.entry, unchanged: false, trashed: Some(seq) }))
}

pub(super) fn untrash(
    tree: &mut TreeDraft<'_, '_>,
    trashed: u64,
    to: Option<&TreePath>,
    rename: Option<&AutoRename>,
) -> Decision<Outcome> {
    let item = tree.trash_item(trashed)?.filter(|item| !item.purging).ok_or(Refusal::NoSuchTrashItem)?;
    let (route, name) = match to {
        Some(to) => free_place(tree, to, rename)?,
        None => former_place(tree, &item, rename)?,
    };
    let record = tree.leave_trash(item)?;
    Ok(changed(tree.arrive(&route, &name, whole(record))?))
}

fn former_place(
    tree: &TreeDraft<'_, '_>,
    item: &TrashRecord,
    rename: Option<&AutoRename>,
) -> Decision<(Route, EntryName)> {
    let route = query::route_of(tree.bucket.draft.view(), tree.space, item.parent)?.ok_or(Refusal::ParentGone)?;
    let Some(standing) = tree.child(&route, &item.name)? else {
        return Ok((route, item.name.clone()));
    };
    let taken = Refusal::EntryExists { entry: standing.record.id, is_folder: standing.record.is_folder() };
    let name = free_name(tree, &route, rename)?.ok_or(taken)?;
    Ok((route, name))
}

impl TreeDraft<'_, '_> {
    pub(super) fn trash_item(&self, seq: u64) -> Result<Option<TrashRecord>> {
        self.bucket.draft.get(&self.space.trash(seq))
    }

    /// The item's entry is no more in the trash; where it goes its `place` row must say.
    pub(super) fn leave_trash(&mut self, item: TrashRecord) -> Result<EntryRecord> {
        self.bucket.draft.delete(self.space.trash(item.seq));
        self.note_stood(item.entry.id, FormerPlace::Trash, self.record.seq + 1)?;
        self.count_files(item.entry.totals(), 1);
        self.change_trash(TotalsChange::going(item.entry.totals()))?;
        Ok(item.entry)
    }

    /// Files in the trash are no objects of the bucket.
    pub(super) fn count_files(&mut self, totals: Totals, sign: i64) {
        self.bucket.change.objects += sign * signed(totals.files);
    }
}
