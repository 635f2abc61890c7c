//! The whole chunk store on a real file system and RocksDB.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{ChunkStore, ChunkStoreOptions};
use crate::drive::Poison;
use crate::env::Environment;
use crate::error::ErrorKind;
use crate::id::{BlobId, OwnerKey};
use crate::rocks::{Rocks, RocksOptions};

const DRIVE: [u8; 16] = *b"drive under test";

fn rocks(directory: &Path) -> Rocks {
    Rocks::open(&directory.join("rocks"), &RocksOptions::default(), Poison::default()).expect("rocks opens")
}

fn open(directory: &Path, rocks: Rocks) -> (ChunkStore, super::Recovery) {
    let mut options = ChunkStoreOptions::new(directory.join("extents"), DRIVE);
    options.reserve_bytes = 0;
    options.extent_bytes_max = 8 << 20;
    options.preallocation_bytes = 1 << 20;
    ChunkStore::open(options, Environment::real(), Poison::default(), rocks).expect("chunk store opens")
}

fn payload(seed: u32, bytes: usize) -> Bytes {
    (0..bytes).map(|at| (at as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) as u8).collect::<Vec<u8>>().into()
}

fn blob(number: u64) -> BlobId {
    BlobId::new(OwnerKey::of_user(1), 1_790_000_000_000 + number, number)
}

#[tokio::test]
async fn what_was_synced_is_read_back_after_a_restart() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = rocks(directory.path());
    let (store, _) = open(directory.path(), rocks.clone());
    let mut appended = Vec::new();
    for number in 0..20 {
        let bytes = payload(number, 1_000_000);
        let pieces = bytes.chunks(100_003).map(Bytes::copy_from_slice).collect();
        appended.push(store.append(blob(1).chunk(number), pieces).await.expect("append"));
    }
    store.sync(&appended).await.expect("sync");
    store.free(blob(2)).await.expect("free of nothing");
    // As after a kill: not closed, and a second store on the same files.
    drop(store);
    let (store, recovery) = open(directory.path(), rocks);
    assert_eq!(recovery.extents_scanned, 1, "{recovery:?}");
    for number in 0..20 {
        let read = store.read(blob(1).chunk(number), 0..1_000_000).await.expect("read");
        assert_eq!(read, payload(number, 1_000_000));
        let part = store.read(blob(1).chunk(number), 65_530..131_080).await.expect("read part");
        assert_eq!(part, payload(number, 1_000_000).slice(65_530..131_080));
    }
    assert_eq!(store.blobs(None, 10).await.expect("blobs"), vec![(blob(1), 20_000_000)]);
    store.free(blob(1)).await.expect("free");
    let error = store.read(blob(1).chunk(0), 0..1).await.expect_err("freed");
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(store.status().live_bytes, 0);
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_from_the_extents() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = rocks(directory.path());
    let (store, _) = open(directory.path(), rocks.clone());
    for number in 0..30 {
        let one = store.append(blob(number).chunk(0), vec![payload(number as u32, 700_000)]).await.expect("append");
        store.sync(&[one]).await.expect("sync");
    }
    store.close().await.expect("close");
    drop(store);
    ChunkStore::erase_index(rocks.clone()).expect("erase");
    let (store, recovery) = open(directory.path(), rocks);
    assert_eq!(recovery.chunks_found, 30);
    for number in 0..30 {
        let read = store.read(blob(number).chunk(0), 0..700_000).await.expect("read");
        assert_eq!(read, payload(number as u32, 700_000));
    }
}

#[tokio::test]
async fn a_closed_store_opens_without_a_scan() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = rocks(directory.path());
    let (store, _) = open(directory.path(), rocks.clone());
    let one = store.append(blob(1).chunk(0), vec![payload(1, 100)]).await.expect("append");
    store.sync(&[one]).await.expect("sync");
    store.close().await.expect("close");
    drop(store);
    let (_, recovery) = open(directory.path(), rocks);
    assert_eq!((recovery.extents, recovery.extents_scanned), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiters_share_syncs() {
    let directory = tempfile::tempdir().expect("directory");
    let (store, _) = open(directory.path(), rocks(directory.path()));
    let store = Arc::new(store);
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..64 {
        let store = store.clone();
        clients.spawn(async move {
            for number in 0..8 {
                let chunk = blob(client).chunk(number);
                let one = store.append(chunk, vec![payload(number, 40_000)]).await.expect("append");
                store.sync(&[one]).await.expect("sync");
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("client");
    }
    let status = store.status();
    assert_eq!(status.appends, 512);
    assert!(status.syncs < status.appends, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_background_gives_room_back_and_stops_when_told() {
    let directory = tempfile::tempdir().expect("directory");
    let (store, _) = open(directory.path(), rocks(directory.path()));
    let stop = CancellationToken::new();
    let background = tokio::spawn(store.background().run(stop.clone()));
    for number in 0..40 {
        let one = store.append(blob(number).chunk(0), vec![payload(number as u32, 1_000_000)]).await.expect("append");
        store.sync(&[one]).await.expect("sync");
    }
    for number in 1..40 {
        store.free(blob(number)).await.expect("free");
    }
    store.scrub_now();
    let settled = |status: &super::Status| status.dead_bytes < 9 << 20 && status.scrub.finished_ms > 0;
    for _ in 0..300 {
        if settled(&store.status()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let status = store.status();
    assert!(settled(&status), "{status:?}");
    assert!(status.extents_removed > 0 && status.scrub.errors == 0, "{status:?}");
    let read = store.read(blob(0).chunk(0), 0..1_000_000).await.expect("read");
    assert_eq!(read, payload(0, 1_000_000));
    stop.cancel();
    background.await.expect("ends");
    store.close().await.expect("close");
}
