//! Fill: what a server has at scale, made without the bytes of the objects and without the cost of HTTP. The server is stopped meanwhile; the bucket is root's.
//! `cargo run --release -p onggi-cluster --example fill -- DATA_DIRECTORY BUCKET objects COUNT`: objects of 64 KiB with keys of 64 bytes.
//! `cargo run --release -p onggi-cluster --example fill -- DATA_DIRECTORY BUCKET parts COUNT KEY UPLOAD`: parts of 5 MiB of an upload.
//! What compresses badly in real life does here: a third of each key, MD5, checksum, and the ids of blobs and versions are random.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use onggi_cluster::id::{BlobId, BucketId, NodeId, OwnerKey, UploadId, UserId};
use onggi_cluster::metadata::command::{Change, NewContent, NewPart, OwnerChange, PutObject, WriteCondition};
use onggi_cluster::metadata::outcome::Outcome;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, ETag, ObjectHeaders};
use onggi_cluster::{Cluster, ClusterOptions, Route};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};

const TASKS: usize = 512;
const OBJECT_BYTES: u64 = 64 << 10;
const PART_BYTES: u64 = 5 << 20;

#[derive(Clone)]
enum Fill {
    Objects,
    Parts { key: String, upload: UploadId },
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |question: &str| arguments.next().ok_or(question.to_owned());
    let directory = PathBuf::from(argument("which data directory?")?);
    let name = argument("which bucket?")?;
    let what = argument("objects or parts?")?;
    let count: u64 = argument("how many?")?.parse()?;
    let fill = match what.as_str() {
        "objects" => Fill::Objects,
        "parts" => Fill::Parts { key: argument("of which key?")?, upload: upload_id(&argument("of which upload?")?)? },
        other => return Err(format!("{other} is neither objects nor parts").into()),
    };

    let engine = StorageEngine::open(EngineOptions::new(directory), Environment::real()).await?;
    let cluster = Cluster::start(ClusterOptions::default(), engine).await?;
    let owner = UserId::ROOT.owner_key();
    let found = cluster.metadata().read(Route::Owner(owner), move |view| query::bucket(view, owner, &name)).await?;
    let bucket = found.ok_or("no such bucket of root's")?.id;

    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (cluster, next, fill) = (cluster.clone(), next.clone(), fill.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    put(&cluster, owner, fill.change(bucket, owner, number)).await;
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
    println!("{count} {what} in {:?}", started.elapsed());
    cluster.stop().await;
    Ok(())
}

fn upload_id(text: &str) -> Result<UploadId, Box<dyn std::error::Error>> {
    let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2).unwrap_or(""), 16));
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>()?;
    Ok(UploadId(bytes.try_into().map_err(|_| "an upload id has 32 hex digits")?))
}

impl Fill {
    fn change(&self, bucket: BucketId, owner: OwnerKey, number: u64) -> OwnerChange {
        match self {
            Self::Objects => OwnerChange::PutObject(object(bucket, owner, number)),
            Self::Parts { key, upload } => {
                let (key, upload, part) = (key.clone(), *upload, part(owner, number));
                OwnerChange::PutPart { bucket, key, upload, part, quota_bytes: None }
            }
        }
    }
}

fn object(bucket: BucketId, owner: OwnerKey, number: u64) -> PutObject {
    // In the order of a directory tree: ten keys a folder, a hundred folders each.
    let key = format!("{:020}/{:020}/{:02}{:020x}", number / 1000, number / 10, number % 10, rand::random::<u64>());
    PutObject {
        bucket,
        key,
        condition: WriteCondition::None,
        content: new_content(owner, OBJECT_BYTES),
        etag: ETag { md5: rand::random(), parts: None },
        checksum: Some(random_checksum()),
        headers: ObjectHeaders {
            content_type: Some("application/octet-stream".to_owned()),
            ..ObjectHeaders::default()
        },
        tags: Vec::new(),
        random: rand::random(),
        quota_bytes: None,
    }
}

/// Part numbers from 1; the MD5 is the number, so that a client can complete the upload without having been told.
fn part(owner: OwnerKey, number: u64) -> NewPart {
    let number = number as u16 + 1;
    let content = new_content(owner, PART_BYTES);
    NewPart { number, content, md5: u128::from(number).to_be_bytes(), checksum: Some(random_checksum()) }
}

fn new_content(owner: OwnerKey, bytes: u64) -> NewContent {
    let blob = BlobId::new(owner, now_ms(), rand::random());
    NewContent::blob(blob, bytes, 4 << 20, vec![NodeId(1)])
}

fn random_checksum() -> Checksum {
    let value = rand::random::<u64>().to_be_bytes().to_vec();
    Checksum { algorithm: ChecksumAlgorithm::Crc64Nvme, kind: ChecksumType::FullObject, value }
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

async fn put(cluster: &Cluster, owner: OwnerKey, change: OwnerChange) {
    match cluster.metadata().commit(Change::Owner { owner, change }).await {
        Ok(Outcome::ObjectWritten(_) | Outcome::Done) => {}
        other => panic!("{other:?}"),
    }
}
