//! World: the nodes of one simulation, the network between them, and what everybody in it shares.
//! Owns: starting and ending processes, the log of what happened.
//! Does not own: what the clients do (`client`), what goes wrong and when (`trouble`), what must hold (`invariants`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::env::simulated_disk::Crash;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::node::{self, Node, Process, SYNC_TIME, Up};
use crate::cluster::Cluster;
use crate::id::{BucketId, GroupId, NodeId, OwnerKey, TokenId, UserId};
use crate::metadata::command::{Change, NewNode, NodeAddresses, NodeUpdate, SystemChange};
use crate::metadata::outcome::Outcome;
use crate::metadata::record::{AuthorityRecord, NodeState};
use crate::peer::memory::{Network, NetworkOptions};
use crate::testing::initialize;

/// A node that could not start tries again after this.
const START_AGAIN: Duration = Duration::from_secs(1);
/// Enough for a group to be split between them, and each half once more.
const OWNERS_OF_GROUP: usize = 3;
pub const QUICK: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(5);

/// Cheap to clone; all clones are the same world.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    begun: Instant,
    groups: u32,
    network: Network,
    dice: Mutex<StdRng>,
    nodes: Mutex<BTreeMap<NodeId, Node>>,
    /// Those that were removed: their numbers are never used again.
    buried: Mutex<BTreeSet<NodeId>>,
    /// Of each group some owners whose records are in it, each with a bucket.
    owners: Mutex<Vec<Owner>>,
    events: Mutex<Vec<String>>,
    /// Events are printed as they come, for a run that does not end.
    loud: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub number: usize,
    pub owner: OwnerKey,
    pub bucket: BucketId,
}

impl World {
    /// `nodes` nodes hold `groups` groups of owners and the system group, each of which has an owner with a bucket.
    pub async fn found(seed: u64, nodes: u64, groups: u32) -> Self {
        let network = Network::new(NetworkOptions { seed, delay: QUICK, ..NetworkOptions::default() });
        let world = Self {
            inner: Arc::new(Inner {
                begun: Instant::now(),
                groups,
                network,
                dice: Mutex::new(StdRng::seed_from_u64(seed)),
                nodes: Mutex::default(),
                buried: Mutex::default(),
                owners: Mutex::default(),
                events: Mutex::default(),
                loud: std::env::var_os("ONGGI_TEST_EVENTS").is_some(),
            }),
        };
        world.start(NodeId::FOUNDER);
        let first = world.wait_until_up(NodeId::FOUNDER).await;
        initialize(&first).await;
        let authority =
            AuthorityRecord { certificate: Bytes::from_static(b"nobody"), sealed_key: Bytes::from_static(b"looks") };
        let membership = first.membership().expect("is a member");
        membership.found(new_node(NodeId::FOUNDER), &authority).await.expect("founds");
        world.make_owners(&first).await;
        for node in 2..=nodes {
            assert!(world.admit(&first, NodeId(node)).await);
            world.start(NodeId(node));
        }
        for node in 2..=nodes {
            world.wait_until_up(NodeId(node)).await;
        }
        world
    }

    async fn make_owners(&self, first: &Cluster) {
        let mut owners: Vec<Owner> = Vec::new();
        let mut of_group: BTreeMap<GroupId, usize> = BTreeMap::new();
        let metadata = first.metadata();
        for number in 0.. {
            if owners.len() == self.inner.groups as usize * OWNERS_OF_GROUP {
                break;
            }
            let create = SystemChange::CreateUser { name: format!("user{number}"), admin: false, quota_bytes: None };
            let created = metadata.commit(Change::System(create)).await.expect("creates a user");
            let Outcome::UserCreated { user } = created else { panic!("{created:?}") };
            let group = first.placement().group_of(user.owner_key());
            let count = of_group.entry(group).or_default();
            if *count == OWNERS_OF_GROUP {
                continue;
            }
            *count += 1;
            let bucket = make_bucket(first, user).await;
            owners.push(Owner { number: owners.len(), owner: user.owner_key(), bucket });
        }
        *lock(&self.inner.owners) = owners;
    }

