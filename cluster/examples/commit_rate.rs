//! Commit rate: how many changes a cluster of one commits, how long each waits, and what it costs in syncs.
//! `cargo run -p onggi-cluster --example commit_rate -- DIRECTORY [TASKS [SECONDS]]`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use onggi_cluster::id::{BucketId, OwnerKey, UserId};
use onggi_cluster::metadata::command::{Change, OwnerChange, PutObject, SystemChange, WriteCondition};
use onggi_cluster::metadata::outcome::Outcome;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{AccessKeyRecord, ETag, ObjectHeaders};
use onggi_cluster::{Cluster, ClusterOptions, MetadataClient, Route};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};

const PAYLOAD_BYTES: usize = 4096;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let tasks: usize = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;

    let engine = StorageEngine::open(EngineOptions::new(directory), Environment::real()).await?;
    let started = Instant::now();
    let cluster = Cluster::start(ClusterOptions::default(), engine).await?;
    println!("started in {:?}", started.elapsed());
    let bucket = make_bucket(&cluster).await?;

    let before = cluster.engine().log_store().counters();
    let (mut waits, elapsed) = put_for(&cluster, bucket, tasks, Duration::from_secs(seconds)).await;
    let after = cluster.engine().log_store().counters();
    waits.sort();
    let at = |part: f64| waits.get(((waits.len() as f64) * part) as usize).copied().unwrap_or_default();
    let syncs = after.syncs - before.syncs;
    println!(
        "{tasks} tasks: {:.0} commits/s, p50 {:?}, p99 {:?}, {:.3} syncs each",
        waits.len() as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        syncs as f64 / waits.len() as f64,
    );
    read_for(&cluster.metadata(), bucket, tasks, Duration::from_secs(seconds)).await?;
    cluster.stop().await;
    Ok(())
}

async fn make_bucket(cluster: &Cluster) -> Result<BucketId, Box<dyn std::error::Error>> {
    let root_key = AccessKeyRecord {
        access_key: "root".to_owned(),
        user: UserId::ROOT,
        created_ms: 1,
        enabled: true,
        description: String::new(),
        sealed_secret: Bytes::new(),
    };
    let initialize = SystemChange::InitializeCluster { cluster_name: "bench".to_owned(), root_key };
    cluster.metadata().commit(Change::System(initialize)).await?;
    match cluster.metadata().create_bucket(UserId::ROOT, "bench".to_owned(), String::new()).await? {
        Outcome::BucketCreated { bucket } => Ok(bucket),
        other => Err(format!("{other:?}: the directory must be empty").into()),
    }
}

/// How long each commit waited.
async fn put_for(cluster: &Cluster, bucket: BucketId, tasks: usize, duration: Duration) -> (Vec<Duration>, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let workers = (0..tasks).map(|task| {
        let (cluster, stop) = (cluster.clone(), stop.clone());
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let key = format!("object-{task}-{}", waits.len());
                match put(&cluster, UserId::ROOT.owner_key(), bucket, key).await {
                    Ok(Outcome::ObjectWritten(_)) => waits.push(begun.elapsed()),
                    other => panic!("{other:?}"),
                }
            }
            waits
        })
    });
    let workers: Vec<_> = workers.collect();
    tokio::time::sleep(duration).await;
    stop.store(true, Ordering::Relaxed);
    let waits = join_all(workers).await.into_iter().flatten().flatten().collect();
    (waits, started.elapsed())
}

async fn put(cluster: &Cluster, owner: OwnerKey, bucket: BucketId, key: String) -> onggi_cluster::Result<Outcome> {
    let mut writer = cluster.data().blob_writer(owner);
    writer.push(Bytes::from_static(&[7; PAYLOAD_BYTES])).await?;
    let put = PutObject {
        bucket,
        key,
        condition: WriteCondition::None,
        content: writer.finish().await?,
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        random: 1,
        quota_bytes: None,
    };
    cluster.metadata().commit(Change::Owner { owner, change: OwnerChange::PutObject(put) }).await
}

async fn read_for(
    metadata: &MetadataClient,
    bucket: BucketId,
    tasks: usize,
    duration: Duration,
) -> Result<(), Box<dyn std::error::Error>> {
    let owner = UserId::ROOT.owner_key();
    let started = Instant::now();
    let workers = (0..tasks).map(|_| {
        let metadata = metadata.clone();
        tokio::spawn(async move {
            let mut reads = 0_u64;
            while started.elapsed() < duration {
                let read = metadata.read(Route::Owner(owner), move |view| query::bucket_by_id(view, owner, bucket));
                assert!(matches!(read.await, Ok(Some(_))));
                reads += 1;
            }
            reads
        })
    });
    let reads: u64 = join_all(workers.collect::<Vec<_>>()).await.into_iter().flatten().sum();
    println!("{tasks} tasks: {:.0} linearizable reads/s", reads as f64 / started.elapsed().as_secs_f64());
    Ok(())
}
