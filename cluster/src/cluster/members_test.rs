//! A cluster that grows from one node to three, in one process, with real stores on a network in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::future::join_all;
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::Environment;
use tokio::time::Instant;

use super::{Cluster, ClusterNetwork, ClusterOptions, MembershipOptions};
use crate::data::faulty_disk::{Faults, FaultyDisk};
use crate::error::ErrorKind;
use crate::id::{BucketId, ClusterId, GroupId, NodeId, TokenId, UserId};
use crate::metadata::client::Route;
use crate::metadata::command::{
    Change, NewNode, NodeAddresses, OwnerChange, PutObject, SystemChange, VersionSelector, WriteCondition,
};
use crate::metadata::key::OwnerSpace;
use crate::metadata::outcome::Outcome;
use crate::metadata::query;
use crate::metadata::record::{AuthorityRecord, ETag, ObjectHeaders, VersionKind};
use crate::metadata::secret_box::{MasterKey, SecretBox};
use crate::metadata::view::MetadataView;
use crate::peer::AddressBook;
use crate::peer::authority::Authority;
use crate::peer::memory::{Network, NetworkOptions};
use crate::raft::RaftOptions;
use crate::testing::{TestEngine, initialize};

mod split_test;

const CLUSTER: ClusterId = [0xC1; 16];
const KEY: MasterKey = MasterKey([7; 32]);
const FIRST: NodeId = NodeId(1);
const WAIT_MAX: Duration = Duration::from_secs(30);

struct Nodes {
    network: Network,
    directories: BTreeMap<NodeId, TestEngine>,
    running: BTreeMap<NodeId, Cluster>,
    /// Of each node's drive.
    faults: BTreeMap<NodeId, Arc<Faults>>,
    authority: AuthorityRecord,
}

impl Nodes {
    /// One node that has data.
    async fn found() -> Self {
        let authority = Authority::create(CLUSTER, 1_790_000_000_000).unwrap().seal(&SecretBox::new(&KEY.0)).unwrap();
        let network = Network::new(NetworkOptions::default());
        let (directories, running, faults) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut nodes = Self { network, directories, running, faults, authority };
        nodes.run(FIRST).await;
        initialize(nodes.on(FIRST)).await;
        let membership = nodes.on(FIRST).membership().expect("is a member");
        membership.found(new_node(FIRST), &nodes.authority).await.unwrap();
        nodes
    }

    fn on(&self, node: NodeId) -> &Cluster {
        &self.running[&node]
    }

    async fn run(&mut self, node: NodeId) {
        let engine = self.open(node).await;
        let cluster = self.start(node, engine).await;
        self.running.insert(node, cluster);
    }

    /// At the same time: each of them waits for the others.
    async fn run_all(&mut self, nodes: &[NodeId]) {
        let mut engines = Vec::new();
        for node in nodes {
            engines.push((*node, self.open(*node).await));
        }
        let start = async |(node, engine)| (node, self.start(node, engine).await);
        let started = join_all(engines.into_iter().map(start)).await;
        self.running.extend(started);
    }

    async fn open(&mut self, node: NodeId) -> StorageEngine {
        let directory = self.directories.entry(node).or_insert_with(TestEngine::new);
        let faults = self.faults.entry(node).or_default().clone();
        directory.open_in(Environment { disk: Arc::new(FaultyDisk { faults }), ..Environment::real() }).await
    }

    async fn start(&self, node: NodeId, engine: StorageEngine) -> Cluster {
        let options = ClusterOptions {
            node,
            groups: 4,
            raft: RaftOptions { start_timeout: WAIT_MAX, ..RaftOptions::default() },
            ..ClusterOptions::default()
        };
        let network = self.network.clone();
        let membership =
            MembershipOptions { cluster: CLUSTER, master_key: KEY, founder: node == FIRST, announcement: None };
        let network = ClusterNetwork {
            peers: network.peers(node),
            addresses: AddressBook::new(BTreeMap::new()),
            serve: Box::new(move |handlers| {
                network.serve(node, handlers);
                Ok(())
            }),
        };
        Cluster::start_member(options, engine, network, membership).await.unwrap()
    }

    fn set_full(&self, node: NodeId, full: bool) {
        self.faults[&node].full.store(full, Ordering::Relaxed);
        self.on(node).engine().drive().health().refresh().unwrap();
    }

    async fn stop(&mut self, node: NodeId) {
        self.network.stop(node);
        self.running.remove(&node).unwrap().stop().await;
    }

