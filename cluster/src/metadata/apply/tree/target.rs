//! Target: where a file's new contents go, and putting them there.
//! Owns: the table of modes in docs/drive-tree.md. The same contents are never a conflict.

use super::super::{condition, references};
use super::folder::{free_name, root_exists};
use super::tree_draft::{Found, Route, TreeDraft, changed, unchanged};
use crate::error::Result;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{AutoRename, NewFile, PutFile, WriteMode};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::Content;
use crate::metadata::record::tree::{
    EntryKind, EntryName, EntryRecord, FileRecord, PlaceRecord, RevisionReason, RevisionRecord,
};

pub(super) enum Target {
    /// The file holds these very contents.
    Unchanged(Found),
    Write(Place),
}

#[expect(clippy::large_enum_variant, reason = "it lives for one decision")]
pub(super) enum Place {
    /// One more revision of this file.
    Over(Found),
    Free(Route, EntryName),
}

/// What is wanted, as the target depends on it.
pub(super) struct Wanted<'c> {
    pub(super) path: &'c [EntryName],
    pub(super) mode: &'c WriteMode,
    pub(super) rename: Option<&'c AutoRename>,
    pub(super) bytes: u64,
    pub(super) content_hash: Option<[u8; 32]>,
}

pub(super) fn put_file(tree: &mut TreeDraft<'_, '_>, put: &PutFile) -> Decision<Outcome> {
    let wanted = Wanted {
        path: &put.path,
        mode: &put.mode,
        rename: put.rename.as_ref(),
        bytes: put.content.bytes,
        content_hash: put.file.content_hash,
    };
    let place = match find(tree, &wanted)? {
        Target::Unchanged(found) => return Ok(unchanged(found)),
        Target::Write(place) => place,
    };
    references::name_new(tree.bucket.draft, tree.space.0.owner, &put.content)?;
    let revision = tree.revision(&put.file, put.content.content.clone(), put.content.bytes);
    Ok(changed(tree.write_file(place, revision)?))
}

pub(super) fn find(tree: &mut TreeDraft<'_, '_>, wanted: &Wanted<'_>) -> Decision<Target> {
    let Some((name, parents)) = wanted.path.split_last() else {
        return Err(root_exists());
    };
    let route = tree.ensure_folders(parents)?;
    let Some(found) = tree.child(&route, name)? else {
        match wanted.mode {
            WriteMode::Add | WriteMode::Overwrite => {}
            WriteMode::Update { .. } => return Err(Refusal::NoSuchEntry.into()),
            WriteMode::Replace(condition) => condition::check(condition, None)?,
        }
        return Ok(Target::Write(Place::Free(route, name.clone())));
    };

    let exists = Refusal::EntryExists { entry: found.record.id, is_folder: found.record.is_folder() };
    let refusal = match (&found.record.kind, wanted.mode) {
        (EntryKind::Folder(_), WriteMode::Replace(_)) => return Err(Refusal::NotAFile.into()),
        (EntryKind::Folder(_), _) => exists,
        (EntryKind::File(file), WriteMode::Replace(condition)) => {
            condition::check(condition, Some(&file.head.etag))?;
            return Ok(Target::Write(Place::Over(found)));
        }
        (EntryKind::File(file), _) if holds(&file.head, wanted) => return Ok(Target::Unchanged(found)),
        (EntryKind::File(_), WriteMode::Overwrite) => return Ok(Target::Write(Place::Over(found))),
        (EntryKind::File(file), WriteMode::Update { rev }) if file.head.rev == *rev => {
            return Ok(Target::Write(Place::Over(found)));
        }
        (EntryKind::File(file), WriteMode::Update { .. }) => Refusal::StaleRevision { head: file.head.rev },
        (EntryKind::File(_), WriteMode::Add) => exists,
    };
    let name = free_name(tree, &route, wanted.rename)?.ok_or(refusal)?;
    Ok(Target::Write(Place::Free(route, name)))
}

fn holds(head: &RevisionRecord, wanted: &Wanted<'_>) -> bool {
    head.content_hash.is_some() && head.content_hash == wanted.content_hash && head.bytes == wanted.bytes
}

impl TreeDraft<'_, '_> {
    /// A new revision; its rev is the seq of the change that brings it.
    pub(super) fn revision(&self, file: &NewFile, content: Content, bytes: u64) -> RevisionRecord {
        RevisionRecord {
            rev: 0,
            bytes,
            content,
            etag: file.etag,
            checksum: file.checksum.clone(),
            content_hash: file.content_hash,
            headers: file.headers.clone(),
            tags: file.tags.clone(),
            modified_ms: self.time_ms(),
            client_modified_ms: file.client_modified_ms,
            author: self.author.clone(),
            reason: RevisionReason::Upload,
            keep: false,
            label: String::new(),
        }
    }

    /// Puts contents that are named already where they belong.
    pub(super) fn write_file(&mut self, place: Place, revision: RevisionRecord) -> Decision<Found> {
        self.bucket.change.versions += 1;
        self.bucket.change.bytes += super::super::bucket_draft::signed(revision.bytes);
        match place {
            Place::Over(found) => self.write_revision(found, revision),
            Place::Free(route, name) => match self.take_up(&route, &name)? {
                Some(trashed) => {
                    let found = self.arrive(&route, &name, trashed)?;
                    self.write_revision(found, revision)
                }
                None => self.new_file(&route, &name, revision),
            },
        }
    }

    pub(super) fn new_file(
        &mut self,
        route: &Route,
        name: &EntryName,
        mut revision: RevisionRecord,
    ) -> Decision<Found> {
        revision.rev = self.record.seq + 1;
        let record = EntryRecord {
            id: self.next_entry(),
            created_ms: self.time_ms(),
            changed_seq: 0,
            kind: EntryKind::File(FileRecord { head: revision, revisions: 0, revision_bytes: 0 }),
        };
        self.bucket.change.objects += 1;
        self.arrive(route, name, record)
    }

    /// The head steps back, the revision becomes the head.
    pub(super) fn write_revision(&mut self, mut found: Found, mut revision: RevisionRecord) -> Decision<Found> {
        let before = found.record.totals();
        let EntryKind::File(file) = &mut found.record.kind else {
            return Err(Refusal::NotAFile.into());
        };
        revision.rev = self.record.seq + 1;
        let old = std::mem::replace(&mut file.head, revision);
        file.revisions += 1;
        file.revision_bytes += old.bytes;
        self.bucket.draft.put(self.space.revision(found.record.id, old.rev), &old);
        self.update(&mut found, before)?;
        Ok(found)
    }

    /// The file that was thrown away here last, if it still lies in the trash: it comes back with its history.
    fn take_up(&mut self, route: &Route, name: &EntryName) -> Result<Option<EntryRecord>> {
        let Some(last) = self.last_here(route.folder(), &name.key)? else {
            return Ok(None);
        };
        let Some(PlaceRecord::Trashed { seq }) = self.bucket.draft.get(&self.space.place(last.entry))? else {
            return Ok(None);
        };
        let Some(item) = self.trash_item(seq)? else {
            return Ok(None);
        };
        let lay_here = item.parent == route.folder() && item.name.key == name.key;
        if !lay_here || item.purging || item.entry.is_folder() {
            return Ok(None);
        }
        self.leave_trash(item).map(Some)
    }
}
