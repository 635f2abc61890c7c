//! The sweep frees what nothing names, and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::Clock;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::metadata_store::MetadataStore;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::freed_blobs::FreedQueue;
use super::group_state::{GroupState, GroupStates};
use super::open_blobs::OpenBlobs;
use super::received_blobs::ReceivedBlobs;
use super::replica_set::ReplicaMap;
use super::sweep::{SweepOptions, Sweeper, SweeperParts};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, GroupId, NodeId, OwnerKey};
use crate::metadata::key::{OwnerSpace, Referent};
use crate::metadata::record::ReferenceRecord;
use crate::metadata::view::StoreView;
use crate::placement::PartitionMap;
use crate::testing::TestEngine;

const GRACE: Duration = Duration::from_secs(100);

/// Stands still until it is moved.
struct SetClock {
    begun: Instant,
    passed_ms: AtomicU64,
}

impl Clock for SetClock {
    fn unix_ms(&self) -> u64 {
        1_000_000 + self.passed_ms.load(Ordering::Relaxed)
    }

    fn now(&self) -> Instant {
        self.begun + Duration::from_millis(self.passed_ms.load(Ordering::Relaxed))
    }
}

struct Bench {
    engine: StorageEngine,
    clock: Arc<SetClock>,
    open: OpenBlobs,
    freed: FreedQueue,
    states: Arc<States>,
    replicas: watch::Sender<Arc<ReplicaMap>>,
    sweeper: Sweeper,
}

/// What the group answers when it is asked for its current state.
struct States {
    metadata: MetadataStore,
    answer: Mutex<Answer>,
}

#[derive(Clone, Copy)]
enum Answer {
    Here,
    Elsewhere,
    Unknown,
}

impl GroupStates for States {
    fn current(&self, _group: GroupId) -> BoxFuture<'static, Result<GroupState>> {
        let answer = match *self.answer.lock().expect("is not poisoned") {
            Answer::Here => Ok(GroupState::Here(Box::new(StoreView::new(self.metadata.snapshot())))),
            Answer::Elsewhere => Ok(GroupState::Elsewhere),
            Answer::Unknown => Err(Error::new(ErrorKind::Unavailable, "no majority")),
        };
        Box::pin(std::future::ready(answer))
    }

    fn applied(&self, _group: GroupId) -> Option<u64> {
        None
    }
}

impl Bench {
    async fn new(directory: &TestEngine) -> Self {
        let engine = directory.open().await;
        let clock = Arc::new(SetClock { begun: Instant::now(), passed_ms: AtomicU64::new(0) });
        let open = OpenBlobs::new(clock.clone(), GRACE);
        let freed = FreedQueue::new(clock.clone(), GRACE);
        let states = Arc::new(States { metadata: engine.metadata_store().clone(), answer: Mutex::new(Answer::Here) });
        let replicas = watch::Sender::new(Arc::new(ReplicaMap::of_one_node(PartitionMap::even(1), NodeId(1))));
        let sweeper = Sweeper::new(SweeperParts {
            node: NodeId(1),
            clock: clock.clone(),
            chunks: engine.chunk_store().clone(),
            replicas: replicas.subscribe(),
            states: states.clone(),
            open: open.clone(),
            received: ReceivedBlobs::new(clock.clone(), GRACE, open.clone()),
            freed: freed.clone(),
            options: SweepOptions { interval: Duration::from_secs(1), grace: GRACE },
        });
        Self { engine, clock, open, freed, states, replicas, sweeper }
    }

    async fn store(&self, number: u64) -> BlobId {
        let blob = BlobId::new(OwnerKey(7), self.clock.unix_ms(), number);
        let appended = self.engine.chunk_store().append(blob.chunk(0), vec![Bytes::from_static(b"bytes")]).await;
        self.engine.chunk_store().sync(&[appended.expect("appends")]).await.expect("syncs");
        blob
    }

    fn name(&self, blob: BlobId) {
        let key = OwnerSpace(blob.owner()).reference(&Referent::Blob(blob));
        let mut batch = self.engine.metadata_store().batch();
        batch.put(&key, &ReferenceRecord { count: 1 }.to_bytes());
        self.engine.metadata_store().apply(batch).expect("writes");
    }

    fn answer(&self, answer: Answer) {
        *self.states.answer.lock().expect("is not poisoned") = answer;
    }

    fn pass_time(&self, time: Duration) {
        self.clock.passed_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }

    async fn pass(&self) {
        self.sweeper.pass(&mut None, &CancellationToken::new()).await.expect("passes");
    }

    async fn stored(&self) -> Vec<BlobId> {
        let blobs = self.engine.chunk_store().blobs(None, 100).await.expect("lists");
        blobs.into_iter().map(|(blob, _)| blob).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_go_after_the_grace_period_and_named_blobs_stay() {
    let directory = TestEngine::new();
    let bench = Bench::new(&directory).await;
    let (orphan, named) = (bench.store(1).await, bench.store(2).await);
    bench.name(named);
    bench.pass().await;
    assert_eq!(bench.stored().await, [orphan, named], "both are young");
    bench.pass_time(GRACE);
    let young = bench.store(3).await;
    bench.pass().await;
    assert_eq!(bench.stored().await, [named, young]);
    assert_eq!(bench.sweeper.status().orphans, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_still_written_or_just_was_is_left_alone() {
    let directory = TestEngine::new();
    let bench = Bench::new(&directory).await;
    let blob = bench.store(1).await;
    let writing = bench.open.register(blob);
    bench.pass_time(GRACE * 10);
    bench.pass().await;
    assert_eq!(bench.stored().await, [blob], "an upload of a thousand seconds");
    drop(writing);
    bench.pass_time(GRACE / 2);
    bench.pass().await;
    assert_eq!(bench.stored().await, [blob], "its commit may be on its way");
    bench.pass_time(GRACE);
    bench.pass().await;
    assert_eq!(bench.stored().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_freed_on_what_may_be_an_old_state_and_what_moved_away_goes() {
    let directory = TestEngine::new();
    let bench = Bench::new(&directory).await;
    let (orphan, named) = (bench.store(1).await, bench.store(2).await);
    bench.name(named);
    bench.pass_time(GRACE);
    bench.answer(Answer::Unknown);
    bench.pass().await;
    assert_eq!(bench.stored().await, [orphan, named]);
    assert_eq!(bench.sweeper.status().undecided, 2);
    bench.answer(Answer::Elsewhere);
    bench.replicas.send_replace(Arc::new(ReplicaMap::of_one_node(PartitionMap::even(1), NodeId(2))));
    assert!(bench.sweeper.look_for_departed());
    bench.pass().await;
    assert_eq!(bench.stored().await, [orphan, named], "node 2 may still lack some");
    bench.pass_time(GRACE);
    assert!(!bench.sweeper.look_for_departed(), "known");
    bench.pass().await;
    assert_eq!(bench.stored().await, [], "another node has them now");
}

#[tokio::test(flavor = "multi_thread")]
async fn freed_blobs_wait_for_their_grace_period() {
    let directory = TestEngine::new();
    let bench = Bench::new(&directory).await;
    let blob = bench.store(1).await;
    bench.freed.sender().send(vec![blob]);
    assert_eq!(bench.freed.take_due(10), []);
    bench.pass_time(GRACE);
    bench.sweeper.free_due().await;
    assert_eq!(bench.stored().await, []);
    assert_eq!((bench.sweeper.status().freed, bench.sweeper.status().waiting), (1, 0));
}
