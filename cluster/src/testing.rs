//! Test support: a storage engine in a directory of its own, and a cluster on it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};
use tempfile::TempDir;

use crate::cluster::{Cluster, ClusterOptions};
use crate::id::UserId;
use crate::metadata::client::Route;
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::Outcome;
use crate::metadata::query;
use crate::metadata::record::AccessKeyRecord;

/// Attempts to copy a directory that changes.
const KILLS_MAX: usize = 100;

/// A data directory; the engine on it can be opened again after it was closed.
pub struct TestEngine {
    directory: TempDir,
}

impl TestEngine {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("directory") }
    }

    pub async fn open(&self) -> StorageEngine {
        self.open_in(Environment::real()).await
    }

    pub async fn open_in(&self, environment: Environment) -> StorageEngine {
        let options = EngineOptions::new(self.directory.path().to_owned());
        StorageEngine::open(options, environment).await.expect("the engine opens")
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What a kill of the process at this moment would leave: the files as they are, without what is only in memory.
    pub fn killed(&self) -> Self {
        for _ in 0..KILLS_MAX {
            let copy = Self::new();
            if copy_directory(self.directory.path(), copy.directory.path()) {
                return copy;
            }
        }
        panic!("no moment of {} could be copied", self.directory.path().display());
    }
}

pub async fn start(engine: &TestEngine) -> Cluster {
    Cluster::start(ClusterOptions::default(), engine.open().await).await.expect("the cluster starts")
}

pub async fn initialize(cluster: &Cluster) {
    let root_key = AccessKeyRecord {
        access_key: "root".to_owned(),
        user: UserId::ROOT,
        created_ms: 1,
        enabled: true,
        description: String::new(),
        sealed_secret: Bytes::from_static(b"sealed"),
    };
    let change = SystemChange::InitializeCluster { cluster_name: "test".to_owned(), root_key };
    let outcome = cluster.metadata().commit(Change::System(change)).await.expect("initializes");
    assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
}

/// Names of all users but the root user.
pub async fn user_names(cluster: &Cluster) -> Vec<String> {
    let users = cluster.metadata().read(Route::System, |view| query::users(view)).await.expect("reads");
    users.into_iter().filter(|user| user.id != UserId::ROOT).map(|user| user.name).collect()
}

pub async fn create_user(cluster: &Cluster, name: &str) -> Outcome {
    let change = SystemChange::CreateUser { name: name.to_owned(), admin: false, quota_bytes: None };
    cluster.metadata().commit(Change::System(change)).await.expect("commits")
}

/// False if a file went away meanwhile, or RocksDB put one to use: the engine runs on, so the copy may be of no one moment.
fn copy_directory(from: &Path, to: &Path) -> bool {
    std::fs::create_dir_all(to).expect("directory");
    let listed = list(from);
    let copied = listed.iter().all(|(path, _)| {
        let target = to.join(path.file_name().expect("name"));
        if path.is_dir() { copy_directory(path, &target) } else { std::fs::copy(path, &target).is_ok() }
    });
    let still_there = list(from);
    copied && listed.iter().all(|entry| still_there.contains(entry))
}

/// Of a manifest the size, too: a table is written before the manifest names it, and may have been copied when it was half written.
fn list(directory: &Path) -> Vec<(PathBuf, u64)> {
    let is_manifest = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("MANIFEST"));
    let paths = std::fs::read_dir(directory).expect("reads").map(|entry| entry.expect("reads").path());
    let sized = |path: PathBuf| {
        let bytes = if is_manifest(&path) { std::fs::metadata(&path).map_or(0, |file| file.len()) } else { 0 };
        (path, bytes)
    };
    paths.map(sized).collect()
}
