//! Stood: what a rewind goes by: where entries stood, and how far the tree was when.
//! Invariant: every change of an entry's place leaves a row, and what is purged leaves none.

use super::tree_draft::TreeDraft;
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{FormerPlace, MomentRecord, StoodRecord, TreeRecord};

/// Of one entry. Past it the oldest is forgotten.
const STOOD_MAX: usize = 64;

impl TreeDraft<'_, '_> {
    /// The entry leaves this place with the change `seq`.
    pub(super) fn note_stood(&mut self, entry: EntryId, place: FormerPlace, seq: u64) -> Result<()> {
        let known = query::stood(self.bucket.draft.view(), self.space, entry)?;
        let too_many = (known.len() + 1).saturating_sub(STOOD_MAX);
        for (seq, _) in known.iter().take(too_many) {
            self.bucket.draft.delete(self.space.stood(entry, *seq));
        }
        let record = StoodRecord { until_ms: self.time_ms(), place };
        self.bucket.draft.put(self.space.stood(entry, seq), &record);
        Ok(())
    }

    pub(super) fn forget_stood(&mut self, entry: EntryId) -> Result<()> {
        for (seq, _) in query::stood(self.bucket.draft.view(), self.space, entry)? {
            self.bucket.draft.delete(self.space.stood(entry, seq));
        }
        Ok(())
    }

    /// The first change of a span of time notes how far the tree was before it.
    pub(super) fn note_moment(&mut self, before: &TreeRecord) -> Result<()> {
        let key = self.space.moment(self.time_ms() / MomentRecord::SPAN_MS);
        if self.record.seq != before.seq && !self.bucket.draft.exists(&key)? {
            let moment = MomentRecord { seq: before.seq, last_entry: before.last_entry };
            self.bucket.draft.put(key, &moment);
        }
        Ok(())
    }

    /// All before the time but the last, which says how far back the rest goes.
    pub(super) fn trim_moments(&mut self, before_ms: u64, limit: usize) -> Result<()> {
        let oldest = query::moments(self.bucket.draft.view(), self.space, 0, limit)?;
        let old = oldest.iter().filter(|(span, _)| (span + 1) * MomentRecord::SPAN_MS <= before_ms).count();
        for (span, _) in oldest.iter().take(old.saturating_sub(1)) {
            self.bucket.draft.delete(self.space.moment(*span));
        }
        Ok(())
    }
}
