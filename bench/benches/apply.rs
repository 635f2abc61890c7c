//! Apply: what one command costs a group before anything is stored. It runs on one thread a group, so this is a group's ceiling.

// A benchmark that cannot set itself up has nothing to report, as a test.
#![allow(clippy::expect_used)]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onggi_cluster::id::{BlobId, BucketId, GroupId, NodeId, RequestId, UserId};
use onggi_cluster::metadata::VoterSets;
use onggi_cluster::metadata::apply::{Applier, Write};
use onggi_cluster::metadata::command::{Change, Command, NewContent, OwnerChange, PutObject, WriteCondition};
use onggi_cluster::metadata::outcome::Outcome;
use onggi_cluster::metadata::record::{ETag, ObjectHeaders};
use onggi_cluster::metadata::view::MemoryView;

/// A group and its state in memory.
struct State {
    view: MemoryView,
    applier: Applier,
    voters: VoterSets,
    commands: u64,
}

impl State {
    fn new() -> Self {
        let view = MemoryView::default();
        let applier = Applier::open(&view, GroupId(1)).expect("open");
        Self { view, applier, voters: VoterSets::new([vec![NodeId(1)]]), commands: 0 }
    }

    fn apply(&mut self, change: OwnerChange) -> Outcome {
        self.commands += 1;
        let mut request = [0; 16];
        request[..8].copy_from_slice(&self.commands.to_be_bytes());
        let change = Change::Owner { owner: UserId::ROOT.owner_key(), change };
        let command =
            Command { request: RequestId(request), retry: false, time_ms: 1_700_000_000_000 + self.commands, change };
        let applied = self.applier.apply(&self.view, &self.voters, &command).expect("apply");
        for write in applied.writes {
            match write {
                Write::Put { key, value } => self.view.put(key, value),
                Write::Delete { key } => self.view.delete(&key),
                Write::PutInline { .. }
                | Write::DeleteInline { .. }
                | Write::NameBlob { .. }
                | Write::FreeBlob { .. }
                | Write::FoundGroup { .. } => {}
            }
        }
        applied.outcome
    }

    fn make_bucket(&mut self) -> BucketId {
        match self.apply(OwnerChange::CreateBucket { name: "bench".into(), location: String::new() }) {
            Outcome::BucketCreated { bucket } => bucket,
            other => panic!("no bucket: {other:?}"),
        }
    }

    fn put(&mut self, bucket: BucketId, key: String, condition: WriteCondition) -> Outcome {
        let blob = BlobId::new(UserId::ROOT.owner_key(), 1_700_000_000_000, self.commands);
        self.apply(OwnerChange::PutObject(PutObject {
            bucket,
            key,
            condition,
            content: NewContent::inline(blob, Bytes::from_static(b"onggi")),
            etag: ETag { md5: [7; 16], parts: None },
            checksum: None,
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            random: self.commands,
            quota_bytes: None,
        }))
    }
}

fn puts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply/put_object");
    group.throughput(Throughput::Elements(1));
    for (name, keys) in [("new_key", u64::MAX), ("overwrite", 1000)] {
        group.bench_function(name, |bencher| {
            let mut state = State::new();
            let bucket = state.make_bucket();
            let mut number = 0_u64;
            bencher.iter(|| {
                number += 1;
                black_box(state.put(bucket, format!("folder/object-{:012}", number % keys), WriteCondition::None))
            });
        });
    }
    group.bench_function("refused_by_condition", |bencher| {
        let mut state = State::new();
        let bucket = state.make_bucket();
        state.put(bucket, "lock".into(), WriteCondition::None);
        bencher.iter(|| black_box(state.put(bucket, "lock".into(), WriteCondition::MustNotExist)));
    });
    group.finish();
}

criterion_group!(benches, puts);
criterion_main!(benches);
