//! Tree check: what a tree says of itself against a full scan of its records.
//! Owns: the invariants of docs/drive-tree.md, and what its records name and count.

use std::collections::{BTreeMap, BTreeSet};

use onggi_storage_engine::format::Record;

use crate::id::EntryId;
use crate::metadata::key::{BucketSpace, TreeKey};
use crate::metadata::record::tree::{
    ChangeRecord, EntryKind, EntryRecord, NameRecord, PlaceRecord, RevisionRecord, SessionRecord, Totals, TrashRecord,
    TreeRecord, VacatedRecord,
};
use crate::metadata::record::{Content, Counters};

/// All records of one tree.
#[derive(Default)]
pub(super) struct TreeRecords {
    tree: Option<TreeRecord>,
    entries: BTreeMap<(EntryId, String), EntryRecord>,
    names: BTreeMap<(EntryId, String), NameRecord>,
    places: BTreeMap<EntryId, PlaceRecord>,
    revisions: BTreeMap<(EntryId, u64), RevisionRecord>,
    changes: BTreeMap<u64, ChangeRecord>,
    vacated: BTreeMap<(EntryId, String), VacatedRecord>,
    trash: BTreeMap<u64, TrashRecord>,
    sessions: Vec<SessionRecord>,
    stood: BTreeSet<(EntryId, u64)>,
}

impl TreeRecords {
    pub(super) fn add(&mut self, key: TreeKey, value: &[u8]) {
        match key {
            TreeKey::Tree => self.tree = Some(TreeRecord::from_bytes(value).unwrap()),
            TreeKey::Entry { parent, name } => {
                self.entries.insert((parent, name), EntryRecord::from_bytes(value).unwrap());
            }
            TreeKey::Name { parent, folded } => {
                self.names.insert((parent, folded), NameRecord::from_bytes(value).unwrap());
            }
            TreeKey::Place(entry) => {
                self.places.insert(entry, PlaceRecord::from_bytes(value).unwrap());
            }
            TreeKey::Revision { entry, rev } => {
                let record = RevisionRecord::from_bytes(value).unwrap();
                assert_eq!(record.rev, rev);
                self.revisions.insert((entry, rev), record);
            }
            TreeKey::Change { seq } => {
                self.changes.insert(seq, ChangeRecord::from_bytes(value).unwrap());
            }
            TreeKey::Vacated { parent, folded } => {
                self.vacated.insert((parent, folded), VacatedRecord::from_bytes(value).unwrap());
            }
            TreeKey::Trash { seq } => {
                let record = TrashRecord::from_bytes(value).unwrap();
                assert_eq!(record.seq, seq);
                self.trash.insert(seq, record);
            }
            TreeKey::Session(session) => {
                let record = SessionRecord::from_bytes(value).unwrap();
                assert_eq!(record.session, session);
                self.sessions.push(record);
            }
            TreeKey::Stood { entry, seq } => drop(self.stood.insert((entry, seq))),
            TreeKey::SessionPart { .. } | TreeKey::Link(_) | TreeKey::Moment { .. } | TreeKey::Brake => {}
        }
    }

    /// The contents that revisions name, once for each name.
    pub(super) fn contents(&self) -> impl Iterator<Item = &Content> {
        let of_entries = self.entries.values().chain(self.trash.values().map(|item| &item.entry));
        let heads = of_entries.filter_map(|entry| Some(&entry.file()?.head.content));
        heads.chain(self.revisions.values().map(|revision| &revision.content))
    }

