//! Totals: what a change adds to the totals of a folder or of the trash.

use crate::error::{Error, ErrorKind, Result};
use crate::metadata::record::tree::Totals;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TotalsChange {
    before: Totals,
    after: Totals,
}

impl TotalsChange {
    pub(super) fn coming(totals: Totals) -> Self {
        Self { before: Totals::default(), after: totals }
    }

    pub(super) fn going(totals: Totals) -> Self {
        Self { before: totals, after: Totals::default() }
    }

    pub(super) fn between(before: Totals, after: Totals) -> Self {
        Self { before, after }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    pub(super) fn added_to(&self, totals: Totals) -> Result<Totals> {
        let (before, after) = (&self.before, &self.after);
        Ok(Totals {
            files: moved("files", totals.files, before.files, after.files)?,
            folders: moved("folders", totals.folders, before.folders, after.folders)?,
            bytes: moved("bytes", totals.bytes, before.bytes, after.bytes)?,
            revisions: moved("revisions", totals.revisions, before.revisions, after.revisions)?,
            revision_bytes: moved(
                "revision bytes",
                totals.revision_bytes,
                before.revision_bytes,
                after.revision_bytes,
            )?,
        })
    }
}

fn moved(what: &str, count: u64, before: u64, after: u64) -> Result<u64> {
    count
        .checked_add(after)
        .and_then(|count| count.checked_sub(before))
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("total of {what}: {count} - {before} + {after}")))
}
