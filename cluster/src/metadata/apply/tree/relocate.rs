//! Move and rename: one entry, whatever is below it.

use super::folder::{free_place, root_exists};
use super::tree_draft::{Found, TreeDraft, changed, unchanged};
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{At, AutoRename};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::tree::{EntryKind, EntryName, EntryRecord, FormerPlace};

pub(super) fn relocate(
    tree: &mut TreeDraft<'_, '_>,
    from: &At,
    to: &[EntryName],
    rename: Option<&AutoRename>,
) -> Decision<Outcome> {
    let from = movable(tree, from)?;
    let Some((name, parents)) = to.split_last() else {
        return Err(root_exists());
    };
    let route = tree.ensure_folders(parents)?;
    if route.contains(from.record.id) {
        return Err(Refusal::IntoItself.into());
    }
    let stays = route.folder() == from.route.folder() && name.key == from.name.key;
    if stays {
        return spell(tree, from, name);
    }
    let (route, name) = free_place(tree, to, rename)?;
    tree.vacate(&from)?;
    tree.leave(&from)?;
    Ok(changed(tree.arrive(&route, &name, whole(from.record))?))
}

/// The same name in other letters.
pub(super) fn spell(tree: &mut TreeDraft<'_, '_>, mut found: Found, name: &EntryName) -> Decision<Outcome> {
    if found.name == *name {
        return Ok(unchanged(found));
    }
    let former = FormerPlace::Folder { parent: found.route.folder(), name: found.name.clone() };
    tree.note_stood(found.record.id, former, tree.record.seq + 1)?;
    tree.unseat(found.route.folder(), &found.name, found.record.is_folder());
    let totals = found.record.totals();
    found.name = name.clone();
    found.record = whole(found.record);
    tree.stand(found.route.folder(), name, &found.record);
    tree.update(&mut found, totals)?;
    Ok(changed(found))
}

/// Any live entry but the root.
pub(super) fn movable(tree: &TreeDraft<'_, '_>, at: &At) -> Decision<Found> {
    let found = tree.find(at)?;
    if found.record.id == EntryId::ROOT {
        return Err(Refusal::IntoItself.into());
    }
    Ok(found)
}

/// What is below comes along.
pub(super) fn whole(mut record: EntryRecord) -> EntryRecord {
    if let EntryKind::Folder(folder) = &mut record.kind {
        folder.arrived_whole = true;
    }
    record
}
