//! Test group: one group's records in memory, as a state machine would keep them.
//! Owns: the check that counters, references and the places of versions are exactly what the records say.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use onggi_storage_engine::format::Record;

use crate::id::{BlobId, GroupId, NodeId, OwnerKey, RequestId, UploadId, UserId, VersionId};
use crate::metadata::VoterSets;
use crate::metadata::apply::{Applier, Write};
use crate::metadata::command::{Change, Command, OwnerChange, SystemChange};
use crate::metadata::key::{self, BucketKey, BucketSpace, Key, OwnerTableKey, Referent};
use crate::metadata::outcome::Outcome;
use crate::metadata::record::{
    Content, Counters, ManifestRecord, OwnerRecord, PartRecord, ReferenceRecord, UploadRecord, VersionKind,
    VersionRecord,
};
use crate::metadata::tree_check::TreeRecords;
use crate::metadata::view::{MemoryView, MetadataView, Overlay};

pub(super) const GROUP: GroupId = GroupId(1);

pub(super) fn owner() -> OwnerKey {
    UserId::ROOT.owner_key()
}

/// Of the only node.
pub(super) fn voters() -> VoterSets {
    VoterSets::new([vec![NodeId(1)]])
}

pub(super) struct TestGroup {
    pub(super) records: MemoryView,
    pub(super) inline: BTreeMap<BlobId, Bytes>,
    pub(super) named: Vec<BlobId>,
    pub(super) freed: Vec<BlobId>,
    pub(super) founded: Vec<GroupId>,
    pub(super) time_ms: u64,
    applier: Applier,
    requests: u64,
}

impl TestGroup {
    pub(super) fn new() -> Self {
        let records = MemoryView::default();
        let applier = Applier::open(&records, GROUP).unwrap();
        Self {
            records,
            inline: BTreeMap::new(),
            named: Vec::new(),
            freed: Vec::new(),
            founded: Vec::new(),
            time_ms: 1_000,
            applier,
            requests: 0,
        }
    }

    /// A new request, one millisecond after the last one.
    pub(super) fn command(&mut self, change: Change) -> Command {
        self.requests += 1;
        self.time_ms += 1;
        let mut request = [0; 16];
        request[8..].copy_from_slice(&self.requests.to_be_bytes());
        Command { request: RequestId(request), retry: false, time_ms: self.time_ms, change }
    }

    pub(super) fn commit(&mut self, change: OwnerChange) -> Outcome {
        let command = self.command(Change::Owner { owner: owner(), change });
        self.apply(&[command]).remove(0)
    }

    pub(super) fn commit_system(&mut self, change: SystemChange) -> Outcome {
        let command = self.command(Change::System(change));
        self.apply(&[command]).remove(0)
    }

    /// One batch: every command sees the writes of those before it, and all are stored together.
    pub(super) fn apply(&mut self, batch: &[Command]) -> Vec<Outcome> {
        let stored = self.records.clone();
        let mut overlay = Overlay::new(&stored);
        let mut outcomes = Vec::new();
        for command in batch {
            let command = Command::decode(&command.encode()).unwrap();
            let applied = self.applier.apply(&overlay, &voters(), &command).unwrap();
            for write in applied.writes {
                match write {
                    Write::Put { key, value } => overlay.put(key, value),
                    Write::Delete { key } => overlay.delete(key),
                    Write::PutInline { blob, payload } => {
                        assert_eq!(self.inline.insert(blob, payload), None, "payload of {blob:?} is stored twice");
                    }
                    Write::DeleteInline { blob } => {
                        assert!(self.inline.remove(&blob).is_some(), "payload of {blob:?} is deleted twice");
                    }
                    Write::NameBlob { blob, .. } => self.named.push(blob),
                    Write::FreeBlob { blob } => self.freed.push(blob),
                    Write::FoundGroup { group } => self.founded.push(group),
                }
            }
            outcomes.push(applied.outcome);
        }
        for (key, value) in overlay.into_changes() {
            match value {
                Some(value) => self.records.put(key, value),
                None => self.records.delete(&key),
            }
        }
        outcomes
    }

    /// As after a restart: the memory of requests is read from the records.
    pub(super) fn reopen(&mut self) {
        self.applier = Applier::open(&self.records, GROUP).unwrap();
    }

