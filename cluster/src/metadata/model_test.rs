//! Random changes against a naive model, with the whole state checked after each.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;

use super::test_group::{TestGroup, owner};
use crate::id::{BlobId, BucketId, NodeId, UploadId, VersionId};
use crate::metadata::command::{
    Change, Command, CompleteUpload, CopyObject, DeleteObject, NewContent, NewPart, OwnerChange, PartReference,
    PutObject, VersionSelector, WriteCondition,
};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::{self, After, ListObjects, ListVersions};
use crate::metadata::record::{Content, ETag, ObjectHeaders, Versioning};
use model::Model;

mod model;

const KEYS: [&str; 5] = ["a", "a/b", "a/c", "b", "b/\0x"];
const BUCKETS: u64 = 2;

/// What to do next. Numbers pick among what is there.
#[derive(Clone, Debug)]
enum Step {
    SetVersioning { bucket: u64, enabled: bool },
    Put { bucket: u64, key: usize, size: usize, etag: u8, condition: WriteCondition },
    Copy { from: (u64, usize), pick: usize, to: (u64, usize), condition: WriteCondition },
    Rename { bucket: u64, source: usize, target: usize },
    Delete { bucket: u64, key: usize, pick: Option<usize>, condition: WriteCondition },
    CreateUpload { bucket: u64, key: usize },
    PutPart { pick: usize, number: u16, size: usize, etag: u8 },
    Complete { pick: usize, numbers: Vec<u16>, condition: WriteCondition },
    Abort { pick: usize },
}

/// Empty, inline, and two sizes that may be a part before the last.
const SIZES: [u64; 4] = [0, 100, 5 << 20, 6 << 20];

fn etag(letter: u8) -> ETag {
    ETag { md5: [letter; 16], parts: None }
}