    async fn admit(&self, node: NodeId) {
        let token = TokenId([node.0 as u8; 16]);
        let metadata = self.on(FIRST).metadata();
        let create = SystemChange::CreateJoinToken { token, expires_ms: u64::MAX, zone: None };
        assert_eq!(metadata.commit(Change::System(create)).await.unwrap(), Outcome::Done);
        let admit = SystemChange::AdmitNode { token, node: new_node(node) };
        assert_eq!(metadata.commit(Change::System(admit)).await.unwrap(), Outcome::NodeAdmitted { node });
    }

    /// Waits until every group is on these nodes.
    async fn placed_on(&self, expected: &[u64]) {
        let expected: Vec<NodeId> = expected.iter().copied().map(NodeId).collect();
        let on = self.on(expected[0]);
        self.wait("every group is in place", || {
            on.placement().groups.values().all(|record| record.voters == expected && record.target == expected)
        })
        .await;
    }

    async fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + WAIT_MAX;
        while !done() {
            assert!(Instant::now() < deadline, "not within {WAIT_MAX:?}: {what}; {:#?}", self.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn status(&self) -> Vec<super::ClusterStatus> {
        self.running.values().map(Cluster::status).collect()
    }
}

fn new_node(node: NodeId) -> NewNode {
    let address = |port: u16| format!("node{}.example:{port}", node.0);
    NewNode {
        drive: [node.0 as u8; 16],
        addresses: NodeAddresses { peer: address(9002), web: address(9001), s3: address(9000) },
        zone: String::new(),
        weight: 100,
        release: "0.1.0".to_owned(),
    }
}

async fn put(cluster: &Cluster, bucket: BucketId, key: &str, body: &Bytes) -> crate::error::Result<Outcome> {
    let owner = UserId::ROOT.owner_key();
    let mut writer = cluster.data().blob_writer(owner);
    writer.push(body.clone()).await?;
    let put = PutObject {
        bucket,
        key: key.to_owned(),
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

async fn get(cluster: &Cluster, bucket: BucketId, key: &str) -> crate::error::Result<Bytes> {
    let owner = UserId::ROOT.owner_key();
    let key = key.to_owned();
    let find = move |view: &dyn MetadataView| query::version(view, owner, bucket, &key, VersionSelector::Latest);
    let (found, _latest) = cluster.metadata().read(Route::Owner(owner), find).await?.expect("is there");
    let VersionKind::Object(object) = found.kind else { panic!("a delete marker") };
    let bytes = object.bytes;
    let pieces: Vec<Bytes> = cluster.data().read(&object.content, bytes, 0..bytes).try_collect().await?;
    Ok(pieces.concat().into())
}

/// Root's records in ascending order, then in descending order.
async fn all_records(cluster: &Cluster) -> Vec<(Vec<u8>, Vec<u8>)> {
    let owner = UserId::ROOT.owner_key();
    let walk = move |view: &dyn MetadataView| {
        let mut records = Vec::new();
        let mut take = |key: &[u8], value: &[u8]| {
            records.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        };
        let range = OwnerSpace(owner).all();
        view.scan(range.bounds(), &mut take)?;
        view.scan_reverse(range.bounds(), &mut take)?;
        Ok(records)
    };
    cluster.metadata().read(Route::Owner(owner), walk).await.unwrap()
}

async fn make_bucket(cluster: &Cluster) -> BucketId {
    match cluster.metadata().create_bucket(UserId::ROOT, "bucket".to_owned(), String::new()).await.unwrap() {
        Outcome::BucketCreated { bucket } => bucket,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_with_data_becomes_three_and_any_of_them_serves() {
    let mut nodes = Nodes::found().await;
    let bucket = make_bucket(nodes.on(FIRST)).await;
    let (small, large) = (Bytes::from_static(b"small"), Bytes::from(vec![7; 9_000_000]));
    put(nodes.on(FIRST), bucket, "small", &small).await.unwrap();
    put(nodes.on(FIRST), bucket, "large", &large).await.unwrap();
    for node in [NodeId(2), NodeId(3)] {
        nodes.admit(node).await;
        nodes.run(node).await;
    }
    nodes.placed_on(&[1, 2, 3]).await;
    for node in [1, 2, 3].map(NodeId) {
        assert_eq!(get(nodes.on(node), bucket, "small").await.unwrap(), small, "{node:?}");
        assert_eq!(get(nodes.on(node), bucket, "large").await.unwrap(), large, "{node:?}");
    }
    for (number, writer) in [1, 2, 3].map(NodeId).into_iter().enumerate() {
        let (key, body) = (format!("by {number}"), Bytes::from(vec![number as u8; 100_000]));
        put(nodes.on(writer), bucket, &key, &body).await.unwrap();
        for reader in [1, 2, 3].map(NodeId) {
            assert_eq!(get(nodes.on(reader), bucket, &key).await.unwrap(), body, "{writer:?} {reader:?}");
        }
    }

    // Any one of them may go.
    nodes.stop(FIRST).await;
    let body = Bytes::from_static(b"without the founder");
    put(nodes.on(NodeId(2)), bucket, "later", &body).await.unwrap();
    assert_eq!(get(nodes.on(NodeId(3)), bucket, "later").await.unwrap(), body);
    nodes.run(FIRST).await;
    assert_eq!(get(nodes.on(FIRST), bucket, "later").await.unwrap(), body);
    nodes.stop(NodeId(2)).await;
    nodes.stop(FIRST).await;
    let error = put(nodes.on(NodeId(3)), bucket, "alone", &body).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::NotLeader | ErrorKind::OutcomeUnknown),
        "{error}"
    );
    assert!(get(nodes.on(NodeId(3)), bucket, "later").await.is_err(), "a minority answers nothing");
    nodes.stop(NodeId(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_group_serves_it_from_afar() {
    let mut nodes = Nodes::found().await;
    let bucket = make_bucket(nodes.on(FIRST)).await;
    nodes.admit(NodeId(2)).await;
    nodes.run(NodeId(2)).await;
    let outsider = NodeId(2);
    assert!(nodes.on(outsider).groups().find(GroupId(1)).is_none());
    let body = Bytes::from(vec![9; 200_000]);
    put(nodes.on(outsider), bucket, "from afar", &body).await.unwrap();
    assert_eq!(get(nodes.on(outsider), bucket, "from afar").await.unwrap(), body);
    let inline = Bytes::from_static(b"inline");
    put(nodes.on(FIRST), bucket, "inline", &inline).await.unwrap();
    assert_eq!(get(nodes.on(outsider), bucket, "inline").await.unwrap(), inline);
    // More records than a page holds, read in pages from either end, are the same as those read at home.
    for number in 0..100 {
        put(nodes.on(FIRST), bucket, &format!("many/{number:03}"), &inline).await.unwrap();
    }
    let at_home = all_records(nodes.on(FIRST)).await;
    assert!(at_home.len() > 200, "{}", at_home.len());
    assert_eq!(all_records(nodes.on(outsider)).await, at_home);
    nodes.stop(outsider).await;
    nodes.stop(FIRST).await;
}

/// Whoever takes the request, the drive that counts is the leader's.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_drive_refuses_where_it_leads_and_nowhere_else() {
    let mut nodes = Nodes::found().await;
    let bucket = make_bucket(nodes.on(FIRST)).await;
    let all = [1, 2, 3].map(NodeId);
    for node in [NodeId(2), NodeId(3)] {
        nodes.admit(node).await;
        nodes.run(node).await;
    }
    nodes.placed_on(&[1, 2, 3]).await;
    let group = nodes.on(FIRST).placement().group_of(UserId::ROOT.owner_key());
    let (small, large) = (Bytes::from_static(b"small"), Bytes::from(vec![7; 300_000]));

    let leads = |node: NodeId| nodes.on(node).groups().find(group).unwrap().is_leader();
    // Leaders are evened out now and then: what happened across a hand-over says nothing.
    for attempt in 0.. {
        assert!(attempt < 10, "the leader changed again and again");
        let Some(leader) = all.into_iter().find(|node| leads(*node)) else { continue };
        nodes.set_full(leader, true);
        let mut outcomes = Vec::new();
        for node in all {
            outcomes.push(put(nodes.on(node), bucket, "refused", &small).await);
        }
        let led_throughout = leads(leader);
        nodes.set_full(leader, false);
        if led_throughout {
            let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap_err().kind()).collect();
            assert_eq!(kinds, [ErrorKind::Full; 3], "{outcomes:?}");
            break;
        }
    }

    let follower = all.into_iter().find(|node| !leads(*node)).unwrap();
    nodes.set_full(follower, true);
    for node in all {
        for (name, body) in [("small", &small), ("large", &large)] {
            let key = format!("{name} through {}", node.0);
            put(nodes.on(node), bucket, &key, body).await.unwrap();
            // The full one takes no entries, so it cannot know.
            let other = all.into_iter().find(|node| *node != follower).unwrap();
            assert_eq!(get(nodes.on(other), bucket, &key).await.unwrap(), *body, "{key}");
        }
    }
    for node in all {
        nodes.stop(node).await;
    }
}
