//! Tree draft: one tree while one command changes it.
//! Owns: how entries stand in their folders, the totals and `subtree_seq` of every ancestor, counters and quota at the end.
//! Does not own: the feed's rows (`feed`), or what each change means (its own file).

use super::super::bucket_draft::BucketDraft;
use super::totals::TotalsChange;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BucketId, EntryId, OwnerKey};
use crate::metadata::apply::{Decision, Draft};
use crate::metadata::command::tree::At;
use crate::metadata::key::{BucketSpace, OwnerSpace, TreeSpace};
use crate::metadata::outcome::{EntryChanged, Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{
    Author, EntryKind, EntryName, EntryRecord, FolderRecord, MomentRecord, NameRecord, PlaceRecord, Totals, TreeRecord,
};
use crate::metadata::record::{OwnerRecord, Versioning};

pub(super) struct TreeDraft<'d, 'a> {
    pub(super) bucket: BucketDraft<'d, 'a>,
    pub(super) space: TreeSpace,
    pub(super) record: TreeRecord,
    pub(super) author: Author,
    before: TreeRecord,
}

pub(super) use query::{Found, Route, Spot};

/// The tree of a new bucket: its root, and nothing in it. Again changes nothing.
pub(super) fn found(draft: &mut Draft<'_>, owner: OwnerKey, bucket: BucketId) -> Decision<()> {
    let space = TreeSpace(BucketSpace::new(owner, bucket));
    if draft.exists(&space.tree())? {
        return Ok(());
    }
    let record = TreeRecord {
        created_ms: draft.time_ms,
        last_entry: EntryId::ROOT.0,
        seq: 0,
        feed_floor: 0,
        reserved_bytes: 0,
        trash: Totals::default(),
    };
    let root = EntryRecord {
        id: EntryId::ROOT,
        created_ms: draft.time_ms,
        changed_seq: 0,
        kind: EntryKind::Folder(FolderRecord::default()),
    };
    let name = EntryName { name: String::new(), key: String::new() };
    draft.put(space.tree(), &record);
    let moment = MomentRecord { seq: record.seq, last_entry: record.last_entry };
    draft.put(space.moment(draft.time_ms / MomentRecord::SPAN_MS), &moment);
    draft.put(space.entry(EntryId::NONE, "", true), &root);
    draft.put(space.place(EntryId::ROOT), &PlaceRecord::Live { parent: EntryId::NONE, name });
    Ok(())
}

impl<'d, 'a> TreeDraft<'d, 'a> {
    pub(super) fn open(draft: &'d mut Draft<'a>, owner: OwnerKey, bucket: BucketId, author: &Author) -> Decision<Self> {
        let bucket = BucketDraft::open(draft, owner, bucket)?;
        if bucket.record.versioning != Versioning::Revisions {
            return Err(Refusal::WrongBucketKind.into());
        }
        let space = TreeSpace(bucket.space);
        let missing = || Error::new(ErrorKind::Corrupt, format!("bucket {} has no tree", bucket.space.bucket.0));
        let record: TreeRecord = bucket.draft.get(&space.tree())?.ok_or_else(missing)?;
        Ok(Self { bucket, space, before: record.clone(), record, author: author.clone() })
    }

    /// Settles counters and quota: what open sessions reserved is as good as taken.
    pub(super) fn close(mut self, quota_bytes: Option<u64>) -> Decision<()> {
        self.note_moment(&self.before.clone())?;
        let Self { bucket, space, record, before, .. } = self;
        if let Some(quota_bytes) = quota_bytes
            && record.reserved_bytes > before.reserved_bytes
        {
            let owner: OwnerRecord = bucket.draft.get(&OwnerSpace(space.0.owner).owner())?.unwrap_or_default();
            if owner.totals.bytes.saturating_add(record.reserved_bytes) > quota_bytes {
                return Err(Refusal::QuotaExceeded.into());
            }
        }
        bucket.draft.put(space.tree(), &record);
        bucket.close(quota_bytes.map(|quota_bytes| quota_bytes.saturating_sub(record.reserved_bytes)))
    }

    pub(super) fn time_ms(&self) -> u64 {
        self.bucket.draft.time_ms
    }

    /// A live entry.
    pub(super) fn find(&self, at: &At) -> Decision<Found> {
        Ok(query::find(self.bucket.draft.view(), self.space, at)?.ok_or(Refusal::NoSuchEntry)?)
    }

    /// What has the name in a folder.
    pub(super) fn child(&self, route: &Route, name: &EntryName) -> Result<Option<Found>> {
        query::child(self.bucket.draft.view(), self.space, route, &name.key)
    }

    /// The folder at `path`; what is missing of it is made.
    pub(super) fn ensure_folders(&mut self, path: &[EntryName]) -> Decision<Route> {
        let mut route = Route::root();
        for name in path {
            let folder = match self.child(&route, name)? {
                Some(found) if found.record.is_folder() => found,
                Some(_) => return Err(Refusal::NotAFolder.into()),
                None => self.add_folder(&route, name)?,
            };
            route = folder.into_route()?;
        }
        Ok(route)
    }

    pub(super) fn add_folder(&mut self, route: &Route, name: &EntryName) -> Decision<Found> {
        let record = EntryRecord {
            id: self.next_entry(),
            created_ms: self.time_ms(),
            changed_seq: 0,
            kind: EntryKind::Folder(FolderRecord::default()),
        };
        self.arrive(route, name, record)
    }

    pub(super) fn next_entry(&mut self) -> EntryId {
        self.record.last_entry += 1;
        EntryId(self.record.last_entry)
    }

    /// An entry comes into a folder where nothing has its name. A row of the feed says so.
    pub(super) fn arrive(&mut self, route: &Route, name: &EntryName, mut record: EntryRecord) -> Decision<Found> {
        if route.depth() > query::DEPTH_MAX {
            return Err(Refusal::PathTooDeep.into());
        }
        self.note_change(&mut record)?;
        self.stand(route.folder(), name, &record);
        self.touch(route, TotalsChange::coming(record.totals()))?;
        Ok(Found { route: route.clone(), name: name.clone(), record })
    }

    /// The three rows of an entry that stands in a folder.
    pub(super) fn stand(&mut self, parent: EntryId, name: &EntryName, record: &EntryRecord) {
        let is_folder = record.is_folder();
        let draft = &mut *self.bucket.draft;
        draft.put(self.space.entry(parent, &name.name, is_folder), record);
        draft.put(self.space.name(parent, &name.key), &NameRecord { name: name.name.clone(), is_folder });
        draft.put(self.space.place(record.id), &PlaceRecord::Live { parent, name: name.clone() });
    }

    /// An entry leaves its folder; where it goes its `place` row must say.
    pub(super) fn leave(&mut self, found: &Found) -> Result<()> {
        self.unseat(found.route.folder(), &found.name, found.record.is_folder());
        self.touch(&found.route, TotalsChange::going(found.record.totals()))
    }

    pub(super) fn unseat(&mut self, parent: EntryId, name: &EntryName, is_folder: bool) {
        self.bucket.draft.delete(self.space.entry(parent, &name.name, is_folder));
        self.bucket.draft.delete(self.space.name(parent, &name.key));
    }

    /// An entry changes where it stands. A row of the feed says so.
    pub(super) fn update(&mut self, found: &mut Found, before: Totals) -> Result<()> {
        self.note_change(&mut found.record)?;
        self.put_in_place(found);
        self.touch(&found.route, TotalsChange::between(before, found.record.totals()))
    }

    pub(super) fn put_in_place(&mut self, found: &Found) {
        let key = self.space.entry(found.route.folder(), &found.name.name, found.record.is_folder());
        self.bucket.draft.put(key, &found.record);
    }

    /// Every folder from the root to here has a change below it.
    pub(super) fn touch(&mut self, route: &Route, change: TotalsChange) -> Result<()> {
        route.spots().iter().try_for_each(|spot| self.touch_folder(spot, change))
    }

    pub(super) fn touch_folder(&mut self, spot: &Spot, change: TotalsChange) -> Result<()> {
        let key = self.space.entry(spot.parent, &spot.name, true);
        let missing = || Error::new(ErrorKind::Corrupt, format!("folder {:?} is not where it should be", spot.id));
        let mut record: EntryRecord = self.bucket.draft.get(&key)?.ok_or_else(missing)?;
        if let EntryKind::Folder(folder) = &mut record.kind {
            folder.subtree_seq = folder.subtree_seq.max(self.record.seq);
            if !change.is_nothing() {
                folder.totals = change.added_to(folder.totals)?;
            }
        }
        self.bucket.draft.put(key, &record);
        Ok(())
    }

    pub(super) fn change_trash(&mut self, change: TotalsChange) -> Result<()> {
        self.record.trash = change.added_to(self.record.trash)?;
        Ok(())
    }
}

/// The answer to a change of an entry.
pub(super) fn changed(found: Found) -> Outcome {
    Outcome::EntryChanged(EntryChanged { path: found.path(), entry: found.record, unchanged: false, trashed: None })
}

/// It is so already.
pub(super) fn unchanged(found: Found) -> Outcome {
    Outcome::EntryChanged(EntryChanged { path: found.path(), entry: found.record, unchanged: true, trashed: None })
}
