//! Random changes of a tree against a naive model, with the whole state checked after each, and clients that follow the feed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;

use super::test_group::{TestGroup, owner};
use crate::id::{BlobId, BucketId, EntryId, NodeId, UploadId, UserId};
use crate::metadata::command::tree::{
    AppendSession, At, AutoRename, CreateSession, FinishSession, NewFile, PutFile, TreeChange, WriteMode,
};
use crate::metadata::command::{NewContent, NewPart, OwnerChange, WriteCondition};
use crate::metadata::key::{BucketSpace, TreeSpace};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{Author, EntryName, SessionKind, TreePath};
use crate::metadata::record::{Content, ETag, ObjectHeaders};
use mirror::Mirror;
use model::Model;

mod as_bucket;
mod brake;
mod mirror;
mod model;
mod rewind;
mod scenarios;

const TREE: BucketId = BucketId(1);

fn space() -> TreeSpace {
    TreeSpace(BucketSpace::new(owner(), TREE))
}

fn name(text: &str) -> EntryName {
    EntryName { name: text.to_owned(), key: text.to_lowercase() }
}

fn path(text: &str) -> TreePath {
    text.split('/').filter(|part| !part.is_empty()).map(name).collect()
}

fn other_name(of: &str) -> AutoRename {
    let (stem, extension) = of.rsplit('/').next().unwrap().split_once('.').map_or((of, ""), |(stem, _)| (stem, ".x"));
    AutoRename { stem: name(stem.rsplit('/').next().unwrap()), label: name(""), extension: name(extension) }
}

/// Contents are one letter; the same letter is the same contents.
fn file(letter: u8) -> NewFile {
    NewFile {
        etag: ETag { md5: [letter; 16], parts: None },
        checksum: None,
        content_hash: Some([letter; 32]),
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        client_modified_ms: None,
    }
}

/// A group with an empty tree.
struct Bed {
    group: TestGroup,
    blobs: BTreeSet<BlobId>,
    bodies: u64,
}

impl Bed {
    fn new() -> Self {
        let mut group = TestGroup::new();
        let created = group.commit(OwnerChange::CreateTree { name: "root--drive".to_owned() });
        assert_eq!(created, Outcome::BucketCreated { bucket: TREE });
        Self { group, blobs: BTreeSet::new(), bodies: 0 }
    }

    fn change(&mut self, change: TreeChange) -> Outcome {
        self.change_within(None, change)
    }

    fn change_within(&mut self, quota_bytes: Option<u64>, change: TreeChange) -> Outcome {
        let author = Author { user: UserId::ROOT, device: "test".to_owned() };
        self.group.commit(OwnerChange::Tree { bucket: TREE, author, quota_bytes, change })
    }

    /// Inline up to 100 bytes. It counts as stored once a command with it was not refused.
    fn content(&mut self, bytes: u64) -> NewContent {
        self.bodies += 1;
        let blob = BlobId::new(owner(), 1_000, self.bodies);
        match bytes {
            0 => NewContent::empty(),
            1..=100 => NewContent::inline(blob, Bytes::from(vec![0; bytes as usize])),
            _ => NewContent::blob(blob, bytes, 4 << 20, vec![NodeId(1)]),
        }
    }

    fn stored(&mut self, content: &NewContent) {
        if let Content::Blob { blob, .. } = content.content {
            self.blobs.insert(blob);
        }
    }

    fn put(&mut self, at: &str, mode: WriteMode, rename: bool, letter: u8) -> Outcome {
        let content = self.content(u64::from(letter) * 40);
        let rename = rename.then(|| other_name(at));
        let put = PutFile { path: path(at), mode, rename, content: content.clone(), file: file(letter) };
        let outcome = self.change(TreeChange::PutFile(put));
        if matches!(&outcome, Outcome::EntryChanged(changed) if !changed.unchanged) {
            self.stored(&content);
        }
        outcome
    }

    /// The same through a session, in pieces of 60 bytes.
    fn upload(&mut self, at: &str, letter: u8) -> Outcome {
        self.bodies += 1;
        let session = UploadId([self.bodies as u8; 16]);
        let bytes = u64::from(letter) * 40;
        let create = CreateSession {
            session,
            kind: SessionKind::Sequential,
            bytes: Some(bytes),
            details: Bytes::new(),
            expires_ms: 9_000,
        };
        self.change(TreeChange::CreateSession(create));
        let mut offset = 0;
        while offset < bytes {
            let content = self.content((bytes - offset).min(60));
            self.stored(&content);
            let piece = content.bytes;
            let part = NewPart { number: 0, content, md5: [0; 16], checksum: None };
            let append = AppendSession { session, offset, part, state: Bytes::new(), expires_ms: 9_000, close: false };
            let outcome = self.change(TreeChange::AppendSession(append));
            offset += piece;
            assert_eq!(outcome, Outcome::SessionAppended { received: offset });
        }
        let finish = FinishSession {
            session,
            path: path(at),
            mode: WriteMode::Overwrite,
            rename: None,
            bytes,
            file: file(letter),
        };
        let outcome = self.change(TreeChange::FinishSession(finish.clone()));
        match &outcome {
            Outcome::Refused(_) => drop(self.change(TreeChange::AbortSession { session })),
            first => match (first, self.change(TreeChange::FinishSession(finish))) {
                (Outcome::EntryChanged(first), Outcome::EntryChanged(again)) => assert_eq!(first.entry, again.entry),
                other => panic!("the finish is not answered again: {other:?}"),
            },
        }
        outcome
    }

