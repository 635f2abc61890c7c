//! What idle groups cost: 256 groups on three nodes in one process, over real connections. Not a check, a measurement:
//! `cargo test -p onggi-cluster --lib idle -- --ignored --nocapture`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use onggi_storage_engine::env::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::group_keys::GroupKeys;
use super::group_set::{GroupSet, GroupSetOptions, Opening};
use super::options::RaftOptions;
use super::peer_service::serve_groups;
use super::snapshot_file::SnapshotFiles;
use super::test_nodes::{ALL, ANNA, BERTA, CLARA};
use crate::data::BlobQueues;
use crate::id::{GroupId, NodeId};
use crate::peer::authority::{Authority, PeerCredentials, PeerKey};
use crate::peer::{AddressBook, Handlers, Mesh, MeshOptions, PeerEntry, PeerLimits};
use crate::placement::PartitionMap;
use crate::testing::TestEngine;

const GROUPS: u32 = 256;
const WINDOW: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(30);

struct Node {
    groups: Arc<GroupSet>,
    stop: CancellationToken,
    _engine: onggi_storage_engine::StorageEngine,
    _directory: TestEngine,
}

async fn start() -> BTreeMap<NodeId, Node> {
    let (cluster, now) = ([7; 16], SystemClock.unix_ms());
    let authority = Authority::create(cluster, now).expect("an authority");
    let mut listeners = BTreeMap::new();
    let mut entries = BTreeMap::new();
    for node in ALL {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("address").to_string();
        entries.insert(node, PeerEntry { address, drive: [node.0 as u8; 16] });
        listeners.insert(node, listener);
    }
    let book = AddressBook::new(entries);
    let mut nodes = BTreeMap::new();
    for (node, listener) in listeners {
        let key = PeerKey::generate().expect("a key");
        let certificate = authority.issue_node(node, &key.public_key().expect("its point"), now).expect("issues");
        let credentials = PeerCredentials { certificate, key, authority: authority.certificate().clone() };
        let mesh = Mesh::new(MeshOptions {
            node,
            cluster,
            drive: [node.0 as u8; 16],
            release: "test".to_owned(),
            credentials,
            book: book.clone(),
            limits: PeerLimits::default(),
        })
        .expect("a mesh");
        let stop = CancellationToken::new();
        let directory = TestEngine::new();
        let engine = directory.open().await;
        let options = GroupSetOptions {
            node,
            cluster_name: "idle".to_owned(),
            raft: RaftOptions::default(),
            peers: Arc::new(mesh.clone()),
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
        tokio::spawn(mesh.clone().serve(listener, serve_groups(&groups, Handlers::new()), stop.clone()));
        tokio::spawn(mesh.run(stop.clone()));
        nodes.insert(node, Node { groups, stop, _engine: engine, _directory: directory });
    }
    nodes
}

async fn grow(group: &Group, leader: NodeId) {
    for node in [BERTA, CLARA] {
        group.add_learner(node).await.expect("adds");
    }
    group.change_voters(BTreeSet::from(ALL)).await.expect("promotes");
    group.transfer_leader(leader, LIMIT).await.expect("hands over");
}

fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("reads");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|field| fields[*field].parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

async fn measure(what: &str) {
    let (before, start) = (cpu(), Instant::now());
    tokio::time::sleep(WINDOW).await;
    let share = (cpu() - before).as_secs_f64() / start.elapsed().as_secs_f64();
    println!("{what}: {:.1} % of a core", share * 100.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn idle_groups() {
    let nodes = start().await;
    measure("three nodes with the system group of one").await;
    let map = PartitionMap::even(GROUPS);
    let start = Instant::now();
    nodes[&ANNA].groups.found_all(&map).await.expect("founds");
    for node in [BERTA, CLARA] {
        let keys = (0..GROUPS).map(|group| GroupKeys::of_owners(GroupId(group + 1), &map));
        for opened in join_all(keys.map(|keys| nodes[&node].groups.open_member(keys))).await {
            opened.expect("opens");
        }
    }
    let groups: Vec<_> = nodes[&ANNA].groups.all();
    join_all(groups.iter().enumerate().map(|(at, group)| grow(group, ALL[at % ALL.len()]))).await;
    println!("{} groups on three nodes after {:?}", groups.len(), start.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let terms = || groups.iter().map(|group| group.status().term).sum::<u64>();
    let before = terms();
    measure("all up").await;
    println!("elections meanwhile: {}", terms() - before);

    nodes[&CLARA].stop.cancel();
    nodes[&CLARA].groups.stop().await;
    let start = Instant::now();
    while groups.iter().any(|group| group.leader_hint().is_none_or(|leader| leader == CLARA)) {
        assert!(start.elapsed() < LIMIT, "groups without a leader are left");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("all groups have a leader {:?} after one node died", start.elapsed());
    tokio::time::sleep(Duration::from_secs(5)).await;
    measure("one of three dead").await;
}
