//! Changes: the feed after a seq, each row as what a client has to do.
//! Owns: what is below a folder that arrived whole comes right after it; what is in the trash by now does not come.

use super::find::{find, route_of};
use super::page::page;
use super::walk::{Walk, walk};
use crate::error::{Error, ErrorKind, Result};
use crate::id::EntryId;
use crate::metadata::command::tree::At;
use crate::metadata::key::{TreeKey, TreeSpace};
use crate::metadata::record::tree::{ChangeRecord, EntryRecord, VacatedRecord};
use crate::metadata::view::{MetadataView, record};

/// Rows of the feed that one page looks at, however few of them are in the folder that was asked for.
pub(super) const ROWS_MAX: usize = 10_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangesAfter {
    pub seq: u64,
    /// In the middle of the folder that the row of `seq` brought: as `WalkPage::next`.
    pub within: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "almost every event is a change")]
pub enum TreeEvent {
    Changed {
        path: String,
        entry: EntryRecord,
    },
    /// Nothing of what stood at `path` is there any more.
    Removed {
        path: String,
        entry: EntryId,
        was_folder: bool,
        time_ms: u64,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChangesPage {
    pub events: Vec<TreeEvent>,
    pub next: ChangesAfter,
    pub has_more: bool,
}

/// Events below `folder` (right in it only, unless `recursive`), oldest first, at least one row of the feed a page.
pub fn changes(
    view: &dyn MetadataView,
    space: TreeSpace,
    folder: EntryId,
    recursive: bool,
    after: &ChangesAfter,
    limit: usize,
) -> Result<ChangesPage> {
    let first = if after.within.is_some() { after.seq } else { after.seq.saturating_add(1) };
    let range = space.changes().starting_at(space.change(first));
    let rows = page::<ChangeRecord>(view, &range, ROWS_MAX)?;
    let is_cut = rows.len() == ROWS_MAX;
    let mut page = ChangesPage { events: Vec::new(), next: after.clone(), has_more: is_cut };
    for (key, row) in rows {
        let TreeKey::Change { seq } = key else {
            return Err(Error::new(ErrorKind::Corrupt, format!("{key:?} stands in the feed")));
        };
        if page.events.len() >= limit {
            page.has_more = true;
            break;
        }
        let mut within = page.next.within.take().filter(|_| page.next.seq == seq);
        match row {
            ChangeRecord::Vacated { parent, key } => {
                page.events.extend(removed(view, space, folder, recursive, parent, &key)?);
            }
            ChangeRecord::Entry(entry) => {
                let Some(found) = find(view, space, &At::Entry(entry))? else {
                    page.next.seq = seq;
                    continue;
                };
                if !is_asked_for(&found.route, folder, recursive) {
                    page.next.seq = seq;
                    continue;
                }
                let path = found.path();
                let brings_more = recursive && found.record.folder().is_some_and(|folder| folder.arrived_whole);
                if within.is_none() {
                    page.events.push(TreeEvent::Changed { path: path.clone(), entry: found.record });
                }
                if brings_more {
                    let below = Walk {
                        folder: entry,
                        prefix: String::new(),
                        recursive: true,
                        after: within.take(),
                        unchanged_since: Some(seq),
                        // At least one, so that the page gets on.
                        limit: limit.saturating_sub(page.events.len()).max(1),
                    };
                    let below = walk(view, space, &below)?;
                    page.events.extend(below.entries.into_iter().map(|walked| TreeEvent::Changed {
                        path: format!("{path}/{}", walked.path),
                        entry: walked.record,
                    }));
                    page.next.within = below.next;
                }
            }
        }
        page.next.seq = seq;
        if page.next.within.is_some() {
            page.has_more = true;
            break;
        }
    }
    Ok(page)
}

fn removed(
    view: &dyn MetadataView,
    space: TreeSpace,
    folder: EntryId,
    recursive: bool,
    parent: EntryId,
    key: &str,
) -> Result<Option<TreeEvent>> {
    let Some(route) = route_of(view, space, parent)? else {
        return Ok(None);
    };
    if !is_asked_for(&route, folder, recursive) {
        return Ok(None);
    }
    let vacated: Option<VacatedRecord> = record(view, &space.vacated(parent, key))?;
    Ok(vacated.map(|vacated| TreeEvent::Removed {
        path: format!("{}/{}", route.path(), vacated.name),
        entry: vacated.entry,
        was_folder: vacated.was_folder,
        time_ms: vacated.time_ms,
    }))
}

/// Places that were left and whose row is still in the feed, oldest first.
pub(crate) fn vacated_places(
    view: &dyn MetadataView,
    space: TreeSpace,
    limit: usize,
) -> Result<Vec<(EntryId, String, VacatedRecord)>> {
    let mut places = Vec::new();
    let mut range = space.changes();
    while places.len() < limit {
        let rows = page::<ChangeRecord>(view, &range, ROWS_MAX)?;
        let Some((TreeKey::Change { seq }, _)) = rows.last() else {
            break;
        };
        range = range.starting_at(space.change(seq + 1));
        for (_, row) in rows {
            let ChangeRecord::Vacated { parent, key } = row else {
                continue;
            };
            if let Some(vacated) = record(view, &space.vacated(parent, &key))? {
                places.push((parent, key, vacated));
            }
            if places.len() == limit {
                break;
            }
        }
    }
    Ok(places)
}

fn is_asked_for(route: &super::Route, folder: EntryId, recursive: bool) -> bool {
    if recursive { route.contains(folder) } else { route.folder() == folder }
}
