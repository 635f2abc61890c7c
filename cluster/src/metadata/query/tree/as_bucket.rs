//! As bucket: a tree as S3 sees it. Keys are paths without the first slash, versions are revisions, a file in the trash is a
//! delete marker.
//! Does not own: how a key is folded (services): a key finds a file whatever its spelling, a listing shows how it is spelled.

use super::file_keys::FileKeys;
use super::find::find;
use super::list::{revision, revisions};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EntryId, VersionId};
use crate::metadata::command::VersionSelector;
use crate::metadata::command::tree::At;
use crate::metadata::key::TreeSpace;
use crate::metadata::query::fold::Fold;
use crate::metadata::query::list_objects::{ObjectKeys, list_keys};
use crate::metadata::query::{ListObjects, ListVersions, ListedVersion, ObjectPage, VersionPage, VersionsAfter};
use crate::metadata::record::tree::{
    EntryName, EntryRecord, FileRecord, PlaceRecord, RevisionRecord, TrashRecord, VacatedRecord,
};
use crate::metadata::record::{ObjectRecord, VersionKind, VersionRecord};
use crate::metadata::view::{MetadataView, record};

/// A file at a path, or the one that was thrown away from there last and can still come back.
#[derive(Clone, Debug, PartialEq)]
pub struct FileAt {
    pub entry: EntryRecord,
    pub trashed: Option<TrashRecord>,
}

pub fn file_at(view: &dyn MetadataView, space: TreeSpace, path: &[EntryName]) -> Result<Option<FileAt>> {
    if let Some(found) = find(view, space, &At::Path(path.to_vec()))? {
        return Ok(found.record.file().is_some().then(|| FileAt { entry: found.record.clone(), trashed: None }));
    }
    let Some((name, parents)) = path.split_last() else {
        return Ok(None);
    };
    let Some(parent) = find(view, space, &At::Path(parents.to_vec()))? else {
        return Ok(None);
    };
    let parent = parent.record.id;
    let Some(last) = record::<VacatedRecord>(view, &space.vacated(parent, &name.key))? else {
        return Ok(None);
    };
    let Some(PlaceRecord::Trashed { seq }) = record(view, &space.place(last.entry))? else {
        return Ok(None);
    };
    let item: Option<TrashRecord> = record(view, &space.trash(seq))?;
    let item = item.filter(|item| item.parent == parent && item.name.key == name.key && !item.purging);
    let item = item.filter(|item| item.entry.file().is_some());
    Ok(item.map(|item| FileAt { entry: item.entry.clone(), trashed: Some(item) }))
}

/// The selected version of a key, and whether it is the latest.
pub fn version(
    view: &dyn MetadataView,
    space: TreeSpace,
    path: &[EntryName],
    selector: VersionSelector,
) -> Result<Option<(VersionRecord, bool)>> {
    let Some(at) = file_at(view, space, path)? else {
        return Ok(None);
    };
    let Some(file) = at.entry.file() else {
        return Ok(None);
    };
    let id = at.entry.id;
    match selector {
        VersionSelector::Null => Ok(None),
        VersionSelector::Latest => Ok(Some((latest(id, file, at.trashed.as_ref()), true))),
        VersionSelector::Id(version) => {
            let latest = latest(id, file, at.trashed.as_ref());
            if latest.version == version {
                return Ok(Some((latest, true)));
            }
            let (rev, entry) = version.revision();
            let found = if entry == id { revision(view, space, &at.entry, rev)? } else { None };
            Ok(found.map(|revision| (of_revision(id, revision), false)))
        }
    }
}

fn latest(id: EntryId, file: &FileRecord, trashed: Option<&TrashRecord>) -> VersionRecord {
    match trashed {
        Some(item) => VersionRecord {
            version: VersionId::of_revision(item.seq, id),
            is_null: false,
            modified_ms: item.trashed_ms,
            kind: VersionKind::DeleteMarker,
        },
        None => of_revision(id, file.head.clone()),
    }
}

fn of_revision(id: EntryId, revision: RevisionRecord) -> VersionRecord {
    VersionRecord {
        version: VersionId::of_revision(revision.rev, id),
        is_null: false,
        modified_ms: revision.modified_ms,
        kind: VersionKind::Object(ObjectRecord {
            bytes: revision.bytes,
            etag: revision.etag,
            content: revision.content,
            checksum: revision.checksum,
            headers: revision.headers,
            tags: revision.tags,
        }),
    }
}

