//! Test nodes: the data paths of a few nodes over a network in memory, each on a real chunk store.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt;
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::{Clock, Environment};
use onggi_storage_engine::format::Record;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::blob_layout::BlobLayout;
use super::faulty_disk::{Faults, FaultyDisk};
use super::repair::RepairOptions;
use super::replica_set::{ReplicaMap, ReplicaSet};
use super::sweep::SweepOptions;
use super::test_replica::{TestLog, TestReplica};
use super::{BlobQueues, DataNode, DataNodeOptions, DataOptions};
use crate::error::Result;
use crate::id::{BlobId, GroupId, NodeId, OwnerKey};
use crate::metadata::command::NewContent;
use crate::metadata::key::{OwnerSpace, Referent};
use crate::metadata::record::{Content, ReferenceRecord};
use crate::peer::memory::{Network, NetworkOptions};
use crate::peer::{Handlers, Peers};
use crate::placement::PartitionMap;
use crate::testing::TestEngine;

pub const OWNER: OwnerKey = OwnerKey(7);
pub const GROUP: GroupId = GroupId(1);
pub const GRACE: Duration = Duration::from_secs(100);
pub const CHUNK_BYTES: u32 = 64 * 1024;

/// Moves when it is told to.
pub struct SetClock {
    begun: Instant,
    passed_ms: AtomicU64,
}

impl Clock for SetClock {
    fn unix_ms(&self) -> u64 {
        1_000_000 + self.passed_ms.load(Ordering::Relaxed)
    }

    fn now(&self) -> Instant {
        self.begun + Duration::from_millis(self.passed_ms.load(Ordering::Relaxed))
    }
}

pub struct TestNodes {
    pub network: Network,
    pub clock: Arc<SetClock>,
    pub log: TestLog,
    replicas: watch::Sender<Arc<ReplicaMap>>,
    nodes: Vec<TestNode>,
}

pub struct TestNode {
    pub id: NodeId,
    pub faults: Arc<Faults>,
    pub engine: StorageEngine,
    pub data: DataNode,
    pub replica: TestReplica,
    pub peers: Peers,
    directory: TestEngine,
}

impl TestNodes {
    /// Nodes 1, 2, …; the first `voters` of them are the replicas.
    pub async fn start(count: u64, voters: u64) -> Self {
        let network = Network::new(NetworkOptions::default());
        let clock = Arc::new(SetClock { begun: Instant::now(), passed_ms: AtomicU64::new(0) });
        let (replicas, _) = watch::channel(replica_map(&(1..=voters).collect::<Vec<_>>(), &[]));
        let mut nodes = Self { network, clock, log: TestLog::default(), replicas, nodes: Vec::new() };
        for id in 1..=count {
            let node = nodes.open(NodeId(id), TestEngine::new()).await;
            nodes.nodes.push(node);
        }
        nodes
    }

    pub fn node(&self, id: u64) -> &TestNode {
        &self.nodes[id as usize - 1]
    }

    pub fn all(&self) -> impl Iterator<Item = &TestNode> {
        self.nodes.iter()
    }

    pub fn set_replicas(&self, voters: &[u64], learners: &[u64]) {
        self.replicas.send_replace(replica_map(voters, learners));
    }

    pub fn pass_time(&self, time: Duration) {
        self.clock.passed_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }

    pub fn passed(&self) -> Duration {
        Duration::from_millis(self.clock.passed_ms.load(Ordering::Relaxed))
    }

    /// The process dies: what was only in memory is gone.
    pub async fn kill_and_restart(&mut self, id: u64) {
        let at = id as usize - 1;
        self.network.stop(NodeId(id));
        let directory = self.nodes[at].directory.killed();
        self.nodes[at] = self.open(NodeId(id), directory).await;
    }

    async fn open(&self, id: NodeId, directory: TestEngine) -> TestNode {
        let faults = Arc::<Faults>::default();
        let environment = Environment {
            clock: self.clock.clone(),
            disk: Arc::new(FaultyDisk { faults: faults.clone() }),
            ..Environment::real()
        };
        let engine = directory.open_in(environment.clone()).await;
        let peers = self.network.peers(id);
        let queues = BlobQueues::new(self.clock.clone(), GRACE);
        let replica = TestReplica {
            group: GROUP,
            log: self.log.clone(),
            metadata: engine.metadata_store().clone(),
            changes: queues.changes(),
            cut_off: Arc::default(),
        };
        let data = DataNode::new(DataNodeOptions {
            node: id,
            chunks: engine.chunk_store().clone(),
            metadata: engine.metadata_store().clone(),
            environment,
            peers: peers.clone(),
            replicas: self.replicas.subscribe(),
            states: Arc::new(replica.clone()),
            queues,
            data: DataOptions { inline_bytes_max: 1024, chunk_bytes: CHUNK_BYTES },
            repair: RepairOptions::default(),
            sweep: SweepOptions { interval: Duration::from_secs(3600), grace: GRACE },
        });
        self.network.serve(id, data.handlers(Handlers::new()));
        TestNode { id, faults, engine, data, replica, peers, directory }
    }
}

