//! Rewind: one step of bringing a folder back to how it was (docs/drive-rewind.md).
//! Owns: doing what the verdict about an entry says. Nothing is lost: what goes away goes to the trash, contents become revisions.
//! Does not own: the verdict (`query::tree::past`), the loop over all steps (the caller's).

use super::folder::free_name;
use super::relocate::{spell, whole};
use super::revision;
use super::totals::TotalsChange;
use super::trash::into_trash;
use super::tree_draft::{Found, Route, Spot, TreeDraft};
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{At, AutoRename, Rewind, RewindCursor, RewindStage};
use crate::metadata::outcome::{Outcome, Refusal, RewindCounts, Rewound};
use crate::metadata::query::tree as query;
use crate::metadata::query::tree::{Fate, Past, Seat, Standing, Verdict};
use crate::metadata::record::tree::{EntryKind, EntryName, EntryRecord, FormerPlace, PlaceRecord};

/// Entries that one command looks at, whatever it was asked for.
const ENTRIES_MAX: u32 = 500;

pub(super) fn rewind(tree: &mut TreeDraft<'_, '_>, rewind: &Rewind) -> Decision<Outcome> {
    let top = tree.find(&At::Entry(rewind.folder))?;
    if !top.record.is_folder() {
        return Err(Refusal::NotAFolder.into());
    }
    let since = query::since(tree.bucket.draft.view(), tree.space, &tree.record, rewind.to_ms)??;
    let cursor = rewind.cursor.unwrap_or_else(|| RewindCursor::begin(RewindStage::Trash, tree.record.seq));
    let limit = rewind.limit.clamp(1, ENTRIES_MAX) as usize;
    let page = query::rewind_page(&past(tree, rewind), since, cursor, limit)?;
    let mut counts = RewindCounts { lost: page.lost, ..RewindCounts::default() };
    for entry in page.entries {
        let Some(verdict) = past(tree, rewind).verdict(cursor.stage, entry)? else {
            continue;
        };
        match verdict {
            Verdict::Restore { .. } | Verdict::Move => put_back(tree, rewind, entry, &mut counts)?,
            Verdict::Remove { .. } => {
                let found = tree.find(&At::Entry(entry))?;
                into_trash(tree, found)?;
                counts.add(verdict.counts());
            }
            Verdict::Reset { rev } => {
                // What could not come back cannot be changed either.
                if query::find(tree.bucket.draft.view(), tree.space, &At::Entry(entry))?.is_some() {
                    revision::restore(tree, entry, rev)?;
                    counts.add(verdict.counts());
                }
            }
            Verdict::Lost => counts.add(verdict.counts()),
        }
    }
    let next = page.next.or_else(|| cursor.of_next_stage(tree.record.seq));
    Ok(Outcome::Rewound(Rewound { counts, next }))
}

fn past<'t>(tree: &'t TreeDraft<'_, '_>, rewind: &Rewind) -> Past<'t> {
    Past { view: tree.bucket.draft.view(), space: tree.space, folder: rewind.folder, to_ms: rewind.to_ms }
}

/// An entry goes to where it stood, after the folders above it: so nothing can come to stand in itself.
fn put_back(tree: &mut TreeDraft<'_, '_>, rewind: &Rewind, entry: EntryId, counts: &mut RewindCounts) -> Decision<()> {
    let Some(standing) = past(tree, rewind).standing(entry)? else {
        return Ok(());
    };
    let (way, makes_room) = match past(tree, rewind).fate(entry, &standing)? {
        Fate::Inside(way) => (way, true),
        // Whoever has its name there has nothing to do with this.
        Fate::Outside(seat) => (vec![(entry, seat)], false),
        Fate::Away | Fate::Lost => return Ok(()),
    };
    for (entry, seat) in way.into_iter().rev() {
        let Some(standing) = past(tree, rewind).standing(entry)? else {
            return Ok(());
        };
        if !standing.is_at(&seat) && !seat_entry(tree, rewind, standing, &seat, makes_room, counts)? {
            return Ok(());
        }
    }
    Ok(())
}