fn conditions() -> impl Strategy<Value = WriteCondition> {
    prop_oneof![
        6 => Just(WriteCondition::None),
        1 => Just(WriteCondition::MustNotExist),
        1 => Just(WriteCondition::MustExist),
        1 => (0..3u8).prop_map(|letter| WriteCondition::MustMatch(vec![etag(letter)])),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let bucket = || 1..=BUCKETS;
    let key = || 0..KEYS.len();
    let size = || 0..SIZES.len();
    prop_oneof![
        1 => (bucket(), any::<bool>()).prop_map(|(bucket, enabled)| Step::SetVersioning { bucket, enabled }),
        6 => (bucket(), key(), size(), 0..3u8, conditions())
            .prop_map(|(bucket, key, size, etag, condition)| Step::Put { bucket, key, size, etag, condition }),
        3 => ((bucket(), key()), 0..4usize, (bucket(), key()), conditions())
            .prop_map(|(from, pick, to, condition)| Step::Copy { from, pick, to, condition }),
        2 => (bucket(), key(), key()).prop_map(|(bucket, source, target)| Step::Rename { bucket, source, target }),
        6 => (bucket(), key(), prop::option::of(0..6usize), conditions())
            .prop_map(|(bucket, key, pick, condition)| Step::Delete { bucket, key, pick, condition }),
        2 => (bucket(), key()).prop_map(|(bucket, key)| Step::CreateUpload { bucket, key }),
        4 => (0..3usize, 1..4u16, size(), 0..3u8)
            .prop_map(|(pick, number, size, etag)| Step::PutPart { pick, number, size, etag }),
        3 => (0..3usize, prop::sample::subsequence(vec![1, 2, 3], 1..=3), conditions())
            .prop_map(|(pick, numbers, condition)| Step::Complete { pick, numbers, condition }),
        1 => (0..3usize).prop_map(|pick| Step::Abort { pick }),
    ]
}

struct Run {
    group: TestGroup,
    model: Model,
    blobs: BTreeSet<BlobId>,
    bodies: u64,
    uploads: u8,
    history: Vec<(Command, Outcome)>,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            group: TestGroup::new(),
            model: Model::new(BUCKETS),
            blobs: BTreeSet::new(),
            bodies: 0,
            uploads: 0,
            history: Vec::new(),
        };
        for bucket in 1..=BUCKETS {
            let created = run.commit(OwnerChange::CreateBucket { name: format!("b{bucket}"), location: String::new() });
            assert_eq!(created, Outcome::BucketCreated { bucket: BucketId(bucket) });
        }
        run
    }

    fn commit(&mut self, change: OwnerChange) -> Outcome {
        let command = self.group.command(Change::Owner { owner: owner(), change });
        let outcome = self.group.apply(std::slice::from_ref(&command)).remove(0);
        self.history.push((command, outcome.clone()));
        outcome
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::SetVersioning { bucket, enabled } => {
                let versioning = if *enabled { Versioning::Enabled } else { Versioning::Suspended };
                self.model.set_versioning(*bucket, versioning);
                self.commit(OwnerChange::SetVersioning { bucket: BucketId(*bucket), versioning });
            }
            Step::Put { bucket, key, size, etag: letter, condition } => {
                let (content, etag) = (self.content(SIZES[*size]), etag(*letter));
                let expected = self.model.put(*bucket, KEYS[*key], condition, SIZES[*size], etag);
                let put = PutObject {
                    bucket: BucketId(*bucket),
                    key: KEYS[*key].to_owned(),
                    condition: condition.clone(),
                    content: content.clone(),
                    etag,
                    checksum: None,
                    headers: ObjectHeaders::default(),
                    tags: Vec::new(),
                    random: 0,
                    quota_bytes: None,
                };
                let outcome = self.commit(OwnerChange::PutObject(put));
                self.was_written(&outcome, expected, Some(&content));
            }
            Step::Copy { from, pick, to, condition } => self.copy(*from, *pick, *to, condition),
            Step::Rename { bucket, source, target } => {
                let expected = self.model.rename(*bucket, KEYS[*source], KEYS[*target]);
                let outcome = self.commit(OwnerChange::RenameObject {
                    bucket: BucketId(*bucket),
                    source: KEYS[*source].to_owned(),
                    target: KEYS[*target].to_owned(),
                    source_condition: WriteCondition::None,
                    target_condition: WriteCondition::None,
                    random: 0,
                });
                assert_eq!(refusal(&outcome), expected.err());
            }
            Step::Delete { bucket, key, pick, condition } => self.delete(*bucket, KEYS[*key], *pick, condition),
            Step::CreateUpload { bucket, key } => {
                self.uploads += 1;
                let upload = UploadId([self.uploads; 16]);
                self.model.create_upload(*bucket, KEYS[*key], upload);
                self.commit(OwnerChange::CreateUpload {
                    bucket: BucketId(*bucket),
                    upload,
                    key: KEYS[*key].to_owned(),
                    headers: ObjectHeaders::default(),
                    tags: Vec::new(),
                    checksum: None,
                });
            }
            Step::PutPart { pick, number, size, etag: letter } => self.put_part(*pick, *number, *size, *letter),
            Step::Complete { pick, numbers, condition } => self.complete(*pick, numbers, condition),
            Step::Abort { pick } => {
                let Some((bucket, key, upload)) = self.model.pick_upload(*pick) else {
                    return;
                };
                self.model.remove_upload(upload);
                let outcome = self.commit(OwnerChange::AbortUpload { bucket: BucketId(bucket), key, upload });
                assert_eq!(outcome, Outcome::Done);
            }
        }
    }

    fn copy(&mut self, from: (u64, usize), pick: usize, to: (u64, usize), condition: &WriteCondition) {
        let source_version = self.pick_version(from.0, KEYS[from.1], pick);
        let expected = self.model.copy((from.0, KEYS[from.1]), pick, (to.0, KEYS[to.1]), condition);
        let outcome = self.commit(OwnerChange::CopyObject(CopyObject {
            source_bucket: BucketId(from.0),
            source_key: KEYS[from.1].to_owned(),
            source_version: source_version.unwrap_or(VersionId([0; 16])),
            bucket: BucketId(to.0),
            key: KEYS[to.1].to_owned(),
            condition: condition.clone(),
            headers: None,
            tags: None,
            checksum: None,
            random: 0,
            quota_bytes: None,
        }));
        self.was_written(&outcome, expected, None);
    }

    fn delete(&mut self, bucket: u64, key: &str, pick: Option<usize>, condition: &WriteCondition) {
        let version = match pick.map(|pick| self.pick_version(bucket, key, pick)) {
            None => VersionSelector::Latest,
            Some(Some(version)) => VersionSelector::Id(version),
            Some(None) => VersionSelector::Null,
        };
        let expected = self.model.delete(bucket, key, pick, condition);
        let delete = DeleteObject { key: key.to_owned(), version, condition: condition.clone(), random: 0 };
        let outcome = self.commit(OwnerChange::DeleteObjects { bucket: BucketId(bucket), deletes: vec![delete] });
        let Outcome::ObjectsDeleted(deleted) = outcome else { panic!("{outcome:?}") };
        assert_eq!(deleted[0].clone().err(), expected.err());
    }

    fn put_part(&mut self, pick: usize, number: u16, size: usize, letter: u8) {
        let Some((bucket, key, upload)) = self.model.pick_upload(pick) else {
            return;
        };
        let content = self.content(SIZES[size]);
        self.model.put_part(upload, number, SIZES[size], letter);
        let part = NewPart { number, content: content.clone(), md5: [letter; 16], checksum: None };
        let bucket = BucketId(bucket);
        let outcome = self.commit(OwnerChange::PutPart { bucket, key, upload, part, quota_bytes: None });
        assert_eq!(outcome, Outcome::Done);
        self.blobs.extend(blob_of(&content));
    }

    fn complete(&mut self, pick: usize, numbers: &[u16], condition: &WriteCondition) {
        let Some((bucket, key, upload)) = self.model.pick_upload(pick) else {
            return;
        };
        let letter = |number: &u16| self.model.part_letter(upload, *number);
        let parts = numbers
            .iter()
            .map(|number| PartReference { number: *number, md5: [letter(number); 16], checksum: None })
            .collect();
        let expected = self.model.complete(bucket, &key, upload, numbers, condition);
        let outcome = self.commit(OwnerChange::CompleteUpload(CompleteUpload {
            bucket: BucketId(bucket),
            key,
            upload,
            condition: condition.clone(),
            parts,
            checksum: None,
            checksum_type: None,
            expected_bytes: None,
            random: 0,
        }));
        if let (Outcome::ObjectWritten(written), Ok(())) = (&outcome, &expected) {
            self.model.set_latest_etag(bucket, upload, written.etag);
        }
        assert_eq!(refusal(&outcome), expected.err());
    }

    /// Version ids are not the model's: the place among the versions of the key, newest first, is.
    fn pick_version(&self, bucket: u64, key: &str, pick: usize) -> Option<VersionId> {
        let list = ListVersions { prefix: key.to_owned(), limit: 1_000, ..ListVersions::default() };
        let page = query::list_versions(&self.group.records, owner(), BucketId(bucket), &list).unwrap();
        let of_key: Vec<_> = page.versions.into_iter().filter(|listed| listed.key == key).collect();
        of_key.get(pick).map(|listed| listed.record.version)
    }

    fn was_written(&mut self, outcome: &Outcome, expected: Result<(), Refusal>, new: Option<&NewContent>) {
        assert_eq!(refusal(outcome), expected.clone().err());
        if let (Ok(()), Some(content)) = (expected, new) {
            self.blobs.extend(blob_of(content));
        }
    }

    fn content(&mut self, bytes: u64) -> NewContent {
        self.bodies += 1;
        let blob = BlobId::new(owner(), 0, self.bodies);
        match bytes {
            0 => NewContent::empty(),
            1..=100 => NewContent::inline(blob, Bytes::from(vec![0; bytes as usize])),
            _ => NewContent::blob(blob, bytes, 4 << 20, vec![NodeId(1)]),
        }
    }

    fn check(&self, limit: usize) {
        self.group.check(&self.blobs);
        for bucket in 1..=BUCKETS {
            assert_eq!(self.listed_objects(bucket, limit), self.model.objects(bucket));
            assert_eq!(self.listed_versions(bucket, limit), self.model.versions(bucket));
            for key in KEYS {
                let selector = VersionSelector::Latest;
                let view = &self.group.records;
                let latest = query::version(view, owner(), BucketId(bucket), key, selector).unwrap();
                assert_eq!(latest.is_some(), self.model.has_versions(bucket, key));
            }
        }
    }

    fn listed_objects(&self, bucket: u64, limit: usize) -> Vec<(String, u64, ETag)> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let list = ListObjects { after: after.take(), limit, ..ListObjects::default() };
            let page = query::list_objects(&self.group.records, owner(), BucketId(bucket), &list).unwrap();
            found.extend(page.objects.into_iter().filter_map(|(key, record)| {
                let (_, bytes, etag) = model::described(&record)?;
                Some((key, bytes, etag))
            }));
            match page.next {
                Some(next) => after = Some(After::Marker(next)),
                None => return found,
            }
        }
    }

    fn listed_versions(&self, bucket: u64, limit: usize) -> Vec<model::Listed> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let list = ListVersions { after: after.take(), limit, ..ListVersions::default() };
            let page = query::list_versions(&self.group.records, owner(), BucketId(bucket), &list).unwrap();
            found.extend(page.versions.into_iter().map(|listed| model::Listed {
                key: listed.key,
                is_null: listed.record.is_null,
                is_latest: listed.is_latest,
                object: model::described(&listed.record).map(|(_, bytes, etag)| (bytes, etag)),
            }));
            match page.next {
                Some(next) => after = Some(next),
                None => return found,
            }
        }
    }
}