/// Live files. A folder is a key for nobody; it shows as a common prefix if a file is below it.
pub fn list_objects(view: &dyn MetadataView, space: TreeSpace, list: &ListObjects) -> Result<ObjectPage> {
    list_keys(&mut FileKeys::new(view, space, &list.prefix)?, list)
}

impl ObjectKeys for FileKeys<'_> {
    fn key(&mut self) -> Result<Option<String>> {
        Ok(self.peek()?.map(|(key, _)| key))
    }

    fn take(&mut self) -> Result<VersionRecord> {
        let missing = || Error::new(ErrorKind::Internal, "no file stands here");
        let (_, entry) = self.peek()?.ok_or_else(missing)?;
        self.advance();
        let file = entry.file().ok_or_else(missing)?;
        Ok(of_revision(entry.id, file.head.clone()))
    }

    fn skip_past(&mut self, key: &str) -> Result<()> {
        self.seek_past(key)
    }

    fn skip_prefix(&mut self, prefix: &str) -> Result<()> {
        self.seek_behind(prefix)
    }
}

/// Every revision of the live files. What lies in the trash is not listed.
pub fn list_versions(view: &dyn MetadataView, space: TreeSpace, list: &ListVersions) -> Result<VersionPage> {
    let fold = Fold::new(&list.prefix, list.delimiter.as_deref());
    let mut keys = FileKeys::new(view, space, &list.prefix)?;
    let mut before_rev = None;
    if let Some(after) = &list.after {
        match (fold.common_prefix(&after.key), after.version) {
            (Some(listed), _) => keys.seek_behind(listed)?,
            (None, None) => keys.seek_past(&after.key)?,
            (None, Some(version)) => {
                keys.seek(after.key.as_bytes())?;
                before_rev = Some((after.key.clone(), version.revision().0));
            }
        }
    }
    let mut page = VersionPage::default();
    while let Some((key, entry)) = keys.peek()? {
        let room = list.limit - page.versions.len() - page.common_prefixes.len();
        if room == 0 {
            page.next = last_listed(&page);
            break;
        }
        if let Some(common) = fold.common_prefix(&key) {
            page.common_prefixes.push(common.to_owned());
            keys.seek_behind(common)?;
            continue;
        }
        let before = before_rev.take().filter(|(begun, _)| *begun == key).map(|(_, rev)| rev);
        let listed = versions_of(view, space, &key, &entry, before, room + 1)?;
        let is_cut = listed.len() > room;
        page.versions.extend(listed.into_iter().take(room));
        if is_cut {
            page.next = last_listed(&page);
            break;
        }
        keys.advance();
    }
    Ok(page)
}

/// Newest first; only those before `before_rev` if it is given.
fn versions_of(
    view: &dyn MetadataView,
    space: TreeSpace,
    key: &str,
    entry: &EntryRecord,
    before_rev: Option<u64>,
    limit: usize,
) -> Result<Vec<ListedVersion>> {
    let head = entry.file().map(|file| file.head.clone());
    let head = head.filter(|head| before_rev.is_none_or(|before_rev| head.rev < before_rev));
    let head_rev = entry.file().map(|file| file.head.rev);
    let others = revisions(view, space, entry.id, before_rev, limit)?;
    let listed = head.into_iter().chain(others).take(limit).map(|revision| ListedVersion {
        key: key.to_owned(),
        is_latest: Some(revision.rev) == head_rev,
        record: of_revision(entry.id, revision),
    });
    Ok(listed.collect())
}

/// What the next page goes on behind.
fn last_listed(page: &VersionPage) -> Option<VersionsAfter> {
    let version = page
        .versions
        .last()
        .map(|listed| VersionsAfter { key: listed.key.clone(), version: Some(listed.record.version) });
    let prefix = page.common_prefixes.last().map(|common| VersionsAfter { key: common.clone(), version: None });
    match (version, prefix) {
        // By key: a common prefix stands where its first key does.
        (Some(version), Some(prefix)) if version.key < prefix.key => Some(prefix),
        (Some(version), _) => Some(version),
        (None, prefix) => prefix,
    }
}
