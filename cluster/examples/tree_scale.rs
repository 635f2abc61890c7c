//! Tree scale: what operations on large folders cost in the metadata, without HTTP and without the bytes of the files.
//! `cargo run --release -p onggi-cluster --example tree_scale -- DATA_DIRECTORY`: an empty directory; it is filled and left.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use onggi_cluster::id::{BlobId, BucketId, EntryId, OwnerKey, UserId};
use onggi_cluster::metadata::command::tree::{At, NewFile, PutFile, TreeChange, WriteMode};
use onggi_cluster::metadata::command::{Change, NewContent, OwnerChange, SystemChange};
use onggi_cluster::metadata::key::{BucketSpace, TreeSpace};
use onggi_cluster::metadata::outcome::{EntryChanged, Outcome};
use onggi_cluster::metadata::query::tree as query;
use onggi_cluster::metadata::record::tree::{Author, EntryName, TreePath};
use onggi_cluster::metadata::record::{AccessKeyRecord, ETag, ObjectHeaders};
use onggi_cluster::metadata::view::MetadataView;
use onggi_cluster::{Cluster, ClusterOptions, Route};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const TASKS: u64 = 64;
/// Below one folder, a hundred in each of its folders.
const DEEP_FILES: u64 = 100_000;
/// In one folder each.
const FLAT_FILES: [u64; 2] = [1_000, 1_000_000];
const COPIED_FILES: u64 = 9_000;
const REPEATS: usize = 20;

#[derive(Clone)]
struct Tree {
    cluster: Cluster,
    owner: OwnerKey,
    bucket: BucketId,
}

#[tokio::main]
async fn main() -> Result<()> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("which data directory?")?);
    let engine = StorageEngine::open(EngineOptions::new(directory), Environment::real()).await?;
    let tree = Tree::new(Cluster::start(ClusterOptions::default(), engine).await?).await?;

    let rate = tree.fill(DEEP_FILES, |number| format!("deep/{:04}/{number}", number / 100)).await?;
    println!("{DEEP_FILES} files of 4 KiB, {TASKS} at once: {rate:.0} a second");
    tree.fill(COPIED_FILES, |number| format!("copied/{:04}/{number}", number / 100)).await?;
    for files in FLAT_FILES {
        tree.fill(files, move |number| format!("flat {files}/{number}")).await?;
    }

    let (there, back) = (path("deep"), path("elsewhere/deep"));
    let mut moves = Vec::new();
    for step in 0..REPEATS {
        let (from, to) = if step % 2 == 0 { (&there, &back) } else { (&back, &there) };
        let change = TreeChange::Move { from: At::Path(from.clone()), to: to.clone(), rename: None };
        moves.push(tree.timed(change).await?.0);
    }
    show(&format!("move of a folder with {DEEP_FILES} files below"), moves);

    let (mut trashes, mut restores) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let (time, changed) = tree.timed(TreeChange::Trash { at: At::Path(there.clone()), expected_rev: None }).await?;
        trashes.push(time);
        let trashed = changed.trashed.ok_or("it is not in the trash")?;
        restores.push(tree.timed(TreeChange::Untrash { trashed, to: None, rename: None }).await?.0);
    }
    show("trash of it", trashes);
    show("restore of it", restores);

    let mut copies = Vec::new();
    for step in 0..5 {
        let to = path(&format!("copy {step}"));
        copies.push(
            tree.timed(TreeChange::Copy { from: At::Path(path("copied")), rev: None, to, rename: None }).await?.0,
        );
    }
    show(&format!("copy of a folder with {COPIED_FILES} files below"), copies);

    for files in FLAT_FILES {
        let folder = tree.find(&format!("flat {files}")).await?;
        let mut pages = Vec::new();
        for _ in 0..REPEATS {
            pages.push(tree.list(folder, 1_000).await?);
        }
        show(&format!("listing of 1,000 of {files} entries"), pages);
    }
    tree.cluster.stop().await;
    Ok(())
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    println!("{what}: median {:?}, slowest {:?}", times[times.len() / 2], times[times.len() - 1]);
}

