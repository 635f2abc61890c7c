//! Group commit: who is released by which fdatasync.

use std::io::{self, IoSlice, IoSliceMut};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ChunkStore;
use super::extent::{Extent, SyncContext};
use super::index::{DurableFrame, Index, Origin};
use super::index_record::Place;
use super::index_store::MemoryIndexStore;
use super::layout::ExtentId;
use super::status::Counters;
use super::test_bed::{TestBed, options, payload};
use crate::drive::Poison;
use crate::env::DiskFile;
use crate::env::simulated_disk::Fuse;
use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, OwnerKey};

/// Long enough for a waiter that is released wrongly to come through.
const SOON: Duration = Duration::from_millis(200);
const LATE: Duration = Duration::from_secs(20);

/// A file whose fdatasync says that it began, and returns when it is told what.
struct GatedFile {
    began: Mutex<Sender<()>>,
    ends: Mutex<Receiver<io::Result<()>>>,
}

impl DiskFile for GatedFile {
    fn sync_data(&self) -> io::Result<()> {
        self.began.lock().expect("gate").send(()).expect("test listens");
        self.ends.lock().expect("gate").recv().expect("test ends the sync")
    }

    fn bytes(&self) -> io::Result<u64> {
        unreachable!("a sync does nothing else")
    }

    fn write_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<()> {
        unreachable!("a sync does nothing else")
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        unreachable!("a sync does nothing else")
    }

    fn read_vectored_at(&self, _: &mut [IoSliceMut<'_>], _: u64) -> io::Result<()> {
        unreachable!("a sync does nothing else")
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        unreachable!("a sync does nothing else")
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        unreachable!("a sync does nothing else")
    }
}

struct Bench {
    extent: Arc<Extent>,
    index: Arc<Index>,
    poison: Poison,
    began: Receiver<()>,
    end: Sender<io::Result<()>>,
}

impl Bench {
    fn new() -> Self {
        let ((began_tx, began), (end, ends)) = (channel(), channel());
        let file = GatedFile { began: Mutex::new(began_tx), ends: Mutex::new(ends) };
        let extent = Arc::new(Extent::new(ExtentId(1), Arc::new(file)));
        let index = Arc::new(Index::open(Arc::new(MemoryIndexStore::new(Fuse::never()))).expect("index"));
        Self { extent, index, poison: Poison::default(), began, end }
    }

    /// Gives the end of the frame.
    fn write(&self, number: u32) -> u64 {
        let chunk = BlobId::new(OwnerKey(1), 1, 1).chunk(number);
        let place = Place { extent: ExtentId(1), offset: self.extent.written(), payload_bytes: 1000 };
        self.index.expect(chunk, place);
        self.extent.wrote(DurableFrame { chunk, place, origin: Origin::Appended });
        place.end()
    }

    fn sync(&self, end: u64) -> Receiver<Result<()>> {
        let (extent, index, poison) = (self.extent.clone(), self.index.clone(), self.poison.clone());
        let (released, waiter) = channel();
        std::thread::spawn(move || {
            let counters = Counters::default();
            let context = SyncContext { index: &index, poison: &poison, counters: &counters };
            released.send(extent.sync_through(end, context))
        });
        waiter
    }

