//! Log store: durable appends of small entries to many groups at once; all of them share one sync a round.

// A benchmark that cannot set itself up has nothing to report, as a test.
#![allow(clippy::expect_used)]

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onggi_storage_engine::drive::Poison;
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::log_store::{LogStore, LogStoreOptions};
use onggi_storage_engine::rocks::{Rocks, RocksOptions};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// About the command of a 4 KiB PUT: the record and the inline payload.
const ENTRY_BYTES: usize = 4500;
/// Entries that are kept: the log is purged behind them, as snapshots do.
const ENTRIES_KEPT: u64 = 1000;

async fn append(log: &LogStore, group: u32, index: u64, entry: Bytes) {
    let (done, synced) = oneshot::channel();
    let send = move |result| drop(done.send(result));
    log.append(group, vec![(index, entry)], send).await;
    synced.await.expect("completion").expect("append");
    if index.is_multiple_of(ENTRIES_KEPT) && index > ENTRIES_KEPT {
        log.purge_through(group, index - ENTRIES_KEPT, Bytes::new()).await.expect("purge");
    }
}

/// One iteration is one entry to every group.
fn appends(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("runtime");
    let folder = tempfile::tempdir().expect("folder");
    let poison = Poison::default();
    let rocks =
        Rocks::open(&folder.path().join("rocksdb"), &RocksOptions::default(), poison.clone()).expect("open RocksDB");
    let log = LogStore::open(folder.path(), rocks, poison, &Environment::real(), LogStoreOptions::default())
        .expect("open log");
    let entry = Bytes::from(vec![0x5a; ENTRY_BYTES]);
    let mut next = vec![1_u64; 64];
    let mut group = criterion.benchmark_group("log_store/append_to_groups");
    for groups in [1_usize, 16, 64] {
        group.throughput(Throughput::Elements(groups as u64));
        group.bench_function(BenchmarkId::from_parameter(groups), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for (number, index) in next.iter_mut().enumerate().take(groups) {
                        let (log, entry, at) = (log.clone(), entry.clone(), *index);
                        *index += 1;
                        tasks.spawn(async move { append(&log, number as u32, at, entry).await });
                    }
                    tasks.join_all().await;
                });
            });
        });
    }
    group.finish();
    let counters = log.counters();
    println!("log_store: {counters:?}");
    runtime.block_on(log.close()).expect("close");
}

criterion_group!(benches, appends);
criterion_main!(benches);