    /// What the bucket's counters must say, besides the parts of uploads.
    pub(super) fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for entry in self.entries.values().filter(|entry| self.is_live(entry.id)) {
            counters.objects += u64::from(entry.file().is_some());
        }
        for file in self.entries.values().chain(self.trash.values().map(|item| &item.entry)).filter_map(|e| e.file()) {
            counters.versions += 1;
            counters.bytes += file.head.bytes;
        }
        counters.versions += self.revisions.len() as u64;
        counters.bytes += self.revisions.values().map(|revision| revision.bytes).sum::<u64>();
        counters.uploads = self.sessions.iter().filter(|session| session.finished.is_none()).count() as u64;
        counters
    }

    pub(super) fn check(&self, space: BucketSpace) {
        let tree = self.tree.as_ref().unwrap_or_else(|| panic!("bucket {} has no tree", space.bucket.0));
        self.check_places(tree);
        self.check_totals(tree);
        self.check_feed(tree);
        let reserved: u64 = self.sessions.iter().map(|session| session.reserved).sum();
        assert_eq!(tree.reserved_bytes, reserved, "what open sessions reserve");
    }

    fn check_places(&self, tree: &TreeRecord) {
        let mut places = BTreeMap::new();
        for ((parent, standing), entry) in &self.entries {
            assert_eq!(standing.ends_with('/'), entry.is_folder(), "{standing}: only folders end in a slash");
            let name = standing.trim_end_matches('/').to_owned();
            if entry.id == EntryId::ROOT {
                continue;
            }
            let Some(PlaceRecord::Live { parent: place_parent, name: place_name }) = self.places.get(&entry.id) else {
                panic!("entry {:?} stands in a folder, but its place does not say so", entry.id);
            };
            assert_eq!((place_parent, &place_name.name), (parent, &name));
            let record = NameRecord { name, is_folder: entry.is_folder() };
            assert_eq!(self.names.get(&(*parent, place_name.key.clone())), Some(&record));
            places.insert(entry.id, ());
            assert!(entry.id.0 <= tree.last_entry);
        }
        assert_eq!(self.names.len(), places.len(), "a name without an entry");
        for (seq, item) in &self.trash {
            assert_eq!(self.places.get(&item.entry.id), Some(&PlaceRecord::Trashed { seq: *seq }));
            places.insert(item.entry.id, ());
        }
        let placed: BTreeSet<_> = self.places.keys().copied().filter(|id| *id != EntryId::ROOT).collect();
        assert_eq!(placed, places.into_keys().collect(), "entries, and where they stand");
        for (entry, _) in self.revisions.keys() {
            assert!(self.places.contains_key(entry), "a revision of an entry that is gone");
        }
        for (entry, seq) in &self.stood {
            assert!(self.places.contains_key(entry), "a former place of an entry that is gone");
            assert!(*seq <= tree.seq);
        }
    }

    fn check_totals(&self, tree: &TreeRecord) {
        for entry in self.entries.values() {
            self.check_entry(entry);
        }
        let mut trash = Totals::default();
        for item in self.trash.values() {
            if !item.purging {
                self.check_entry(&item.entry);
            }
            add(&mut trash, &self.own_and_below(&item.entry));
        }
        assert_eq!(tree.trash, trash, "totals of the trash");
    }

    fn check_entry(&self, entry: &EntryRecord) {
        match &entry.kind {
            EntryKind::Folder(folder) if !self.is_being_purged(entry.id) => {
                assert_eq!(folder.totals, self.below(entry.id), "totals of folder {:?}", entry.id);
                assert!(folder.subtree_seq >= entry.changed_seq);
            }
            EntryKind::Folder(_) => {}
            EntryKind::File(file) => {
                let others: Vec<_> = self.revisions.range((entry.id, 0)..=(entry.id, u64::MAX)).collect();
                assert_eq!(file.revisions, others.len() as u64);
                assert_eq!(file.revision_bytes, others.iter().map(|(_, revision)| revision.bytes).sum::<u64>());
                assert!(others.iter().all(|(_, revision)| revision.rev < file.head.rev));
            }
        }
    }

    fn own_and_below(&self, entry: &EntryRecord) -> Totals {
        match &entry.kind {
            EntryKind::File(_) => entry.totals(),
            EntryKind::Folder(_) => Totals { folders: self.below(entry.id).folders + 1, ..self.below(entry.id) },
        }
    }

    fn below(&self, folder: EntryId) -> Totals {
        let mut totals = Totals::default();
        let first = (folder, String::new());
        for (_, entry) in self.entries.range(first..).take_while(|((parent, _), _)| *parent == folder) {
            add(&mut totals, &self.own_and_below(entry));
        }
        totals
    }

    fn check_feed(&self, tree: &TreeRecord) {
        for (seq, change) in &self.changes {
            assert!(*seq <= tree.seq);
            match change {
                ChangeRecord::Entry(entry) => {
                    let standing = self.entries.values().find(|standing| standing.id == *entry);
                    assert_eq!(standing.map(|standing| standing.changed_seq), Some(*seq), "row {seq} of the feed");
                }
                ChangeRecord::Vacated { parent, key } => {
                    let vacated = self.vacated.get(&(*parent, key.clone()));
                    assert_eq!(vacated.map(|vacated| vacated.seq), Some(*seq), "row {seq} of the feed");
                }
            }
        }
        for vacated in self.vacated.values() {
            assert!(self.changes.contains_key(&vacated.seq), "a vacated place has its row");
        }
    }

    fn is_live(&self, entry: EntryId) -> bool {
        self.top_of(entry) == Some(EntryId::ROOT)
    }

    fn is_being_purged(&self, entry: EntryId) -> bool {
        let top = self.top_of(entry);
        self.trash.values().any(|item| item.purging && Some(item.entry.id) == top)
    }

    fn top_of(&self, mut entry: EntryId) -> Option<EntryId> {
        while entry != EntryId::ROOT {
            match self.places.get(&entry)? {
                PlaceRecord::Live { parent, .. } => entry = *parent,
                PlaceRecord::Trashed { .. } => return Some(entry),
            }
        }
        Some(EntryId::ROOT)
    }
}

fn add(totals: &mut Totals, more: &Totals) {
    totals.files += more.files;
    totals.folders += more.folders;
    totals.bytes += more.bytes;
    totals.revisions += more.revisions;
    totals.revision_bytes += more.revision_bytes;
}