    fn live_chunks(&self) -> u64 {
        self.index.record(ExtentId(1)).map_or(0, |record| record.live_chunks)
    }
}

#[test]
fn a_waiter_is_released_only_by_a_sync_that_began_after_its_write() {
    let bench = Bench::new();
    let first = bench.sync(bench.write(0));
    bench.began.recv_timeout(LATE).expect("first sync began");
    // Written while the first fdatasync runs, which may not cover it.
    let second = bench.sync(bench.write(1));
    assert!(first.recv_timeout(SOON).is_err() && second.recv_timeout(SOON).is_err(), "released before any sync ended");
    assert_eq!(bench.live_chunks(), 0, "indexed before it was durable");
    assert_eq!(bench.extent.synced(), 0, "async waiters look at this");

    bench.end.send(Ok(())).expect("sync listens");
    assert!(first.recv_timeout(LATE).expect("released").is_ok());
    bench.began.recv_timeout(LATE).expect("second sync began");
    assert!(second.recv_timeout(SOON).is_err(), "released by a sync that began before its write");
    assert_eq!(bench.live_chunks(), 1);

    bench.end.send(Ok(())).expect("sync listens");
    assert!(second.recv_timeout(LATE).expect("released").is_ok());
    assert_eq!(bench.live_chunks(), 2);
}

#[test]
fn waiters_that_a_sync_covered_need_none_of_their_own() {
    let bench = Bench::new();
    let ends: Vec<u64> = (0..10).map(|number| bench.write(number)).collect();
    let waiters: Vec<_> = ends.into_iter().map(|end| bench.sync(end)).collect();
    bench.began.recv_timeout(LATE).expect("one sync began");
    bench.end.send(Ok(())).expect("sync listens");
    for waiter in waiters {
        assert!(waiter.recv_timeout(LATE).expect("released").is_ok());
    }
    assert!(bench.began.try_recv().is_err(), "a second sync for nothing");
}

#[test]
fn a_failed_sync_releases_nobody_with_success() {
    let bench = Bench::new();
    let first = bench.sync(bench.write(0));
    bench.began.recv_timeout(LATE).expect("first sync began");
    let second = bench.sync(bench.write(1));
    bench.end.send(Err(io::Error::other("injected"))).expect("sync listens");
    for waiter in [first, second] {
        let error = waiter.recv_timeout(LATE).expect("released").expect_err("not durable");
        assert_eq!(error.kind, ErrorKind::DriveFailed);
    }
    assert!(bench.began.try_recv().is_err(), "the kernel may call the next sync a success");
    assert_eq!(bench.live_chunks(), 0);
}

#[test]
fn a_failure_elsewhere_during_a_sync_takes_its_success_away() {
    let bench = Bench::new();
    let waiter = bench.sync(bench.write(0));
    bench.began.recv_timeout(LATE).expect("sync began");
    bench.poison.set(crate::error::Error::new(ErrorKind::DriveFailed, "sync log"));
    bench.end.send(Ok(())).expect("sync listens");
    assert!(waiter.recv_timeout(LATE).expect("released").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn async_waiters_wait_for_the_drive_too() {
    let bed = TestBed::new(1);
    let store = ChunkStore { store: bed.store.clone(), wake: Arc::default() };
    bed.disk.hold_syncs.store(true, Ordering::SeqCst);
    let chunks = (0..8).map(|number| BlobId::new(OwnerKey(1), 1, number).chunk(0));
    let mut written = Vec::new();
    for chunk in chunks.clone() {
        written.push(store.append(chunk, vec![payload(chunk, 5_000)]).await.expect("append"));
    }
    let mut waiters = tokio::task::JoinSet::new();
    for appended in written {
        let store = store.clone();
        waiters.spawn(async move { store.sync(&[appended]).await });
    }
    tokio::time::sleep(SOON).await;
    assert!(waiters.try_join_next().is_none(), "released while the drive has not answered");
    bed.disk.hold_syncs.store(false, Ordering::SeqCst);
    while let Some(released) = waiters.join_next().await {
        released.expect("no panic").expect("durable");
    }
    assert_eq!(store.status().syncs, 2, "one for each lane");
    for chunk in chunks {
        assert_eq!(store.read(chunk, 0..5_000).await.expect("read"), payload(chunk, 5_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_is_synced_while_it_arrives() {
    let mut options = options();
    options.early_sync_bytes = 20_000;
    let bed = TestBed::with_options(1, 1 << 40, options);
    let store = ChunkStore { store: bed.store.clone(), wake: Arc::default() };
    let blob = BlobId::new(OwnerKey(1), 1, 1);
    for number in 0..5 {
        let chunk = blob.chunk(number);
        store.append(chunk, vec![payload(chunk, 10_000)]).await.expect("append");
    }
    for _ in 0..2_000 {
        if store.status().syncs > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no sync began by itself");
}
