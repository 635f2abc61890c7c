//! Fill: many small objects in a bucket that a server has made, without the cost of HTTP, so that the server can be measured at scale.
//! `cargo run --release -p onggi-cluster --example fill -- DATA_DIRECTORY BUCKET OBJECTS`. The bucket is root's; the server is stopped.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use onggi_cluster::id::{BucketId, UserId};
use onggi_cluster::metadata::command::{Change, NewContent, OwnerChange, PutObject, WriteCondition};
use onggi_cluster::metadata::outcome::Outcome;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{Content, ETag, ObjectHeaders};
use onggi_cluster::{Cluster, ClusterOptions, Route};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};

const TASKS: usize = 512;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("which data directory?")?);
    let name = arguments.next().ok_or("which bucket?")?;
    let objects: u64 = arguments.next().ok_or("how many objects?")?.parse()?;

    let engine = StorageEngine::open(EngineOptions::new(directory), Environment::real()).await?;
    let cluster = Cluster::start(ClusterOptions::default(), engine).await?;
    let owner = UserId::ROOT.owner_key();
    let found = cluster.metadata().read(Route::Owner(owner), move |view| query::bucket(view, owner, &name)).await?;
    let bucket = found.ok_or("no such bucket of root's")?.id;

    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (cluster, next) = (cluster.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= objects {
                        return;
                    }
                    put(&cluster, bucket, number).await;
                    if number % 1_000_000 == 0 {
                        println!("{number} after {:?}", started.elapsed());
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    println!("{objects} objects in {:?}", started.elapsed());
    cluster.stop().await;
    Ok(())
}

async fn put(cluster: &Cluster, bucket: BucketId, number: u64) {
    // 64 bytes, in the order of a directory tree: ten keys a folder, a hundred folders each.
    let key = format!("{:020}/{:020}/{:022}", number / 1000, number / 10, number);
    let put = PutObject {
        bucket,
        key,
        condition: WriteCondition::None,
        content: NewContent { bytes: 0, content: Content::Empty, inline: Bytes::new() },
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        random: number,
        quota_bytes: None,
    };
    let change = Change::Owner { owner: UserId::ROOT.owner_key(), change: OwnerChange::PutObject(put) };
    match cluster.metadata().commit(change).await {
        Ok(Outcome::ObjectWritten(_)) => {}
        other => panic!("{other:?}"),
    }
}
