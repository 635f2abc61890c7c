//! Feed: the rows that say what changed, for cursors.
//! Invariant: an entry has one row, that of its own last change; a vacated place has one row, the newest.

use super::tree_draft::{Found, TreeDraft};
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::outcome::Outcome;
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{ChangeRecord, EntryKind, EntryRecord, FormerPlace, VacatedRecord};

/// What one command may forget.
const TRIMMED_MAX: u32 = 10_000;

/// Forgets vacated places from before a time. The rows of entries stay: there is one for each, whatever its age.
pub(super) fn trim(tree: &mut TreeDraft<'_, '_>, before_ms: u64, limit: u32) -> Decision<Outcome> {
    let limit = limit.min(TRIMMED_MAX) as usize;
    let oldest = query::vacated_places(tree.bucket.draft.view(), tree.space, limit)?;
    let mut more = oldest.len() == limit;
    for (parent, key, vacated) in oldest {
        if vacated.time_ms >= before_ms {
            more = false;
            break;
        }
        tree.bucket.draft.delete(tree.space.vacated(parent, &key));
        tree.bucket.draft.delete(tree.space.change(vacated.seq));
        tree.record.feed_floor = vacated.seq;
    }
    tree.trim_moments(before_ms, limit)?;
    Ok(Outcome::Purged { more })
}

impl TreeDraft<'_, '_> {
    fn next_seq(&mut self) -> u64 {
        self.record.seq += 1;
        self.record.seq
    }

    /// The entry's newest change is this one.
    pub(super) fn note_change(&mut self, record: &mut EntryRecord) -> Result<()> {
        self.forget_change(record)?;
        record.changed_seq = self.next_seq();
        if let EntryKind::Folder(folder) = &mut record.kind {
            folder.subtree_seq = record.changed_seq;
        }
        self.bucket.draft.put(self.space.change(record.changed_seq), &ChangeRecord::Entry(record.id));
        Ok(())
    }

    /// What came along with a folder has no row of its own: only a row that names it goes.
    pub(super) fn forget_change(&mut self, record: &EntryRecord) -> Result<()> {
        let key = self.space.change(record.changed_seq);
        if self.bucket.draft.get(&key)? == Some(ChangeRecord::Entry(record.id)) {
            self.bucket.draft.delete(key);
        }
        Ok(())
    }

    /// Whoever knows the path of `found` learns that it is gone from there.
    pub(super) fn vacate(&mut self, found: &Found) -> Result<u64> {
        let (parent, folded) = (found.route.folder(), &found.name.key);
        let place = self.space.vacated(parent, folded);
        if let Some(before) = self.bucket.draft.get::<VacatedRecord>(&place)? {
            self.bucket.draft.delete(self.space.change(before.seq));
        }
        let seq = self.next_seq();
        let vacated = VacatedRecord {
            seq,
            time_ms: self.time_ms(),
            entry: found.record.id,
            name: found.name.name.clone(),
            was_folder: found.record.is_folder(),
        };
        self.bucket.draft.put(place, &vacated);
        self.note_stood(found.record.id, FormerPlace::Folder { parent, name: found.name.clone() }, seq)?;
        self.bucket.draft.put(self.space.change(seq), &ChangeRecord::Vacated { parent, key: folded.clone() });
        Ok(seq)
    }

    /// The last entry that left this place.
    pub(super) fn last_here(&self, parent: EntryId, folded: &str) -> Result<Option<VacatedRecord>> {
        self.bucket.draft.get(&self.space.vacated(parent, folded))
    }
}
