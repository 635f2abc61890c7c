//! Copy: new entries that name the same bytes.
//! Owns: the limit of one command. A copy has the heads alone; history stays with the original.

use super::super::bucket_draft::signed;
use super::super::references;
use super::folder::free_place;
use super::relocate::whole;
use super::tree_draft::{Found, TreeDraft, changed};
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{At, AutoRename};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{
    EntryKind, EntryName, EntryRecord, FileRecord, FolderRecord, RevisionReason, RevisionRecord, Totals,
};

/// Each entry costs about a dozen look-ups and rows: this many take some tens of milliseconds.
const ENTRIES_MAX: u64 = 10_000;

pub(super) fn copy(
    tree: &mut TreeDraft<'_, '_>,
    from: &At,
    rev: Option<u64>,
    to: &[EntryName],
    rename: Option<&AutoRename>,
) -> Decision<Outcome> {
    let from = tree.find(from)?;
    match &from.record.kind {
        EntryKind::File(_) => {
            let revision = match rev {
                Some(rev) => tree.stored_revision(&from.record, rev)?,
                None => from.record.file().map(|file| file.head.clone()),
            };
            copy_file(tree, revision.ok_or(Refusal::NoSuchRevision)?, to, rename)
        }
        EntryKind::Folder(_) if rev.is_some() => Err(Refusal::NotAFile.into()),
        EntryKind::Folder(_) => copy_folder(tree, &from, to, rename),
    }
}

fn copy_file(
    tree: &mut TreeDraft<'_, '_>,
    revision: RevisionRecord,
    to: &[EntryName],
    rename: Option<&AutoRename>,
) -> Decision<Outcome> {
    let (route, name) = free_place(tree, to, rename)?;
    let revision = name_again(tree, revision)?;
    Ok(changed(tree.new_file(&route, &name, revision)?))
}

fn copy_folder(
    tree: &mut TreeDraft<'_, '_>,
    from: &Found,
    to: &[EntryName],
    rename: Option<&AutoRename>,
) -> Decision<Outcome> {
    let totals = from.record.totals();
    if totals.files + totals.folders > ENTRIES_MAX {
        return Err(Refusal::TooManyEntries { limit: ENTRIES_MAX }.into());
    }
    let (route, name) = free_place(tree, to, rename)?;
    if route.contains(from.record.id) {
        return Err(Refusal::IntoItself.into());
    }
    // One seq for all of it: only the folder itself has a row in the feed.
    let seq = tree.record.seq + 1;
    let id = tree.next_entry();
    let totals = copy_below(tree, seq, from.record.id, id, route.depth() + 1)?;
    tree.bucket.change.objects += signed(totals.files);
    let folder = FolderRecord { subtree_seq: seq, arrived_whole: true, totals };
    Ok(changed(tree.arrive(&route, &name, whole(new_folder(tree, id, folder)))?))
}

/// Copies what is in the folder `from` into the folder `to`, whose own record comes after: it holds the totals.
fn copy_below(tree: &mut TreeDraft<'_, '_>, seq: u64, from: EntryId, to: EntryId, depth: usize) -> Decision<Totals> {
    if depth > query::DEPTH_MAX {
        return Err(Refusal::PathTooDeep.into());
    }
    let mut below = Totals::default();
    for (name, record) in tree.named_children(from)? {
        let id = tree.next_entry();
        let copy = match record.kind {
            EntryKind::Folder(_) => {
                let totals = copy_below(tree, seq, record.id, id, depth + 1)?;
                let folder = FolderRecord { subtree_seq: seq, arrived_whole: false, totals };
                EntryRecord { changed_seq: seq, ..new_folder(tree, id, folder) }
            }
            EntryKind::File(file) => {
                let head = RevisionRecord { rev: seq, ..name_again(tree, file.head)? };
                EntryRecord {
                    id,
                    created_ms: tree.time_ms(),
                    changed_seq: seq,
                    kind: EntryKind::File(FileRecord { head, revisions: 0, revision_bytes: 0 }),
                }
            }
        };
        let totals = copy.totals();
        below.files += totals.files;
        below.folders += totals.folders;
        below.bytes += totals.bytes;
        tree.stand(to, &name, &copy);
    }
    Ok(below)
}

fn new_folder(tree: &TreeDraft<'_, '_>, id: EntryId, folder: FolderRecord) -> EntryRecord {
    EntryRecord { id, created_ms: tree.time_ms(), changed_seq: 0, kind: EntryKind::Folder(folder) }
}

/// The revision as the copy has it: the same bytes under one more name.
fn name_again(tree: &mut TreeDraft<'_, '_>, revision: RevisionRecord) -> Result<RevisionRecord> {
    references::name_again(tree.bucket.draft, tree.space.0.owner, &revision.content)?;
    tree.bucket.change.versions += 1;
    tree.bucket.change.bytes += signed(revision.bytes);
    Ok(RevisionRecord {
        modified_ms: tree.time_ms(),
        author: tree.author.clone(),
        reason: RevisionReason::Copy,
        keep: false,
        label: String::new(),
        ..revision
    })
}
