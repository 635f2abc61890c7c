//! Lists: a folder, the revisions of a file, the trash, sessions, links. Each page is one scan.

use std::ops::ControlFlow;

use super::page::page;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EntryId, LinkId, UploadId};
use crate::metadata::key::{TreeKey, TreeSpace};
use crate::metadata::record::tree::{
    BrakeRecord, EntryName, EntryRecord, LinkRecord, PlaceRecord, RevisionRecord, SessionPartRecord, SessionRecord,
    TrashRecord,
};
use crate::metadata::view::{MetadataView, record};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderPage {
    /// By name, in the byte order of S3 keys.
    pub entries: Vec<(String, EntryRecord)>,
    /// Where to go on; `None`: this page is the last.
    pub next: Option<String>,
}

/// `after`: as `FolderPage::next` gave it.
pub fn list_folder(
    view: &dyn MetadataView,
    space: TreeSpace,
    folder: EntryId,
    after: Option<&str>,
    limit: usize,
) -> Result<FolderPage> {
    let mut range = space.entries_of(folder);
    if let Some(after) = after {
        range = range.starting_at([&space.entry(folder, after, false)[..], &[0]].concat());
    }
    let mut rows = page::<EntryRecord>(view, &range, limit.saturating_add(1))?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let mut entries = Vec::with_capacity(rows.len());
    let mut last = None;
    for (key, record) in rows {
        let name = standing_name(key)?;
        last = Some(name.clone());
        entries.push((name.trim_end_matches('/').to_owned(), record));
    }
    Ok(FolderPage { entries, next: last.filter(|_| has_more) })
}

/// With the slash of a folder.
pub(super) fn standing_name(key: TreeKey) -> Result<String> {
    match key {
        TreeKey::Entry { name, .. } => Ok(name),
        other => Err(Error::new(ErrorKind::Corrupt, format!("{other:?} stands among entries"))),
    }
}

/// The entries of a folder with both forms of their names.
pub(crate) fn named_children(
    view: &dyn MetadataView,
    space: TreeSpace,
    folder: EntryId,
    limit: usize,
) -> Result<Vec<(EntryName, EntryRecord)>> {
    let rows = page::<EntryRecord>(view, &space.entries_of(folder), limit)?;
    let mut children = Vec::with_capacity(rows.len());
    for (_, entry) in rows {
        match record(view, &space.place(entry.id))? {
            Some(PlaceRecord::Live { name, .. }) => children.push((name, entry)),
            _ => return Err(Error::new(ErrorKind::Corrupt, format!("entry {} has no place", entry.id.0))),
        }
    }
    Ok(children)
}

/// All but the head, newest first; only those before `before_rev` if it is given.
pub fn revisions(
    view: &dyn MetadataView,
    space: TreeSpace,
    entry: EntryId,
    before_rev: Option<u64>,
    limit: usize,
) -> Result<Vec<RevisionRecord>> {
    let mut range = space.revisions_of(entry);
    if let Some(before_rev) = before_rev {
        range = range.starting_at(space.revision(entry, before_rev.saturating_sub(1)));
        if before_rev == 0 {
            return Ok(Vec::new());
        }
    }
    Ok(page(view, &range, limit)?.into_iter().map(|(_, revision)| revision).collect())
}

/// Those of all files, by file and then newest first, from after `after` on; heads are not among them.
pub fn all_revisions(
    view: &dyn MetadataView,
    space: TreeSpace,
    after: Option<(EntryId, u64)>,
    limit: usize,
) -> Result<Vec<(EntryId, RevisionRecord)>> {
    let mut range = space.revisions();
    if let Some((entry, rev)) = after {
        range = range.starting_at([&space.revision(entry, rev)[..], &[0]].concat());
    }
    let rows = page::<RevisionRecord>(view, &range, limit)?;
    let of_file = |(key, revision)| match key {
        TreeKey::Revision { entry, .. } => Ok((entry, revision)),
        other => Err(Error::new(ErrorKind::Corrupt, format!("{other:?} stands among revisions"))),
    };
    rows.into_iter().map(of_file).collect()
}

/// The head of `entry`, or another revision.
pub fn revision(
    view: &dyn MetadataView,
    space: TreeSpace,
    entry: &EntryRecord,
    rev: u64,
) -> Result<Option<RevisionRecord>> {
    match entry.file() {
        Some(file) if file.head.rev == rev => Ok(Some(file.head.clone())),
        Some(_) => record(view, &space.revision(entry.id, rev)),
        None => Ok(None),
    }
}

/// Newest first; only items thrown away before `before_seq` if it is given.
pub fn trash(
    view: &dyn MetadataView,
    space: TreeSpace,
    before_seq: Option<u64>,
    limit: usize,
) -> Result<Vec<TrashRecord>> {
    let mut range = space.trashed();
    match before_seq {
        Some(0) => return Ok(Vec::new()),
        Some(before_seq) => range = range.starting_at(space.trash(before_seq - 1)),
        None => {}
    }
    Ok(page(view, &range, limit)?.into_iter().map(|(_, item)| item).collect())
}

pub fn trash_item(view: &dyn MetadataView, space: TreeSpace, seq: u64) -> Result<Option<TrashRecord>> {
    record(view, &space.trash(seq))
}

/// What devices deleted lately.
pub fn brake(view: &dyn MetadataView, space: TreeSpace) -> Result<BrakeRecord> {
    Ok(record(view, &space.brake())?.unwrap_or_default())
}

pub fn session(view: &dyn MetadataView, space: TreeSpace, session: UploadId) -> Result<Option<SessionRecord>> {
    record(view, &space.session(session))
}

/// Oldest first, from after `after` on.
pub fn sessions(
    view: &dyn MetadataView,
    space: TreeSpace,
    after: Option<UploadId>,
    limit: usize,
) -> Result<Vec<SessionRecord>> {
    let mut range = space.sessions();
    if let Some(after) = after {
        range = range.starting_at([&space.session(after)[..], &[0]].concat());
    }
    Ok(page(view, &range, limit)?.into_iter().map(|(_, session)| session).collect())
}

/// The digests of the pieces of a concurrent session, by part number.
pub fn session_parts(
    view: &dyn MetadataView,
    space: TreeSpace,
    session: UploadId,
) -> Result<Vec<(u16, SessionPartRecord)>> {
    let rows = page::<SessionPartRecord>(view, &space.session_parts(session), usize::MAX)?;
    let numbered = |(key, record)| match key {
        TreeKey::SessionPart { part, .. } => Ok((part, record)),
        other => Err(Error::new(ErrorKind::Corrupt, format!("{other:?} stands among parts of sessions"))),
    };
    rows.into_iter().map(numbered).collect()
}

pub(crate) fn session_part_keys(view: &dyn MetadataView, space: TreeSpace, session: UploadId) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    view.scan(space.session_parts(session).bounds(), &mut |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(keys)
}

pub fn link(view: &dyn MetadataView, space: TreeSpace, link: LinkId) -> Result<Option<LinkRecord>> {
    record(view, &space.link(link))
}

/// In the order of their ids, from after `after` on.
pub fn links(
    view: &dyn MetadataView,
    space: TreeSpace,
    after: Option<LinkId>,
    limit: usize,
) -> Result<Vec<LinkRecord>> {
    let mut range = space.links();
    if let Some(after) = after {
        range = range.starting_at([&space.link(after)[..], &[0]].concat());
    }
    Ok(page(view, &range, limit)?.into_iter().map(|(_, link)| link).collect())
}
