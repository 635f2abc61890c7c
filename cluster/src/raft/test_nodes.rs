//! Test nodes: several nodes in one process, each with real stores, on a network in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::SystemClock;
use tokio::time::Instant;

use super::group::Group;
use super::group_keys::GroupKeys;
use super::group_set::{GroupSet, GroupSetOptions, Opening};
use super::options::RaftOptions;
use super::peer_service::serve_groups;
use super::snapshot_file::SnapshotFiles;
use crate::data::BlobQueues;
use crate::error::Result;
use crate::id::{NodeId, RequestId, UserId};
use crate::metadata::command::{Change, Command, SystemChange};
use crate::metadata::outcome::Outcome;
use crate::metadata::query;
use crate::metadata::record::AccessKeyRecord;
use crate::metadata::view::{MetadataView, StoreView};
use crate::peer::Handlers;
use crate::peer::memory::{Network, NetworkOptions};
use crate::testing::TestEngine;

pub const ANNA: NodeId = NodeId(1);
pub const BERTA: NodeId = NodeId(2);
pub const CLARA: NodeId = NodeId(3);
pub const ALL: [NodeId; 3] = [ANNA, BERTA, CLARA];
const WAIT_MAX: Duration = Duration::from_secs(20);

pub struct Nodes {
    pub network: Network,
    running: BTreeMap<NodeId, Node>,
    directories: BTreeMap<NodeId, TestEngine>,
}

struct Node {
    engine: StorageEngine,
    groups: Arc<GroupSet>,
}

impl Nodes {
    /// Anna has founded the system group; the others have joined nothing yet.
    pub async fn start(options: NetworkOptions) -> Self {
        let network = Network::new(options);
        let directories = ALL.into_iter().map(|node| (node, TestEngine::new())).collect();
        let mut nodes = Self { network, running: BTreeMap::new(), directories };
        for node in ALL {
            nodes.run(node).await;
        }
        nodes.initialize().await;
        nodes
    }

    /// All three vote in the system group; Anna leads.
    pub async fn start_as_voters() -> Self {
        let nodes = Self::start(NetworkOptions::default()).await;
        nodes.make_voters(&ALL).await;
        nodes
    }

    pub async fn make_voters(&self, voters: &[NodeId]) {
        let leader = self.leader().await;
        for node in voters {
            leader.add_learner(*node).await.expect("adds a learner");
        }
        leader.change_voters(voters.iter().copied().collect()).await.expect("changes the voters");
    }

    pub async fn run(&mut self, node: NodeId) {
        let engine = self.directories[&node].open().await;
        let options = GroupSetOptions {
            node,
            cluster_name: "test".to_owned(),
            raft: quick(),
            peers: self.network.peers(node),
            log_store: engine.log_store().clone(),
            metadata_store: engine.metadata_store().clone(),
            snapshot_files: SnapshotFiles {
                disk: engine.environment().disk.clone(),
                directory: engine.snapshots_directory().to_owned(),
            },
            blob_changes: BlobQueues::new(Arc::new(SystemClock), Duration::ZERO).changes(),
            drive: engine.drive().health().clone(),
        };
        let opening = if node == ANNA { Opening::Found } else { Opening::Join };
        let groups = GroupSet::open(options, opening).await.expect("opens");
        self.network.serve(node, serve_groups(&groups, Handlers::new()));
        self.running.insert(node, Node { engine, groups });
    }

    /// As a kill of the process and its cable.
    pub async fn kill(&mut self, node: NodeId) {
        self.network.stop(node);
        let image = self.directories[&node].killed();
        if let Some(node) = self.running.remove(&node) {
            node.groups.stop().await;
            node.engine.close().await.expect("closes");
        }
        self.directories.insert(node, image);
    }

    /// The stores of a node that does not run; to be closed before it does again.
    pub async fn stores_of_stopped(&self, node: NodeId) -> StorageEngine {
        assert!(!self.running.contains_key(&node));
        self.directories[&node].open().await
    }

    pub fn groups(&self, node: NodeId) -> &Arc<GroupSet> {
        &self.running[&node].groups
    }

