//! Purge: an item of the trash goes for good, some rows in each command.
//! Invariant: totals of the trash are exact after every step; those of the folders inside an item that is being purged are not kept.

use super::totals::TotalsChange;
use super::tree_draft::TreeDraft;
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{EntryKind, EntryName, EntryRecord, Totals};

/// What one command may remove, whatever it was asked for. A file counts with its revisions.
const ROWS_MAX: u32 = 10_000;

pub(super) fn purge(tree: &mut TreeDraft<'_, '_>, trashed: u64, limit: u32) -> Decision<Outcome> {
    let mut item = tree.trash_item(trashed)?.ok_or(Refusal::NoSuchTrashItem)?;
    let mut rows_left = u64::from(limit.clamp(1, ROWS_MAX));
    let is_empty = match item.entry.kind {
        EntryKind::Folder(_) => empty_folder(tree, item.entry.id, &mut rows_left)?,
        EntryKind::File(_) => true,
    };
    if is_empty {
        remove_entry(tree, &item.entry)?;
        tree.bucket.draft.delete(tree.space.trash(trashed));
    } else {
        item.purging = true;
        tree.bucket.draft.put(tree.space.trash(trashed), &item);
    }
    Ok(Outcome::Purged { more: !is_empty })
}

/// Removes what is below, deepest first, while rows are left; true if nothing is.
fn empty_folder(tree: &mut TreeDraft<'_, '_>, folder: EntryId, rows_left: &mut u64) -> Decision<bool> {
    loop {
        let wanted = usize::try_from(*rows_left).unwrap_or(usize::MAX);
        let children = tree.named_children_max(folder, wanted)?;
        if children.is_empty() {
            return Ok(true);
        }
        for (name, record) in children {
            if *rows_left == 0 || (record.is_folder() && !empty_folder(tree, record.id, rows_left)?) {
                return Ok(false);
            }
            tree.unseat(folder, &name, record.is_folder());
            tree.forget_change(&record)?;
            let rows = 1 + record.file().map_or(0, |file| file.revisions);
            remove_entry(tree, &record)?;
            *rows_left = rows_left.saturating_sub(rows);
        }
        if *rows_left == 0 {
            return Ok(false);
        }
    }
}

/// The entry itself: its revisions, its place, its share of the trash's totals.
fn remove_entry(tree: &mut TreeDraft<'_, '_>, record: &EntryRecord) -> Result<()> {
    let totals = match &record.kind {
        EntryKind::Folder(_) => Totals { folders: 1, ..Totals::default() },
        EntryKind::File(file) => {
            let others = query::revisions(tree.bucket.draft.view(), tree.space, record.id, None, usize::MAX)?;
            for revision in &others {
                tree.bucket.draft.delete(tree.space.revision(record.id, revision.rev));
                tree.discard(revision)?;
            }
            tree.discard(&file.head)?;
            record.totals()
        }
    };
    tree.bucket.draft.delete(tree.space.place(record.id));
    tree.forget_stood(record.id)?;
    tree.change_trash(TotalsChange::going(totals))
}

impl TreeDraft<'_, '_> {
    pub(super) fn named_children(&self, folder: EntryId) -> Result<Vec<(EntryName, EntryRecord)>> {
        self.named_children_max(folder, usize::MAX)
    }

    fn named_children_max(&self, folder: EntryId, limit: usize) -> Result<Vec<(EntryName, EntryRecord)>> {
        query::named_children(self.bucket.draft.view(), self.space, folder, limit)
    }
}
