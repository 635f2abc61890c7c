use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{LogState, LogStore, LogStoreOptions, lock};
use crate::drive::Poison;
use crate::env::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::rocks::{Rocks, RocksOptions};

struct Bench {
    directory: tempfile::TempDir,
    poison: Poison,
    options: LogStoreOptions,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("directory");
        Self { directory, poison: Poison::default(), options: LogStoreOptions::default() }
    }

    fn open(&self) -> LogStore {
        open(self.directory.path(), &self.poison, &self.options).expect("opens")
    }
}

fn open(directory: &Path, poison: &Poison, options: &LogStoreOptions) -> Result<LogStore> {
    let rocks = Rocks::open(&directory.join("rocks"), &RocksOptions::default(), poison.clone())?;
    LogStore::open(directory, rocks, poison.clone(), &Environment::real(), options.clone())
}

fn entries(range: std::ops::Range<u64>, text: &str) -> Vec<(u64, Bytes)> {
    range.map(|index| (index, Bytes::from(format!("{text}{index}")))).collect()
}

async fn append(store: &LogStore, group: u32, entries: Vec<(u64, Bytes)>) -> Result<()> {
    let (sender, receiver) = oneshot::channel();
    store.append(group, entries, move |result| drop(sender.send(result))).await;
    receiver.await.expect("completed")
}

async fn text(store: &LogStore, group: u32) -> String {
    let state = store.state(group).expect("state");
    let (Some(first), Some(last)) = (state.first, state.last) else { return String::new() };
    let mut next = first;
    let mut words = Vec::new();
    while next <= last {
        let entries = store.read(group, next..last + 1, usize::MAX).await.expect("reads");
        assert_eq!(entries.first().map(|(index, _)| *index), Some(next));
        next += entries.len() as u64;
        words.extend(entries.into_iter().map(|(_, entry)| String::from_utf8_lossy(&entry).into_owned()));
    }
    words.join(" ")
}

/// A database that is still open cannot be opened again.
#[tokio::test]
async fn a_store_that_is_dropped_has_let_go_of_its_files() {
    let bench = Bench::new();
    for index in 0..50 {
        let store = bench.open();
        append(&store, 1, entries(index..index + 1, "a")).await.expect("appends");
    }
}

#[tokio::test]
async fn everything_completed_is_there_after_a_reopen() {
    let bench = Bench::new();
    let store = bench.open();
    append(&store, 1, entries(0..5, "a")).await.expect("appends");
    append(&store, 2, entries(0..2, "b")).await.expect("appends");
    store.save_vote(1, Bytes::from_static(b"vote")).await.expect("saves");
    store.save_committed(1, Bytes::from_static(b"committed")).await.expect("saves");
    store.truncate_after(1, Some(2)).await.expect("truncates");
    append(&store, 1, entries(3..6, "c")).await.expect("appends");
    store.purge_through(1, 0, Bytes::from_static(b"purged")).await.expect("purges");
    store.close().await.expect("closes");
    drop(store);

    let store = bench.open();
    assert_eq!(text(&store, 1).await, "a1 a2 c3 c4 c5");
    assert_eq!(text(&store, 2).await, "b0 b1");
    let expected = LogState {
        first: Some(1),
        last: Some(5),
        purged: Some(Bytes::from_static(b"purged")),
        vote: Some(Bytes::from_static(b"vote")),
        committed: Some(Bytes::from_static(b"committed")),
        promised: None,
    };
    assert_eq!(store.state(1).expect("state"), expected);
}

#[tokio::test]
async fn entries_are_readable_before_their_sync() {
    let store = Bench::new().open();
    store.append(1, entries(1..3, "a"), |_| {}).await;
    assert_eq!(text(&store, 1).await, "a1 a2");
    assert_eq!(store.counters().disk_reads, 0);
}

#[tokio::test]
async fn a_hole_is_refused_and_leaves_the_log_as_it_was() {
    let store = Bench::new().open();
    append(&store, 1, entries(1..3, "a")).await.expect("appends");
    let hole = append(&store, 1, entries(4..5, "b")).await.expect_err("a hole");
    assert_eq!(hole.to_string(), "append to log: entry 4 where 3 comes next");
    let mut gap = entries(3..6, "b");
    gap.remove(1);
    assert!(append(&store, 1, gap).await.is_err());
    append(&store, 1, entries(3..4, "c")).await.expect("appends");
    assert_eq!(text(&store, 1).await, "a1 a2 c3");
}

#[tokio::test]
async fn a_log_goes_on_behind_a_purge_past_its_end() {
    let bench = Bench::new();
    let store = bench.open();
    append(&store, 1, entries(0..3, "a")).await.expect("appends");
    store.purge_through(1, 9, Bytes::from_static(b"9")).await.expect("purges");
    store.purge_through(1, 4, Bytes::from_static(b"4")).await.expect("is behind already");
    assert_eq!(store.state(1).expect("state").last, None);
    assert!(append(&store, 1, entries(3..4, "a")).await.is_err(), "would stand before the purge");
    append(&store, 1, entries(10..12, "b")).await.expect("appends");
    store.close().await.expect("closes");
    drop(store);
    let store = bench.open();
    assert_eq!(text(&store, 1).await, "b10 b11");
    assert_eq!(store.state(1).expect("state").purged.as_deref(), Some(&b"9"[..]));
    store.truncate_after(1, None).await.expect("truncates");
    assert_eq!(store.state(1).expect("state").last, None);
}

