//! New folders, and other names for what would stand in a taken place.

use super::tree_draft::{Route, TreeDraft, changed};
use crate::error::Result;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::AutoRename;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::tree::EntryName;

/// Names that are tried. Each try is one look-up.
const RENAMES_MAX: u32 = 1_000;

pub(super) fn create_folder(
    tree: &mut TreeDraft<'_, '_>,
    path: &[EntryName],
    rename: Option<&AutoRename>,
) -> Decision<Outcome> {
    let (route, name) = free_place(tree, path, rename)?;
    Ok(changed(tree.add_folder(&route, &name)?))
}

/// A place for a new entry at `path`, or beside it.
pub(super) fn free_place(
    tree: &mut TreeDraft<'_, '_>,
    path: &[EntryName],
    rename: Option<&AutoRename>,
) -> Decision<(Route, EntryName)> {
    let Some((name, parents)) = path.split_last() else {
        return Err(root_exists());
    };
    let route = tree.ensure_folders(parents)?;
    let Some(standing) = tree.child(&route, name)? else {
        return Ok((route, name.clone()));
    };
    let taken = Refusal::EntryExists { entry: standing.record.id, is_folder: standing.record.is_folder() };
    let name = free_name(tree, &route, rename)?.ok_or(taken)?;
    Ok((route, name))
}

/// The first name that nothing has; none if there may be no other name.
pub(super) fn free_name(
    tree: &TreeDraft<'_, '_>,
    route: &Route,
    rename: Option<&AutoRename>,
) -> Result<Option<EntryName>> {
    let Some(rename) = rename else {
        return Ok(None);
    };
    for attempt in 1..=RENAMES_MAX {
        let name = other_name(rename, attempt);
        if tree.child(route, &name)?.is_none() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// `stem (label)ext`, `stem (label 2)ext`, …; without a label `stem (1)ext`, `stem (2)ext`, ….
fn other_name(rename: &AutoRename, attempt: u32) -> EntryName {
    let inside = |label: &str| match (label, attempt) {
        ("", attempt) => attempt.to_string(),
        (label, 1) => label.to_owned(),
        (label, attempt) => format!("{label} {attempt}"),
    };
    EntryName {
        name: format!("{} ({}){}", rename.stem.name, inside(&rename.label.name), rename.extension.name),
        key: format!("{} ({}){}", rename.stem.key, inside(&rename.label.key), rename.extension.key),
    }
}

pub(super) fn root_exists() -> super::super::Stop {
    Refusal::EntryExists { entry: crate::id::EntryId::ROOT, is_folder: true }.into()
}