    pub fn system(&self, node: NodeId) -> &Arc<Group> {
        self.groups(node).system()
    }

    pub fn engine(&self, node: NodeId) -> &StorageEngine {
        &self.running[&node].engine
    }

    /// The node that leads the system group, and that a majority follows.
    pub async fn leader(&self) -> &Arc<Group> {
        self.leader_among(&ALL).await
    }

    pub async fn leader_among(&self, nodes: &[NodeId]) -> &Arc<Group> {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            for node in nodes.iter().filter(|node| self.running.contains_key(node)) {
                if self.system(*node).is_leader() && self.system(*node).read_index().await.is_ok() {
                    return self.system(*node);
                }
            }
            assert!(Instant::now() < deadline, "nobody leads");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Names of the users as `node` has applied them; none while it installs a snapshot.
    pub fn users(&self, node: NodeId) -> BTreeSet<String> {
        self.system(node).local_view().map(|view| user_names(&view)).unwrap_or_default()
    }

    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + WAIT_MAX;
        while !holds(self) {
            assert!(Instant::now() < deadline, "it never came: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until_all_have(&self, nodes: &[NodeId], users: &BTreeSet<String>) {
        self.until("all users on all nodes", |test| nodes.iter().all(|node| test.users(*node) == *users)).await;
    }

    /// All records of a group on a node.
    pub fn records(&self, node: NodeId, keys: &GroupKeys) -> BTreeMap<Vec<u8>, Vec<u8>> {
        records(self.engine(node), keys)
    }

    async fn initialize(&self) {
        let root_key = AccessKeyRecord {
            access_key: "root".to_owned(),
            user: UserId::ROOT,
            created_ms: 1,
            enabled: true,
            description: String::new(),
            sealed_secret: Bytes::from_static(b"sealed"),
        };
        let change = SystemChange::InitializeCluster { cluster_name: "test".to_owned(), root_key };
        propose(self.system(ANNA), change).await.expect("initializes");
    }
}

pub fn records(engine: &StorageEngine, keys: &GroupKeys) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let snapshot = engine.metadata_store().snapshot();
    let keys = keys.of_state(&snapshot).expect("reads");
    let view = StoreView::new(snapshot);
    let mut records = BTreeMap::new();
    for range in &keys.records {
        view.scan(range.bounds(), &mut |key, value| {
            records.insert(key.to_vec(), value.to_vec());
            ControlFlow::Continue(())
        })
        .expect("scans");
    }
    records
}

pub fn user_names(view: &dyn MetadataView) -> BTreeSet<String> {
    let users = query::users(view).expect("reads");
    users.into_iter().filter(|user| user.id != UserId::ROOT).map(|user| user.name).collect()
}

pub async fn create_user(group: &Group, name: &str) -> Result<Outcome> {
    propose(group, SystemChange::CreateUser { name: name.to_owned(), admin: false, quota_bytes: None }).await
}

/// Creates them where a leader takes them, each at least once, whoever leads meanwhile.
pub async fn create_users_somewhere(nodes: &Nodes, among: &[NodeId], names: impl IntoIterator<Item = String>) {
    for name in names {
        let deadline = Instant::now() + WAIT_MAX;
        while create_user(nodes.leader_among(among).await, &name).await.is_err() {
            assert!(Instant::now() < deadline, "nobody takes {name}");
        }
    }
}

async fn propose(group: &Group, change: SystemChange) -> Result<Outcome> {
    let request = RequestId(rand::random());
    let command = Command { request, retry: false, time_ms: 1, change: Change::System(change) };
    group.propose(command.encode()).await
}

/// A tenth of the times of a real node, and more.
fn quick() -> RaftOptions {
    RaftOptions {
        heartbeat: Duration::from_millis(40),
        election_min: Duration::from_millis(150),
        election_max: Duration::from_millis(300),
        append_limit: Duration::from_millis(300),
        majority_limit: Duration::from_millis(200),
        commit_limit: Duration::from_secs(5),
        start_timeout: Duration::from_secs(20),
        ..RaftOptions::default()
    }
}