fn path(text: &str) -> TreePath {
    text.split('/').map(|name| EntryName { name: name.to_owned(), key: name.to_owned() }).collect()
}

impl Tree {
    async fn new(cluster: Cluster) -> Result<Self> {
        let root_key = AccessKeyRecord {
            access_key: "ROOT".to_owned(),
            user: UserId::ROOT,
            created_ms: 0,
            enabled: true,
            description: String::new(),
            sealed_secret: Bytes::new(),
        };
        let initialize = SystemChange::InitializeCluster { cluster_name: "scale".to_owned(), root_key };
        cluster.metadata().commit(Change::System(initialize)).await?;
        let created = cluster.metadata().create_bucket(UserId::ROOT, "root--drive".to_owned(), String::new()).await?;
        let Outcome::BucketCreated { bucket } = created else {
            return Err(format!("{created:?}: is the directory empty?").into());
        };
        Ok(Self { cluster, owner: UserId::ROOT.owner_key(), bucket })
    }

    async fn change(&self, change: TreeChange) -> Result<EntryChanged> {
        let author = Author { user: UserId::ROOT, device: "scale".to_owned() };
        let change = OwnerChange::Tree { bucket: self.bucket, author, quota_bytes: None, change };
        match self.cluster.metadata().commit(Change::Owner { owner: self.owner, change }).await? {
            Outcome::EntryChanged(changed) => Ok(changed),
            other => Err(format!("{other:?}").into()),
        }
    }

    async fn timed(&self, change: TreeChange) -> Result<(Duration, EntryChanged)> {
        let started = Instant::now();
        let changed = self.change(change).await?;
        Ok((started.elapsed(), changed))
    }

    /// Answers files a second.
    async fn fill(&self, count: u64, name: impl Fn(u64) -> String + Clone + Send + 'static) -> Result<f64> {
        let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let tasks = (0..TASKS).map(|_| {
            let (tree, next, name) = (self.clone(), next.clone(), name.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    if let Err(error) = tree.change(tree.new_file(&name(number))).await {
                        panic!("{error}");
                    }
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await?;
        }
        Ok(count as f64 / started.elapsed().as_secs_f64())
    }

    fn new_file(&self, at: &str) -> TreeChange {
        let blob = BlobId::new(self.owner, 1_790_000_000_000, rand::random());
        let file = NewFile {
            etag: ETag { md5: rand::random(), parts: None },
            checksum: None,
            content_hash: Some(rand::random()),
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            client_modified_ms: Some(1_790_000_000_000),
        };
        let content = NewContent::inline(blob, Bytes::from(vec![7; 4096]));
        TreeChange::PutFile(PutFile { path: path(at), mode: WriteMode::Add, rename: None, content, file })
    }

    fn space(&self) -> TreeSpace {
        TreeSpace(BucketSpace::new(self.owner, self.bucket))
    }

    async fn find(&self, at: &str) -> Result<EntryId> {
        let (space, at) = (self.space(), At::Path(path(at)));
        let query = move |view: &dyn MetadataView| query::find(view, space, &at);
        let found = self.cluster.metadata().read(Route::Owner(self.owner), query).await?;
        Ok(found.ok_or("no such folder")?.record.id)
    }

    async fn list(&self, folder: EntryId, limit: usize) -> Result<Duration> {
        let (space, started) = (self.space(), Instant::now());
        let query = move |view: &dyn MetadataView| query::list_folder(view, space, folder, Some("5"), limit);
        let page = self.cluster.metadata().read(Route::Owner(self.owner), query).await?;
        if page.entries.is_empty() {
            return Err("nothing is listed".into());
        }
        Ok(started.elapsed())
    }
}