    fn find(&self, at: &str) -> Option<query::Found> {
        query::find(&self.group.records, space(), &At::Path(path(at))).unwrap()
    }

    fn entry(&self, at: &str) -> EntryId {
        self.find(at).map_or(EntryId(9_999), |found| found.record.id)
    }

    fn check(&self) {
        self.group.check(&self.blobs);
    }

    /// Path → contents; `None` for a folder. Read in pages of 3.
    fn live(&self) -> BTreeMap<String, Option<u8>> {
        let mut live = BTreeMap::new();
        let mut after = None;
        loop {
            let walk = query::Walk {
                folder: EntryId::ROOT,
                prefix: String::new(),
                recursive: true,
                after,
                unchanged_since: None,
                limit: 3,
            };
            let page = query::walk(&self.group.records, space(), &walk).unwrap();
            for walked in page.entries {
                let letter = walked.record.file().map(|file| file.head.etag.md5[0]);
                assert_eq!(live.insert(walked.path, letter), None, "listed twice");
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return live,
            }
        }
    }
}

fn refusal(outcome: &Outcome) -> Option<&Refusal> {
    match outcome {
        Outcome::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

const PATHS: [&str; 14] = [
    "a",
    "B",
    "b",
    "c.txt",
    "a/a",
    "a/B",
    "a/b",
    "a/c.txt",
    "b/a",
    "B/c.txt",
    "a/b/a",
    "a/B/c.txt",
    "b/a/c.txt",
    "A/C.txt",
];

#[derive(Clone, Debug)]
enum Step {
    Put { at: usize, mode: u8, rename: bool, letter: u8 },
    Upload { at: usize, letter: u8 },
    CreateFolder { at: usize, rename: bool },
    Move { from: usize, to: usize, rename: bool },
    Copy { from: usize, to: usize },
    Trash { at: usize },
    Untrash { pick: usize, to: Option<usize> },
    Purge { pick: usize, limit: u32 },
    Restore { at: usize, pick: usize },
    RemoveRevision { at: usize, pick: usize },
    Follow { client: usize, limit: usize },
}

fn steps() -> impl Strategy<Value = Step> {
    let at = || 0..PATHS.len();
    prop_oneof![
        6 => (at(), 0..4u8, any::<bool>(), 0..5u8).prop_map(|(at, mode, rename, letter)| Step::Put { at, mode, rename, letter }),
        2 => (at(), 0..5u8).prop_map(|(at, letter)| Step::Upload { at, letter }),
        2 => (at(), any::<bool>()).prop_map(|(at, rename)| Step::CreateFolder { at, rename }),
        4 => (at(), at(), any::<bool>()).prop_map(|(from, to, rename)| Step::Move { from, to, rename }),
        3 => (at(), at()).prop_map(|(from, to)| Step::Copy { from, to }),
        4 => at().prop_map(|at| Step::Trash { at }),
        3 => (0..4usize, prop::option::of(at())).prop_map(|(pick, to)| Step::Untrash { pick, to }),
        2 => (0..4usize, 1..4u32).prop_map(|(pick, limit)| Step::Purge { pick, limit }),
        2 => (at(), 0..3usize).prop_map(|(at, pick)| Step::Restore { at, pick }),
        2 => (at(), 0..3usize).prop_map(|(at, pick)| Step::RemoveRevision { at, pick }),
        4 => (0..2usize, 1..4usize).prop_map(|(client, limit)| Step::Follow { client, limit }),
    ]
}

struct Run {
    bed: Bed,
    model: Model,
    clients: [Mirror; 2],
}

impl Run {
    fn step(&mut self, step: &Step) {
        let (bed, model) = (&mut self.bed, &mut self.model);
        match step {
            Step::Put { at, mode, rename, letter } => {
                let at = PATHS[*at];
                let head = bed.find(at).and_then(|found| Some(found.record.file()?.head.rev));
                let mode = match mode {
                    0 => WriteMode::Add,
                    1 => WriteMode::Overwrite,
                    2 => WriteMode::Update { rev: head.unwrap_or(1) },
                    _ => WriteMode::Replace(WriteCondition::None),
                };
                let expected = model.put(at, &mode, *rename, *letter);
                let outcome = bed.put(at, mode, *rename, *letter);
                assert_eq!(refusal(&outcome).is_none(), expected, "{step:?} {outcome:?}");
            }
            Step::Upload { at, letter } => {
                let expected = model.put(PATHS[*at], &WriteMode::Overwrite, false, *letter);
                let outcome = bed.upload(PATHS[*at], *letter);
                assert_eq!(refusal(&outcome).is_none(), expected, "{step:?} {outcome:?}");
            }
            Step::CreateFolder { at, rename } => {
                let expected = model.create_folder(PATHS[*at], *rename);
                let rename = rename.then(|| other_name(PATHS[*at]));
                let outcome = bed.change(TreeChange::CreateFolder { path: path(PATHS[*at]), rename });
                assert_eq!(refusal(&outcome).is_none(), expected, "{step:?} {outcome:?}");
            }
            Step::Move { from, to, rename } => {
                let (from, to) = (PATHS[*from], PATHS[*to]);
                let expected = model.relocate(from, to, *rename);
                let rename = rename.then(|| other_name(to));
                let outcome = bed.change(TreeChange::Move { from: At::Path(path(from)), to: path(to), rename });
                assert_eq!(refusal(&outcome).is_none(), expected, "{step:?} {outcome:?}");
            }
            Step::Copy { from, to } => {
                let (from, to) = (PATHS[*from], PATHS[*to]);
                let expected = model.copy(from, to);
                let outcome =
                    bed.change(TreeChange::Copy { from: At::Path(path(from)), rev: None, to: path(to), rename: None });
                assert_eq!(refusal(&outcome).is_none(), expected, "{step:?} {outcome:?}");
            }
            Step::Trash { at } => {
                let outcome = bed.change(TreeChange::Trash { at: At::Path(path(PATHS[*at])), expected_rev: None });
                let trashed = match &outcome {
                    Outcome::EntryChanged(changed) => changed.trashed,
                    _ => None,
                };
                assert_eq!(model.trash(PATHS[*at], trashed), trashed.is_some(), "{step:?} {outcome:?}");
            }
            Step::Untrash { pick, to } => {
                let Some(trashed) = model.pick_trashed(*pick) else { return };
                let to = to.map(|to| PATHS[to]);
                let expected = model.untrash(trashed, to);
                let outcome = bed.change(TreeChange::Untrash { trashed, to: to.map(path), rename: None });
                assert_eq!(refusal(&outcome).is_none(), expected, "{step:?} {outcome:?}");
            }
            Step::Purge { pick, limit } => {
                let Some(trashed) = model.pick_trashed(*pick) else { return };
                let outcome = bed.change(TreeChange::Purge { trashed, limit: *limit });
                match outcome {
                    Outcome::Purged { more } => model.purge(trashed, more),
                    other => panic!("{step:?} {other:?}"),
                }
            }
            Step::Restore { at, pick } => {
                let Some(rev) = self.rev(PATHS[*at], *pick) else { return };
                self.model.restore(PATHS[*at], *pick);
                let entry = self.bed.entry(PATHS[*at]);
                let outcome = self.bed.change(TreeChange::Restore { entry, rev });
                assert_eq!(refusal(&outcome), None, "{step:?}");
            }
            Step::RemoveRevision { at, pick } => {
                let Some(rev) = self.rev(PATHS[*at], *pick) else { return };
                self.model.remove_revision(PATHS[*at], *pick);
                let entry = self.bed.entry(PATHS[*at]);
                let outcome = self.bed.change(TreeChange::RemoveRevision { entry, rev });
                assert_eq!(refusal(&outcome), None, "{step:?}");
            }
            Step::Follow { client, limit } => self.clients[*client].step(&self.bed.group.records, space(), *limit),
        }
    }

    /// The `pick`-th newest revision, which the model must have too.
    fn rev(&self, at: &str, pick: usize) -> Option<u64> {
        let found = self.bed.find(at)?;
        let head = &found.record.file()?.head;
        let others = query::revisions(&self.bed.group.records, space(), found.record.id, None, 100).unwrap();
        let all: Vec<_> = std::iter::once(head).chain(&others).collect();
        let letters: Vec<u8> = all.iter().map(|revision| revision.etag.md5[0]).collect();
        assert_eq!(self.model.revisions(at), letters, "revisions of {at}");
        all.get(pick).map(|revision| revision.rev)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever is done, the tree is what the model says, its records agree with each other, and clients that follow the feed end
    /// with the same files.
    #[test]
    fn the_tree_is_what_the_model_says(steps in prop::collection::vec(steps(), 1..60)) {
        let mut run = Run { bed: Bed::new(), model: Model::default(), clients: [Mirror::default(), Mirror::default()] };
        for step in &steps {
            run.step(step);
            run.bed.check();
            assert_eq!(run.bed.live(), run.model.live(), "after {step:?}");
        }
        for mut client in run.clients {
            client.catch_up(&run.bed.group.records, space());
            assert_eq!(client.files(), run.bed.live(), "a client that followed the feed");
        }
    }
}
