//! Chunk store: durable appends at several sizes and from several writers at once, and verified reads.

// A benchmark that cannot set itself up has nothing to report, as a test.
#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::path::Path;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onggi_storage_engine::chunk_store::{ChunkStore, ChunkStoreOptions};
use onggi_storage_engine::drive::Poison;
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::id::{BlobId, OwnerKey};
use onggi_storage_engine::rocks::{Rocks, RocksOptions};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const SIZES: [usize; 3] = [64 << 10, 1 << 20, 4 << 20];
const WRITERS: [u64; 3] = [1, 16, 64];

fn open(folder: &Path) -> ChunkStore {
    let poison = Poison::default();
    let rocks = Rocks::open(&folder.join("rocksdb"), &RocksOptions::default(), poison.clone()).expect("open RocksDB");
    let extents = folder.join("extents");
    std::fs::create_dir(&extents).expect("make the folder of extents");
    let options = ChunkStoreOptions::new(extents, [7; 16]);
    ChunkStore::open(options, Environment::real(), poison, rocks).expect("open chunk store").0
}

fn blob(random: u64) -> BlobId {
    BlobId::new(OwnerKey(1), 0, random)
}

async fn store(chunks: &ChunkStore, blob: BlobId, payload: Bytes) {
    let appended = chunks.append(blob.chunk(0), vec![payload]).await.expect("append");
    chunks.sync(&[appended]).await.expect("sync");
}

fn appends(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("runtime");
    let mut group = criterion.benchmark_group("chunk_store/append_and_sync");
    for bytes in SIZES {
        let folder = tempfile::tempdir().expect("folder");
        let chunks = open(folder.path());
        let payload = Bytes::from(vec![0x5a; bytes]);
        let mut next = 0;
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| {
                next += 1;
                runtime.block_on(store(&chunks, blob(next), payload.clone()));
                // Freed at once, so that the benchmark needs no more room the longer it runs.
                runtime.block_on(chunks.free(blob(next))).expect("free");
            });
        });
        runtime.block_on(chunks.close()).expect("close");
    }
    group.finish();
}

/// One iteration is one chunk from every writer: the syncs they share are what is measured.
fn group_commit(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("runtime");
    let folder = tempfile::tempdir().expect("folder");
    let chunks = open(folder.path());
    let payload = Bytes::from(vec![0x5a; 64 << 10]);
    let mut next = 0;
    let mut group = criterion.benchmark_group("chunk_store/writers_at_once");
    for writers in WRITERS {
        group.throughput(Throughput::Elements(writers));
        group.bench_function(BenchmarkId::from_parameter(writers), |bencher| {
            bencher.iter(|| {
                let first = next;
                next += writers;
                runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for number in first..next {
                        let (chunks, payload) = (chunks.clone(), payload.clone());
                        tasks.spawn(async move { store(&chunks, blob(number), payload).await });
                    }
                    tasks.join_all().await;
                });
            });
        });
    }
    group.finish();
    runtime.block_on(chunks.close()).expect("close");
}

fn reads(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("runtime");
    let folder = tempfile::tempdir().expect("folder");
    let chunks = open(folder.path());
    let mut group = criterion.benchmark_group("chunk_store/read_verified");
    for (number, bytes) in SIZES.into_iter().enumerate() {
        let id = blob(number as u64);
        runtime.block_on(store(&chunks, id, Bytes::from(vec![0x5a; bytes])));
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| black_box(runtime.block_on(chunks.read(id.chunk(0), 0..bytes as u32)).expect("read")));
        });
    }
    group.finish();
    runtime.block_on(chunks.close()).expect("close");
}

criterion_group!(benches, appends, group_commit, reads);
criterion_main!(benches);