    /// Recomputes from a full scan what the state says of itself. `blobs`: all that were ever stored.
    pub(super) fn check(&self, blobs: &BTreeSet<BlobId>) {
        let found = Found::scan(&self.records);
        found.check_counters(&self.records);
        found.check_places();

        let freed: BTreeSet<BlobId> = self.freed.iter().copied().collect();
        assert_eq!(freed.len(), self.freed.len(), "a blob is freed twice");
        let named: BTreeSet<BlobId> = found.blobs.keys().copied().collect();
        assert!(named.is_disjoint(&freed), "a blob is freed that is still named");
        let reported: BTreeSet<BlobId> = self.named.iter().copied().collect();
        assert_eq!(reported.len(), self.named.len(), "a blob gets its first name twice");
        assert_eq!(reported, *blobs, "a blob got a name and nobody was told");
        assert_eq!(&named | &freed, *blobs, "a blob is neither named nor freed");

        let payloads: BTreeSet<BlobId> = self.inline.keys().copied().collect();
        let inline: BTreeSet<BlobId> = found.inline.keys().copied().collect();
        assert_eq!(inline, payloads, "payloads, and what names them");

        let of_blobs = found.blobs.iter().map(|(blob, count)| (Referent::Blob(*blob), *count));
        let of_inline = found.inline.iter().map(|(blob, count)| (Referent::Blob(*blob), *count));
        let of_uploads = found.uploads.iter().map(|(upload, count)| (*upload, *count));
        let expected: BTreeMap<Referent, u64> =
            of_blobs.chain(of_inline.filter(|(_, count)| *count > 1)).chain(of_uploads).collect();
        assert_eq!(found.references, expected, "reference counts, and the names in the records");
    }
}

/// What stands in the records.
#[derive(Default)]
struct Found {
    references: BTreeMap<Referent, u64>,
    blobs: BTreeMap<BlobId, u64>,
    inline: BTreeMap<BlobId, u64>,
    uploads: BTreeMap<Referent, u64>,
    counters: BTreeMap<(OwnerKey, u64), Counters>,
    objects: BTreeMap<(u64, String), VersionRecord>,
    others: BTreeMap<(u64, String), Vec<VersionRecord>>,
    nulls: BTreeMap<(u64, String), VersionId>,
    parts: BTreeMap<(u64, UploadId, u16), u64>,
    listed_parts: BTreeSet<(u64, UploadId, u16)>,
    trees: BTreeMap<u64, (BucketSpace, TreeRecords)>,
}

impl Found {
    fn scan(records: &MemoryView) -> Self {
        let mut found = Self::default();
        for (key, value) in records.iter() {
            match key::parse(key).unwrap() {
                Key::Owner(_, OwnerTableKey::Reference(referent)) => {
                    found.references.insert(referent, ReferenceRecord::from_bytes(value).unwrap().count);
                }
                Key::Bucket(space, key) => found.bucket_record(space, key, value),
                _ => {}
            }
        }
        found.count_trees();
        for ((bucket, upload, number), bytes) in &found.parts {
            let is_in_manifest = found.listed_parts.contains(&(*bucket, *upload, *number));
            if !is_in_manifest {
                found.counters.entry((owner(), *bucket)).or_default().bytes += bytes;
            }
        }
        for listed in &found.listed_parts {
            assert!(found.parts.contains_key(listed), "a manifest lists a part that is gone: {listed:?}");
        }
        found
    }

    fn bucket_record(&mut self, space: BucketSpace, key: BucketKey, value: &[u8]) {
        let bucket = space.bucket.0;
        match key {
            BucketKey::Object { key } => {
                let record = self.version(space, value);
                self.counters.entry((space.owner, bucket)).or_default().objects += 1;
                self.objects.insert((bucket, key), record);
            }
            BucketKey::Version { key, version } => {
                let record = self.version(space, value);
                assert_eq!(record.version, version);
                self.others.entry((bucket, key)).or_default().push(record);
            }
            BucketKey::NullVersion { key } => {
                self.nulls.insert((bucket, key), VersionId::from_bytes(value).unwrap());
            }
            BucketKey::Upload { key, upload } => {
                let record = UploadRecord::from_bytes(value).unwrap();
                assert_eq!((record.key, record.upload), (key, upload));
                self.counters.entry((space.owner, bucket)).or_default().uploads += 1;
            }
            BucketKey::Part { upload, number } => {
                let record = PartRecord::from_bytes(value).unwrap();
                self.parts.insert((bucket, upload, number), record.bytes);
                self.name(&record.content);
            }
            BucketKey::Manifest { upload } => {
                let parts = ManifestRecord::from_bytes(value).unwrap().parts;
                self.listed_parts.extend(parts.into_iter().map(|(number, _)| (bucket, upload, number)));
            }
            BucketKey::Tree(key) => {
                let (_, tree) = self.trees.entry(bucket).or_insert_with(|| (space, TreeRecords::default()));
                tree.add(key, value);
            }
            BucketKey::Bucket | BucketKey::Counters | BucketKey::CompletedUpload { .. } => {}
        }
    }