#[tokio::test]
async fn old_entries_come_from_the_database_and_new_ones_from_memory() {
    let mut bench = Bench::new();
    bench.options.tail_bytes_max = 1000;
    let store = bench.open();
    for index in 0..100 {
        append(&store, 1, entries(index..index + 1, "a")).await.expect("appends");
    }
    assert_eq!(store.read(1, 98..200, 100).await.expect("reads").len(), 2);
    assert_eq!(store.counters().disk_reads, 0);
    let old = store.read(1, 3..200, 6).await.expect("reads");
    assert_eq!(old, entries(3..6, "a"));
    assert_eq!(store.counters().disk_reads, 1);
    assert_eq!(store.read(1, 3..200, 0).await.expect("reads").len(), 1, "one at least");
    assert_eq!(text(&store, 1).await.split(' ').count(), 100);
    store.truncate_after(1, Some(4)).await.expect("truncates");
    append(&store, 1, entries(5..7, "b")).await.expect("appends");
    assert_eq!(text(&store, 1).await, "a0 a1 a2 a3 a4 b5 b6");
}

#[tokio::test]
async fn groups_share_syncs_and_completions_keep_the_order_of_the_queue() {
    let store = Bench::new().open();
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..640 {
        let (group, index) = (number % 16, u64::from(number / 16));
        let seen = order.clone();
        let append = store.append(group, entries(index..index + 1, "a"), move |result| {
            result.expect("appends");
            lock(&seen).push(number);
        });
        append.await;
    }
    store.save_vote(0, Bytes::from_static(b"vote")).await.expect("saves");
    assert_eq!(*lock(&order), (0..640).collect::<Vec<_>>());
    let counters = store.counters();
    assert_eq!((counters.requests, counters.entries), (641, 640));
    assert!(counters.syncs < 320, "{counters:?}: hardly any round had company");
}

#[tokio::test]
async fn a_small_queue_makes_callers_wait_and_loses_nothing() {
    let mut bench = Bench::new();
    bench.options.queue_bytes_max = 2048;
    let store = bench.open();
    for index in 0..50 {
        let entry = Bytes::from(vec![1; if index == 25 { 100_000 } else { 1000 }]);
        store.append(1, vec![(index, entry)], |result| result.expect("appends")).await;
    }
    store.close().await.expect("closes");
    drop(store);
    assert_eq!(bench.open().state(1).expect("state").last, Some(49));
}

#[tokio::test]
async fn after_a_failure_nothing_is_acknowledged() {
    let bench = Bench::new();
    let store = bench.open();
    append(&store, 1, entries(0..1, "a")).await.expect("appends");
    bench.poison.set(Error::new(ErrorKind::DriveFailed, "sync extent"));
    assert_eq!(append(&store, 1, entries(1..2, "a")).await.expect_err("fails").kind, ErrorKind::DriveFailed);
    assert_eq!(store.save_vote(1, Bytes::new()).await.expect_err("fails").kind, ErrorKind::DriveFailed);
    assert_eq!(store.state(1).expect_err("fails").kind, ErrorKind::DriveFailed);
    assert_eq!(store.read(1, 0..1, 1).await.expect_err("fails").kind, ErrorKind::DriveFailed);
    assert_eq!(store.counters().syncs, 1);
}

#[tokio::test]
async fn a_closed_store_answers_with_errors() {
    let store = Bench::new().open();
    store.close().await.expect("closes");
    assert!(append(&store, 1, entries(0..1, "a")).await.is_err());
    assert!(store.save_vote(1, Bytes::new()).await.is_err());
    store.close().await.expect("closes twice");
}

#[tokio::test]
async fn a_log_that_ends_before_its_sync_mark_is_refused() {
    let bench = Bench::new();
    let store = bench.open();
    append(&store, 1, entries(0..1, "a")).await.expect("appends");
    append(&store, 1, entries(1..2, "a")).await.expect("appends");
    store.close().await.expect("closes");
    drop(store);
    // The write-ahead log is lost: RocksDB alone would open as if nothing had ever been written.
    for entry in std::fs::read_dir(bench.directory.path().join("rocks")).expect("lists") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|extension| extension == "log") {
            std::fs::write(path, b"").expect("empties");
        }
    }
    let error = open(bench.directory.path(), &bench.poison, &bench.options).err().expect("refused");
    assert_eq!(error.kind, ErrorKind::Corrupt);
    assert!(error.to_string().contains("the log ends at round 0, but round 2 had been synced"), "{error}");
}

#[tokio::test]
async fn a_forgotten_log_begins_anew_and_keeps_its_vote_and_promise() {
    let bench = Bench::new();
    let store = bench.open();
    append(&store, 1, entries(0..5, "a")).await.expect("appends");
    append(&store, 2, entries(0..2, "b")).await.expect("appends");
    store.save_vote(1, Bytes::from_static(b"vote")).await.expect("saves");
    store.save_committed(1, Bytes::from_static(b"committed")).await.expect("saves");
    store.purge_through(1, 2, Bytes::from_static(b"purged")).await.expect("purges");
    store.forget(1, Some(Bytes::from_static(b"promised"))).await.expect("forgets");
    let vote = Some(Bytes::from_static(b"vote"));
    let promised = Some(Bytes::from_static(b"promised"));
    let empty = LogState { first: None, last: None, purged: None, vote: vote.clone(), committed: None, promised };
    assert_eq!(store.state(1).expect("state"), empty);
    store.close().await.expect("closes");
    drop(store);

    let store = bench.open();
    assert_eq!(store.state(1).expect("state"), empty);
    append(&store, 1, entries(0..2, "c")).await.expect("appends from the start");
    store.forget(3, None).await.expect("forgets a log that never was");
    store.close().await.expect("closes");
    drop(store);
    let store = bench.open();
    assert_eq!((text(&store, 1).await.as_str(), text(&store, 2).await.as_str()), ("c0 c1", "b0 b1"));
    let state = store.state(1).expect("state");
    assert_eq!((state.vote, state.promised.as_deref()), (vote, Some(&b"promised"[..])));
}