/// True if it stands there now.
fn seat_entry(
    tree: &mut TreeDraft<'_, '_>,
    rewind: &Rewind,
    standing: Standing,
    seat: &Seat,
    makes_room: bool,
    counts: &mut RewindCounts,
) -> Decision<bool> {
    let id = standing.record.id;
    let route = query::route_of(tree.bucket.draft.view(), tree.space, seat.parent)?;
    let Some(route) = route.filter(|route| route.depth() <= query::DEPTH_MAX && !route.contains(id)) else {
        return Ok(false);
    };
    let mut name = seat.name.clone();
    match tree.child(&route, &name)? {
        Some(found) if found.record.id == id => {
            spell(tree, found, &name)?;
            counts.moved += 1;
            return Ok(true);
        }
        Some(found) if makes_room => {
            let has_room = make_room(tree, rewind, found, counts)?;
            if !has_room {
                return Ok(false);
            }
        }
        Some(found) => match free_name(tree, &route, Some(&beside(&name, found.record.is_folder())))? {
            Some(other) => name = other,
            None => return Ok(false),
        },
        None => {}
    }
    let record = match query::find(tree.bucket.draft.view(), tree.space, &At::Entry(id))? {
        Some(found) => {
            tree.vacate(&found)?;
            tree.leave(&found)?;
            counts.moved += 1;
            found.record
        }
        None => {
            let entries = query::entries_of(&standing.record);
            let Some(record) = take_out(tree, standing)? else {
                return Ok(false);
            };
            counts.restored += entries;
            record
        }
    };
    tree.arrive(&route, &name, whole(record))?;
    Ok(true)
}

/// Whoever has the place now was not there then: it goes away, or aside until its own turn comes. What is in it may be of old.
fn make_room(tree: &mut TreeDraft<'_, '_>, rewind: &Rewind, found: Found, counts: &mut RewindCounts) -> Decision<bool> {
    let id = found.record.id;
    let past = past(tree, rewind);
    let is_away = match past.standing(id)? {
        Some(standing) => matches!(past.fate(id, &standing)?, Fate::Away),
        None => false,
    };
    let is_empty = found.record.folder().is_none_or(|folder| folder.totals.files + folder.totals.folders == 0);
    if is_away && is_empty {
        counts.removed += 1;
        into_trash(tree, found)?;
        return Ok(true);
    }
    let rename = beside(&found.name, found.record.is_folder());
    let Some(name) = free_name(tree, &found.route, Some(&rename))? else {
        return Ok(false);
    };
    let route: Route = found.route.clone();
    tree.vacate(&found)?;
    tree.leave(&found)?;
    tree.arrive(&route, &name, whole(found.record))?;
    Ok(true)
}

/// Out of the trash, or out of a folder there. None if that is being purged.
fn take_out(tree: &mut TreeDraft<'_, '_>, standing: Standing) -> Result<Option<EntryRecord>> {
    let (parent, name) = match standing.place {
        PlaceRecord::Trashed { seq } => {
            let item = tree.trash_item(seq)?.filter(|item| !item.purging);
            return item.map(|item| tree.leave_trash(item)).transpose();
        }
        PlaceRecord::Live { parent, name } => (parent, name),
    };
    let (mut at, mut between) = (parent, Vec::new());
    let item = loop {
        match tree.bucket.draft.get(&tree.space.place(at))? {
            Some(PlaceRecord::Live { parent, name }) if between.len() <= query::ROUTE_MAX => {
                between.push(Spot { id: at, parent, name: name.name });
                at = parent;
            }
            Some(PlaceRecord::Trashed { seq }) => break tree.trash_item(seq)?,
            _ => return Ok(None),
        }
    };
    let Some(mut item) = item.filter(|item| !item.purging) else {
        return Ok(None);
    };
    let going = TotalsChange::going(standing.record.totals());
    tree.unseat(parent, &name, standing.record.is_folder());
    between.iter().try_for_each(|spot| tree.touch_folder(spot, going))?;
    if let EntryKind::Folder(folder) = &mut item.entry.kind {
        folder.totals = going.added_to(folder.totals)?;
    }
    tree.bucket.draft.put(tree.space.trash(item.seq), &item);
    tree.count_files(standing.record.totals(), 1);
    tree.change_trash(going)?;
    tree.note_stood(standing.record.id, FormerPlace::Folder { parent, name }, tree.record.seq + 1)?;
    Ok(Some(standing.record))
}

/// How a sibling of this name is called: `stem (1).ext`.
fn beside(name: &EntryName, is_folder: bool) -> AutoRename {
    let dots = |text: &str| text.rfind('.').filter(|at| *at > 0 && !is_folder);
    let part = |name: &str, key: &str| EntryName { name: name.to_owned(), key: key.to_owned() };
    let (stem, extension) = match (dots(&name.name), dots(&name.key)) {
        (Some(of_name), Some(of_key)) => {
            let (stem, extension) = name.name.split_at(of_name);
            let (stem_key, extension_key) = name.key.split_at(of_key);
            (part(stem, stem_key), part(extension, extension_key))
        }
        _ => (name.clone(), part("", "")),
    };
    AutoRename { stem, label: part("", ""), extension }
}