fn replica_map(voters: &[u64], learners: &[u64]) -> Arc<ReplicaMap> {
    let nodes = |nodes: &[u64]| nodes.iter().copied().map(NodeId).collect::<Vec<_>>();
    let set = ReplicaSet { group: GROUP, voters: nodes(voters), target: nodes(&[voters, learners].concat()) };
    let all = (1..=9).map(NodeId).collect();
    Arc::new(ReplicaMap::new(PartitionMap::even(1), [set], all))
}

impl TestNode {
    /// A body of this node's client, pushed in pieces that fit no chunk.
    pub async fn put(&self, body: &Bytes) -> Result<NewContent> {
        let mut writer = self.data.client().blob_writer(OWNER);
        let mut rest = body.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(10_007));
            writer.push(piece).await?;
        }
        writer.finish().await
    }

    /// The durable bytes of a blob on this node, chunk by chunk; each is verified as it is read.
    pub async fn stored(&self, blob: BlobId) -> Bytes {
        let chunks = self.engine.chunk_store();
        let stored = chunks.chunks_of(vec![blob]).await.expect("looks").remove(0);
        let mut bytes = Vec::new();
        for (number, payload_bytes) in stored {
            bytes.extend_from_slice(&chunks.read(blob.chunk(number), 0..payload_bytes).await.expect("reads"));
        }
        bytes.into()
    }

    /// A record of this node names the blob.
    pub fn name(&self, blob: BlobId) {
        let key = OwnerSpace(blob.owner()).reference(&Referent::Blob(blob));
        let mut batch = self.engine.metadata_store().batch();
        batch.put(&key, &ReferenceRecord { count: 1 }.to_bytes());
        self.engine.metadata_store().apply(batch).expect("writes");
    }

    /// What a failing drive does to the only stored copy of `piece`.
    pub fn damage(&self, piece: &[u8], how: impl Fn(&std::fs::File, u64)) {
        assert_eq!(self.damage_all(piece, how), 1, "the piece is stored once");
    }

    /// The same to every copy of `piece`, dead ones too.
    pub fn damage_all(&self, piece: &[u8], how: impl Fn(&std::fs::File, u64)) -> usize {
        let extents = std::fs::read_dir(self.directory.path().join("extents")).expect("reads");
        let mut damaged = 0;
        for extent in extents {
            let path = extent.expect("reads").path();
            let mut file = match std::fs::OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                // Nothing of it was left: deleted since the directory was read.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => panic!("open {}: {error}", path.display()),
            };
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("reads");
            for (at, _) in bytes.windows(piece.len()).enumerate().filter(|(_, window)| *window == piece) {
                how(&file, at as u64);
                damaged += 1;
            }
        }
        damaged
    }

    /// Everything that is due.
    pub async fn repair(&self) {
        let stop = CancellationToken::new();
        while self.data.repairer().work_off(&stop).await > 0 {}
    }

    pub async fn read(&self, content: &NewContent, range: std::ops::Range<u64>) -> Result<Bytes> {
        let pieces: Vec<Bytes> = self.data.client().read(&content.content, content.bytes, range).try_collect().await?;
        Ok(pieces.concat().into())
    }

    pub async fn blobs(&self) -> Vec<BlobId> {
        let blobs = self.engine.chunk_store().blobs(None, 1000).await.expect("lists");
        blobs.into_iter().map(|(blob, _)| blob).collect()
    }
}

pub fn layout_of(content: &NewContent) -> BlobLayout {
    match content.content {
        Content::Blob { blob, chunk_bytes } => BlobLayout { blob, bytes: content.bytes, chunk_bytes },
        ref other => panic!("{other:?} is no blob"),
    }
}

/// Bytes that differ from chunk to chunk and from seed to seed.
pub fn body(bytes: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(bytes).collect::<Vec<u8>>().into()
}

/// Waits, for ten seconds at most, until `condition` holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}
