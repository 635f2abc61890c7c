//! Rewind: which rows a rewind looks at, page by page, and what it would do.
//! Owns: how far back the records reach. Does not own: the verdict about an entry (`past`), or doing it (`apply`).

use super::changes::ROWS_MAX;
use super::list::trash;
use super::page::page;
use super::past::{Fate, Past, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::id::EntryId;
use crate::metadata::command::tree::{Rewind, RewindCursor, RewindStage};
use crate::metadata::key::{TreeKey, TreeSpace};
use crate::metadata::outcome::{Refusal, RewindCounts};
use crate::metadata::record::tree::{ChangeRecord, MomentRecord, PlaceRecord, TreeRecord, VacatedRecord};
use crate::metadata::view::{MetadataView, record};

/// Moments that may have come out of order, because clocks differ.
const MOMENTS: usize = 8;

/// What was so before a time: everything up to this is older than the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) seq: u64,
    /// Entries up to this one were there.
    pub(crate) last_entry: u64,
}

/// Rows that a rewind looks at next.
pub(crate) struct RewindPage {
    pub(crate) entries: Vec<EntryId>,
    /// How many of those that were there are gone for good.
    pub(crate) lost: u64,
    pub(crate) next: Option<RewindCursor>,
}

impl RewindCursor {
    /// `seq`: of the tree's last change.
    pub(crate) fn begin(stage: RewindStage, seq: u64) -> Self {
        let at = if stage == RewindStage::Trash { seq.saturating_add(1) } else { 0 };
        Self { stage, at, until: seq }
    }

    /// The next stage begins when this one has seen everything.
    pub(crate) fn of_next_stage(self, seq: u64) -> Option<Self> {
        let stage = match self.stage {
            RewindStage::Trash => RewindStage::Places,
            RewindStage::Places => RewindStage::Arrivals,
            RewindStage::Arrivals => RewindStage::Contents,
            RewindStage::Contents => return None,
        };
        Some(Self::begin(stage, seq))
    }
}

/// What a step of the rewind would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    pub counts: RewindCounts,
    /// Nothing is changed, so what goes back to its place is still counted with the folder that goes away: so many.
    pub leaving: u64,
    pub next: Option<RewindCursor>,
}