    pub fn network(&self) -> &Network {
        &self.inner.network
    }

    pub fn owners(&self) -> Vec<Owner> {
        lock(&self.inner.owners).clone()
    }

    pub fn nodes(&self) -> MutexGuard<'_, BTreeMap<NodeId, Node>> {
        lock(&self.inner.nodes)
    }

    pub fn known(&self) -> Vec<NodeId> {
        self.nodes().keys().copied().collect()
    }

    /// Of the next node that joins.
    pub fn next_number(&self) -> NodeId {
        let last = self.known().last().copied().max(lock(&self.inner.buried).last().copied());
        NodeId(last.map_or(1, |last| last.0 + 1))
    }

    pub fn up(&self) -> Vec<(NodeId, Up)> {
        self.nodes().iter().filter_map(|(id, node)| Some((*id, node.up()?.clone()))).collect()
    }

    pub fn roll(&self, range: std::ops::Range<u64>) -> u64 {
        lock(&self.inner.dice).random_range(range)
    }

    pub fn passed(&self) -> Duration {
        self.inner.begun.elapsed()
    }

    pub fn note(&self, event: impl FnOnce() -> String) {
        let event = format!("{:>9.3} {}", self.passed().as_secs_f64(), event());
        if self.inner.loud {
            println!("{event}");
        }
        lock(&self.inner.events).push(event);
    }

    pub fn events(&self) -> Vec<String> {
        lock(&self.inner.events).clone()
    }

    // ---- processes ----

    /// Nothing happens if it runs already.
    pub fn start(&self, id: NodeId) {
        if lock(&self.inner.buried).contains(&id) {
            return;
        }
        let mut nodes = self.nodes();
        let node = nodes.entry(id).or_insert_with(|| Node::new(self.inner.begun));
        if !matches!(node.process, Process::None) {
            return;
        }
        node.starts += 1;
        let (start, groups, network) = (node.starts, self.inner.groups, self.inner.network.clone());
        let opening = node::open(id, groups, node.environment(), node.database.clone(), network);
        let world = self.clone();
        node.process = Process::Starting(tokio::spawn(async move {
            match opening.await {
                Ok(cluster) => world.came_up(id, start, cluster),
                Err(error) => {
                    world.note(|| format!("node {} could not start: {error}", id.0));
                    world.start_failed(id);
                    tokio::time::sleep(START_AGAIN).await;
                    world.start(id);
                }
            }
        }));
    }

    fn came_up(&self, id: NodeId, start: u64, cluster: Cluster) {
        self.note(|| format!("node {} is up", id.0));
        if let Some(node) = self.nodes().get_mut(&id).filter(|node| node.starts == start) {
            node.process = Process::Up(Up { cluster, end: CancellationToken::new() });
        }
    }

    fn start_failed(&self, id: NodeId) {
        if let Some(node) = self.nodes().get_mut(&id) {
            node.process = Process::None;
        }
        self.end(id, Crash::Kill);
    }

    pub fn end(&self, id: NodeId, crash: Crash) {
        self.inner.network.stop(id);
        let mut roll = || self.roll(0..u64::MAX);
        if let Some(node) = self.nodes().get_mut(&id) {
            node.end(crash, &mut roll);
        }
    }

    /// As its operator would: what it was doing comes to its end.
    pub async fn stop(&self, id: NodeId) {
        let up = {
            let mut nodes = self.nodes();
            let Some(node) = nodes.get_mut(&id) else { return };
            let Some(up) = node.up().cloned() else { return };
            node.process = Process::Stopping(up.clone());
            up
        };
        up.cluster.stop().await;
        // Unless it was killed meanwhile.
        if !up.end.is_cancelled() {
            self.end(id, Crash::Kill);
        }
    }

    pub async fn wait_until_up(&self, id: NodeId) -> Cluster {
        loop {
            if let Some(up) = self.nodes().get(&id).and_then(Node::up) {
                return up.cluster.clone();
            }
            assert!(self.passed() < Duration::from_secs(3600), "node {} does not come up", id.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A removal may have been on its way when the trouble ended.
    async fn wait_until_up_or_removed(&self, id: NodeId) {
        let is_removed = || lock(&self.inner.buried).contains(&id);
        let is_up = || self.nodes().get(&id).and_then(Node::up).is_some();
        while !is_removed() && !is_up() {
            assert!(self.passed() < Duration::from_secs(3600), "node {} does not come up", id.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    // ---- members ----

    /// False if nobody knows whether it was done.
    pub async fn admit(&self, through: &Cluster, node: NodeId) -> bool {
        let token = TokenId([node.0 as u8; 16]);
        let create = SystemChange::CreateJoinToken { token, expires_ms: u64::MAX, zone: None };
        let admit = SystemChange::AdmitNode { token, node: new_node(node) };
        if through.metadata().commit(Change::System(create)).await.is_err() {
            return false;
        }
        let admitted = through.metadata().commit(Change::System(admit)).await;
        admitted.is_ok_and(|outcome| outcome == Outcome::NodeAdmitted { node })
    }

    pub async fn update(&self, through: &Cluster, node: NodeId, update: NodeUpdate) -> bool {
        let change = Change::System(SystemChange::UpdateNode { node, update });
        through.metadata().commit(change).await.is_ok_and(|outcome| outcome == Outcome::Done)
    }

    /// Its machine is switched off for good.
    pub fn bury(&self, id: NodeId) {
        self.note(|| format!("node {} is removed", id.0));
        lock(&self.inner.buried).insert(id);
        self.end(id, Crash::Kill);
        self.nodes().remove(&id);
    }

    /// Those of which it was not known whether they had been removed.
    pub fn bury_removed(&self) {
        let is_removed = |id: &NodeId| {
            let record_of = |up: &Up| up.cluster.placement().nodes.get(id).map(|record| record.state);
            self.up().iter().any(|(_, up)| record_of(up) == Some(NodeState::Removed))
        };
        self.known().into_iter().filter(is_removed).for_each(|id| self.bury(id));
    }

    // ---- the end of all trouble ----

    /// Nothing goes wrong any more, and every member runs.
    pub async fn heal(&self) {
        self.note(|| "all is well again".to_owned());
        self.inner.network.heal_all();
        self.inner.network.set_lost_per_mille(0);
        self.inner.network.set_doubled_per_mille(0);
        self.inner.network.set_delay(QUICK);
        for id in self.known() {
            if let Some(node) = self.nodes().get(&id) {
                node.clock.jump(0);
                node.database.set_sync_time(SYNC_TIME);
                node.leave_room(None);
            }
            self.start(id);
        }
        for id in self.known() {
            self.wait_until_up_or_removed(id).await;
        }
        // Of some it was not known whether they had been let in.
        for id in self.members() {
            self.start(id);
            self.wait_until_up(id).await;
        }
    }

    /// As the first node that is up knows them.
    fn members(&self) -> Vec<NodeId> {
        let up = self.up();
        let Some((_, first)) = up.first() else { return Vec::new() };
        let placement = first.cluster.placement();
        let members = placement.nodes.values().filter(|record| record.state != NodeState::Removed);
        members.map(|record| record.node).collect()
    }
}

async fn make_bucket(cluster: &Cluster, user: UserId) -> BucketId {
    let name = format!("bucket{}", user.0);
    match cluster.metadata().create_bucket(user, name, String::new()).await.expect("creates a bucket") {
        Outcome::BucketCreated { bucket } => bucket,
        other => panic!("{other:?}"),
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

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