    fn count_trees(&mut self) {
        for (bucket, (space, tree)) in std::mem::take(&mut self.trees) {
            tree.check(space);
            tree.contents().for_each(|content| self.name(content));
            let counted = tree.counters();
            let counters = self.counters.entry((space.owner, bucket)).or_default();
            counters.objects += counted.objects;
            counters.versions += counted.versions;
            counters.uploads += counted.uploads;
            counters.bytes += counted.bytes;
        }
    }

    fn version(&mut self, space: BucketSpace, value: &[u8]) -> VersionRecord {
        let record = VersionRecord::from_bytes(value).unwrap();
        let counters = self.counters.entry((space.owner, space.bucket.0)).or_default();
        match &record.kind {
            VersionKind::DeleteMarker => counters.delete_markers += 1,
            VersionKind::Object(object) => {
                counters.versions += 1;
                counters.bytes += object.bytes;
                self.name(&object.content);
            }
        }
        record
    }

    fn name(&mut self, content: &Content) {
        match content {
            Content::Empty => {}
            Content::Inline { blob } => *self.inline.entry(*blob).or_default() += 1,
            Content::Blob { blob, .. } => *self.blobs.entry(*blob).or_default() += 1,
            Content::Parts { upload, .. } => *self.uploads.entry(Referent::Upload(*upload)).or_default() += 1,
        }
    }

    fn check_counters(&self, records: &MemoryView) {
        let mut totals = Counters::default();
        for (key, value) in records.iter() {
            if let Key::Bucket(space, BucketKey::Counters) = key::parse(key).unwrap() {
                let kept = Counters::from_bytes(value).unwrap();
                let counted = self.counters.get(&(space.owner, space.bucket.0)).copied().unwrap_or_default();
                assert_eq!(kept, counted, "counters of bucket {}", space.bucket.0);
                totals.objects += kept.objects;
                totals.versions += kept.versions;
                totals.delete_markers += kept.delete_markers;
                totals.uploads += kept.uploads;
                totals.bytes += kept.bytes;
            }
        }
        let owner_key = key::OwnerSpace(owner()).owner();
        let kept = records.get(&owner_key).unwrap().map(|value| OwnerRecord::from_bytes(&value).unwrap().totals);
        assert_eq!(kept.unwrap_or_default(), totals, "totals of the owner");
    }

    /// The latest version stands in `object` unless it is a delete marker; null versions are found where they stand.
    fn check_places(&self) {
        let mut nulls = BTreeMap::new();
        for (key, others) in &self.others {
            // The scan gives them in key order: newest first.
            assert!(others.windows(2).all(|pair| pair[0].version > pair[1].version), "{key:?}: newest first");
            match self.objects.get(key) {
                Some(object) => assert!(object.version > others[0].version, "{key:?}: the object is the latest"),
                None => assert_eq!(others[0].kind, VersionKind::DeleteMarker, "{key:?}: an object is not in its place"),
            }
            for null in others.iter().filter(|other| other.is_null) {
                assert_eq!(nulls.insert(key.clone(), null.version), None, "{key:?}: two null versions");
                assert!(self.objects.get(key).is_none_or(|object| !object.is_null), "{key:?}: two null versions");
            }
        }
        for (key, object) in &self.objects {
            assert_ne!(object.kind, VersionKind::DeleteMarker, "{key:?}: a delete marker stands as object");
        }
        assert_eq!(self.nulls, nulls, "where null versions stand");
    }
}