fn refusal(outcome: &Outcome) -> Option<Refusal> {
    match outcome {
        Outcome::Refused(refusal) => Some(refusal.clone()),
        _ => None,
    }
}

fn blob_of(content: &NewContent) -> Option<BlobId> {
    match content.content {
        Content::Blob { blob, .. } => Some(blob),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_what_a_naive_model_says(
        steps in prop::collection::vec(steps(), 1..60), limit in 1usize..5, batches in prop::collection::vec(1usize..9, 60),
    ) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            run.check(limit);
        }

        // The same commands in batches, with restarts between and retries within, give the same bytes.
        let mut again = TestGroup::new();
        let mut rest = run.history.as_slice();
        for batch in batches {
            let (now, later) = rest.split_at(batch.min(rest.len()));
            let commands: Vec<Command> = now.iter().map(|(command, _)| command.clone()).collect();
            let outcomes: Vec<Outcome> = now.iter().map(|(_, outcome)| outcome.clone()).collect();
            prop_assert_eq!(again.apply(&commands), outcomes.clone());
            again.reopen();
            let retries: Vec<Command> = commands.into_iter().map(|command| Command { retry: true, ..command }).collect();
            prop_assert_eq!(again.apply(&retries), outcomes);
            rest = later;
        }
        let in_batches = again.apply(&rest.iter().map(|(command, _)| command.clone()).collect::<Vec<_>>());
        prop_assert_eq!(in_batches, rest.iter().map(|(_, outcome)| outcome.clone()).collect::<Vec<_>>());
        prop_assert_eq!(&again.records, &run.group.records);
        prop_assert_eq!(&again.inline, &run.group.inline);
        prop_assert_eq!(&again.freed, &run.group.freed);
    }
}