pub fn preview(view: &dyn MetadataView, space: TreeSpace, rewind: &Rewind) -> Result<Result<Preview, Refusal>> {
    let Some(tree) = record::<TreeRecord>(view, &space.tree())? else {
        return Ok(Err(Refusal::NoSuchBucket));
    };
    let since = match since(view, space, &tree, rewind.to_ms)? {
        Ok(since) => since,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let cursor = rewind.cursor.unwrap_or_else(|| RewindCursor::begin(RewindStage::Trash, tree.seq));
    let past = Past { view, space, folder: rewind.folder, to_ms: rewind.to_ms };
    let page = rewind_page(&past, since, cursor, rewind.limit as usize)?;
    let (mut counts, mut leaving) = (RewindCounts { lost: page.lost, ..RewindCounts::default() }, 0);
    for entry in page.entries {
        let mut verdicts = vec![past.verdict(cursor.stage, entry)?];
        if cursor.stage == RewindStage::Trash {
            // It has no row in the feed that a later stage would find it by.
            verdicts.push(past.verdict(RewindStage::Contents, entry)?);
        }
        if verdicts.contains(&Some(Verdict::Move)) {
            leaving += past.leaving(entry)?;
        }
        verdicts.into_iter().flatten().for_each(|verdict| counts.add(verdict.counts()));
    }
    Ok(Ok(Preview { counts, leaving, next: page.next.or_else(|| cursor.of_next_stage(tree.seq)) }))
}

pub(crate) fn since(
    view: &dyn MetadataView,
    space: TreeSpace,
    tree: &TreeRecord,
    to_ms: u64,
) -> Result<Result<Since, Refusal>> {
    let earliest_ms = earliest(view, space)?;
    if earliest_ms.is_none_or(|earliest_ms| to_ms < earliest_ms) {
        return Ok(Err(Refusal::TooFarBack { earliest_ms: earliest_ms.unwrap_or(u64::MAX) }));
    }
    let later = moments(view, space, to_ms / MomentRecord::SPAN_MS, MOMENTS)?;
    let first = later.into_iter().map(|(_, moment)| moment).min_by_key(|moment| moment.seq);
    // No moment: nothing changed since.
    let first = first.unwrap_or(MomentRecord { seq: tree.seq, last_entry: tree.last_entry });
    Ok(Ok(Since { seq: first.seq, last_entry: first.last_entry }))
}

/// The time from which on all is known.
pub fn earliest(view: &dyn MetadataView, space: TreeSpace) -> Result<Option<u64>> {
    let first = moments(view, space, 0, 1)?.into_iter().next();
    // Of a tree that is older than its moments, the span of the first one is known in part.
    Ok(first.map(|(span, moment)| (span + u64::from(moment.seq > 0)) * MomentRecord::SPAN_MS))
}

/// Oldest first, from the span `from` on.
pub(crate) fn moments(
    view: &dyn MetadataView,
    space: TreeSpace,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, MomentRecord)>> {
    let rows = page::<MomentRecord>(view, &space.moments().starting_at(space.moment(from)), limit)?;
    let numbered = |(key, record)| match key {
        TreeKey::Moment { span } => Ok((span, record)),
        other => Err(Error::new(ErrorKind::Corrupt, format!("{other:?} stands among moments"))),
    };
    rows.into_iter().map(numbered).collect()
}

pub(crate) fn rewind_page(past: &Past<'_>, since: Since, cursor: RewindCursor, limit: usize) -> Result<RewindPage> {
    let limit = limit.clamp(1, ROWS_MAX);
    if cursor.stage == RewindStage::Trash {
        let mut items = trash(past.view, past.space, Some(cursor.at), limit)?;
        let is_full = items.len() == limit;
        items.retain(|item| item.seq > since.seq);
        let next = items.last().filter(|_| is_full && items.len() == limit).map(|item| item.seq);
        let entries = items.iter().map(|item| item.entry.id).collect();
        return Ok(RewindPage { entries, lost: 0, next: next.map(|at| RewindCursor { at, ..cursor }) });
    }
    let first = cursor.at.max(since.seq).saturating_add(1);
    let range = past.space.changes().starting_at(past.space.change(first));
    let rows = page::<ChangeRecord>(past.view, &range, limit)?;
    let mut found = RewindPage { entries: Vec::new(), lost: 0, next: None };
    let is_full = rows.len() == limit;
    for (key, row) in rows {
        let TreeKey::Change { seq } = key else {
            return Err(Error::new(ErrorKind::Corrupt, format!("{key:?} stands in the feed")));
        };
        if seq > cursor.until {
            found.next = None;
            break;
        }
        found.next = is_full.then_some(RewindCursor { at: seq, ..cursor });
        match row {
            ChangeRecord::Entry(entry) => found.entries.push(entry),
            ChangeRecord::Vacated { parent, key } if cursor.stage == RewindStage::Places => {
                found.lost += u64::from(is_lost(past, since, parent, &key)?);
            }
            ChangeRecord::Vacated { .. } => {}
        }
    }
    Ok(found)
}

/// What stood there at the time is gone for good.
fn is_lost(past: &Past<'_>, since: Since, parent: EntryId, key: &str) -> Result<bool> {
    let Some(vacated) = record::<VacatedRecord>(past.view, &past.space.vacated(parent, key))? else {
        return Ok(false);
    };
    if vacated.time_ms <= past.to_ms || vacated.entry.0 > since.last_entry {
        return Ok(false);
    }
    if record::<PlaceRecord>(past.view, &past.space.place(vacated.entry))?.is_some() {
        return Ok(false);
    }
    let above = match parent == past.folder {
        true => return Ok(true),
        false => past.standing(parent)?,
    };
    match above {
        Some(above) => Ok(matches!(past.fate(parent, &above)?, Fate::Inside(_))),
        None => Ok(past.folder == EntryId::ROOT),
    }
}
