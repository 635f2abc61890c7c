//! Simulation: three replicas under random puts, commits, deletes, crashes, cuts, lies, damage, repairs and sweeps.
//! In the end every named blob is whole on every replica, and no chunk is left that nothing names. On the way: what is acknowledged is durable
//! on a majority, no read gives other bytes, and no sweep takes what is named.
//!
//! The seed of a failed run is in its message; `ONGGI_TEST_SEED` repeats it, `ONGGI_TEST_ROUNDS` makes more runs.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio_util::sync::CancellationToken;

use super::blob_layout::BlobLayout;
use super::test_nodes::{CHUNK_BYTES, GRACE, OWNER, TestNode, TestNodes, body, layout_of};
use crate::error::ErrorKind;
use crate::id::{BlobId, BucketId, NodeId, RequestId};
use crate::metadata::command::{
    Change, Command, DeleteObject, NewContent, OwnerChange, PutObject, VersionSelector, WriteCondition,
};
use crate::metadata::record::{ETag, ObjectHeaders};
use crate::peer::{Caller, Handlers, Method, Payload};

const RUNS: u64 = 8;
const STEPS: usize = 90;
const NODES: [u64; 3] = [1, 2, 3];
const KEYS: u32 = 4;

struct World {
    nodes: TestNodes,
    dice: StdRng,
    commands: u64,
    /// What a reader would be told, and the bytes behind it.
    named: BTreeMap<String, (NewContent, Bytes)>,
    /// Acknowledged by the data path, not committed yet; with the time of the acknowledgement.
    pending: Vec<(NewContent, Bytes, Duration)>,
    /// The one node that misbehaves, and how.
    trouble: Option<(u64, Trouble)>,
    /// Blobs of which a copy was damaged.
    damaged: BTreeSet<BlobId>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Down,
    /// Alive, but reaches nobody.
    CutOff,
    /// What it gives out is changed on its way.
    Lies,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_one_replica_nothing_named_is_lost_and_nothing_else_is_kept() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("ONGGI_TEST_ROUNDS").unwrap_or(1);
    let seeds = match number("ONGGI_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..RUNS * rounds + 1,
    };
    for seed in seeds {
        println!("seed {seed}");
        let mut world = World::new(seed).await;
        for _ in 0..STEPS {
            world.step().await;
        }
        world.heal().await;
        world.check_whole().await;
        world.check_nothing_else().await;
    }
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut world = Self {
            nodes: TestNodes::start(3, 3).await,
            dice: StdRng::seed_from_u64(seed),
            commands: 0,
            named: BTreeMap::new(),
            pending: Vec::new(),
            trouble: None,
            damaged: BTreeSet::new(),
        };
        world.commit(OwnerChange::CreateBucket { name: "bucket".into(), location: String::new() });
        world
    }

    async fn step(&mut self) {
        match self.dice.random_range(0..100) {
            0..20 => self.put().await,
            20..25 => self.put_while_one_restarts().await,
            25..45 => self.commit_pending(),
            45..52 => self.delete(),
            52..65 => {
                let (node, entries) = (self.any_node(), self.dice.random_range(0..4));
                if self.hears(node) {
                    self.nodes.node(node).replica.apply(entries);
                }
            }
            65..70 => self.make_trouble().await,
            70..74 => self.end_trouble().await,
            74..77 => self.restart().await,
            77..81 => {
                let node = self.any_node();
                self.damage(node).await;
            }
            81..87 => {
                let node = self.any_node();
                self.read(node).await;
            }
            87..92 => self.repair().await,
            92..98 => self.sweep().await,
            _ => self.pass_time(GRACE / 3),
        }
    }

    fn any_node(&mut self) -> u64 {
        NODES[self.dice.random_range(0..NODES.len())]
    }

    fn any_body(&mut self) -> Bytes {
        let bytes = self.dice.random_range(2000..3 * CHUNK_BYTES as usize);
        body(bytes, self.dice.random())
    }

    fn is(&self, node: u64, trouble: Trouble) -> bool {
        self.trouble == Some((node, trouble))
    }

    /// Whether a node that is up learns what the others agree on.
    fn hears(&self, node: u64) -> bool {
        !self.is(node, Trouble::Down) && !self.is(node, Trouble::CutOff)
    }

    // ---- writes ----

    async fn put(&mut self) {
        let (taker, body) = (self.any_node(), self.any_body());
        if self.is(taker, Trouble::Down) {
            return;
        }
        match self.nodes.node(taker).put(&body).await {
            Ok(content) => self.acknowledged(content, body).await,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                assert!(self.is(taker, Trouble::CutOff), "two replicas are well: {error}");
            }
        }
    }

    async fn put_while_one_restarts(&mut self) {
        let (taker, victim, body) = (self.any_node(), self.any_node(), self.any_body());
        if taker == victim || !self.hears(taker) || self.trouble.is_some_and(|(node, _)| node == victim) {
            return;
        }
        let mut writer = self.nodes.node(taker).data.client().blob_writer(OWNER);
        let half = body.len() / 2;
        let before = writer.push(body.slice(..half)).await;
        self.nodes.kill_and_restart(victim).await;
        let finished = async {
            before?;
            writer.push(body.slice(half..)).await?;
            writer.finish().await
        };
        match finished.await {
            Ok(content) => self.acknowledged(content, body).await,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
    }

    async fn acknowledged(&mut self, content: NewContent, body: Bytes) {
        let mut holders = 0;
        for node in NODES {
            // What is on the drive counts, also of a node that cannot be reached.
            holders += u32::from(is_whole(self.nodes.node(node), &layout_of(&content)).await);
        }
        assert!(holders >= 2, "acknowledged with {holders} durable copies");
        self.pending.push((content, body, self.nodes.passed()));
    }

    fn commit_pending(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let at = self.dice.random_range(0..self.pending.len());
        let (content, body, _) = self.pending.swap_remove(at);
        let key = format!("key {}", self.dice.random_range(0..KEYS));
        let put = PutObject {
            bucket: BucketId(1),
            key: key.clone(),
            condition: WriteCondition::default(),
            content: content.clone(),
            etag: ETag { md5: [0; 16], parts: None },
            checksum: None,
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            random: self.dice.random(),
            quota_bytes: None,
        };
        self.commit(OwnerChange::PutObject(put));
        self.named.insert(key, (content, body));
    }

    fn delete(&mut self) {
        let key = format!("key {}", self.dice.random_range(0..KEYS));
        let delete = DeleteObject {
            key: key.clone(),
            version: VersionSelector::Latest,
            condition: WriteCondition::default(),
            random: self.dice.random(),
        };
        self.commit(OwnerChange::DeleteObjects { bucket: BucketId(1), deletes: vec![delete] });
        self.named.remove(&key);
    }

    /// A majority agrees: at most one node is in trouble.
    fn commit(&mut self, change: OwnerChange) {
        self.commands += 1;
        let mut request = [0; 16];
        request[8..].copy_from_slice(&self.commands.to_be_bytes());
        let change = Change::Owner { owner: OWNER, change };
        let time_ms = 1_000_000 + self.nodes.passed().as_millis() as u64;
        self.nodes.log.append(&Command { request: RequestId(request), retry: false, time_ms, change });
    }

    // ---- trouble ----

    async fn make_trouble(&mut self) {
        if self.trouble.is_some() {
            return;
        }
        let trouble = [Trouble::Down, Trouble::CutOff, Trouble::Lies][self.dice.random_range(0..3)];
        // Of two that are equally near, the first is asked.
        let node = if trouble == Trouble::Lies { NODES[0] } else { self.any_node() };
        match trouble {
            Trouble::Down => self.nodes.network.stop(NodeId(node)),
            Trouble::CutOff => {
                let others = NODES.into_iter().filter(|other| *other != node).map(NodeId);
                self.nodes.network.isolate(NodeId(node), others);
                self.nodes.node(node).replica.cut_off.store(true, Ordering::Relaxed);
            }
            Trouble::Lies => self.nodes.network.serve(NodeId(node), lying(self.nodes.node(node))),
        }
        self.trouble = Some((node, trouble));
        if trouble == Trouble::Lies {
            // Somebody has to ask.
            while self.damage(NODES[1]).await {}
            self.read_all(NODES[1]).await;
        }
    }

    async fn end_trouble(&mut self) {
        let Some((node, trouble)) = self.trouble.take() else { return };
        match trouble {
            Trouble::Down => self.nodes.kill_and_restart(node).await,
            Trouble::CutOff => {
                self.nodes.network.heal_all();
                self.nodes.node(node).replica.cut_off.store(false, Ordering::Relaxed);
            }
            Trouble::Lies => {
                self.nodes.network.serve(NodeId(node), self.nodes.node(node).data.handlers(Handlers::new()));
            }
        }
    }

    async fn restart(&mut self) {
        let node = self.any_node();
        if self.trouble.is_none() {
            self.nodes.kill_and_restart(node).await;
        }
    }

    /// One copy of a blob that two others have whole: so a good one is always left. False if there is none.
    async fn damage(&mut self, node: u64) -> bool {
        let candidates: Vec<(BlobLayout, Bytes)> =
            self.named.values().map(|(content, body)| (layout_of(content), body.clone())).collect();
        for (layout, body) in candidates {
            let blob = layout.blob;
            let mut all_whole = !self.damaged.contains(&blob);
            for node in NODES {
                all_whole &= is_whole(self.nodes.node(node), &layout).await;
            }
            if all_whole {
                let piece = &body[..200];
                self.nodes
                    .node(node)
                    .damage_all(piece, |file, at| file.write_all_at(&[!piece[99]], at + 99).expect("writes"));
                self.damaged.insert(blob);
                return true;
            }
        }
        false
    }

    // ---- what must hold on the way ----

    async fn read(&mut self, node: u64) {
        if self.named.is_empty() || self.is(node, Trouble::Down) {
            return;
        }
        let at = self.dice.random_range(0..self.named.len());
        if let Some((content, body)) = self.named.values().nth(at) {
            self.read_one(node, content, body).await;
        }
    }

    async fn read_all(&self, node: u64) {
        for (content, body) in self.named.values() {
            self.read_one(node, content, body).await;
        }
    }

    async fn read_one(&self, node: u64, content: &NewContent, body: &Bytes) {
        match self.nodes.node(node).read(content, 0..content.bytes).await {
            Ok(read) => assert!(read == *body, "node {node} gave other bytes"),
            Err(error) => {
                let excused = self.trouble.is_some() || self.damaged.contains(&layout_of(content).blob);
                assert!(excused, "three replicas are well: {error}");
            }
        }
    }

    async fn repair(&mut self) {
        let node = self.any_node();
        if !self.is(node, Trouble::Down) {
            repair(self.nodes.node(node)).await;
        }
    }

    /// Never takes what is named, also on a node that has not heard of the name yet.
    async fn sweep(&mut self) {
        let mut id = self.any_node();
        if self.dice.random_range(0..2) == 0 {
            // Long after everything that is there was written, and above all on a node that cannot know what is named.
            self.pass_time(GRACE + Duration::from_secs(1));
            id = self.trouble.map_or(id, |(node, _)| node);
        }
        if self.is(id, Trouble::Down) {
            return;
        }
        let node = self.nodes.node(id);
        // Pending ones may be named at any moment.
        let pending = self.pending.iter().map(|(content, ..)| content);
        let mut whole = Vec::new();
        for layout in self.named.values().map(|(content, _)| content).chain(pending).map(layout_of) {
            if is_whole(node, &layout).await {
                whole.push(layout);
            }
        }
        sweep(node).await;
        for layout in whole {
            assert!(is_whole(node, &layout).await, "the sweep of node {id} took {layout:?}");
        }
    }

    /// A commit comes within half a grace period of its acknowledgement, or never.
    fn pass_time(&mut self, time: Duration) {
        self.nodes.pass_time(time);
        let now = self.nodes.passed();
        self.pending.retain(|(_, _, at)| now - *at < GRACE / 2);
    }

    // ---- the end ----

    async fn heal(&mut self) {
        self.end_trouble().await;
        for node in NODES {
            self.nodes.node(node).replica.apply(usize::MAX);
        }
        // The drives are scrubbed, so that damage that nobody has met is known.
        for node in NODES {
            for (content, _) in self.named.values() {
                let layout = layout_of(content);
                for number in 0..layout.chunks() {
                    let _ = self.nodes.node(node).engine.chunk_store().read_from(layout.blob.chunk(number), 0).await;
                }
            }
        }
        // Longer than any pause between tries.
        for _ in 0..4 {
            self.pass_time(Duration::from_secs(61));
            for node in NODES {
                repair(self.nodes.node(node)).await;
            }
        }
    }

    async fn check_whole(&self) {
        for node in NODES {
            let node = self.nodes.node(node);
            for (key, (content, body)) in &self.named {
                assert!(is_whole(node, &layout_of(content)).await, "{key} is not whole on {:?}", node.id);
                assert!(node.stored(layout_of(content).blob).await == *body, "{key} on {:?}", node.id);
            }
            assert_eq!(node.data.replication_status().repair.queued, 0);
            let is_named = |blob| self.named.values().any(|(content, _)| layout_of(content).blob == blob);
            let damaged = node.engine.chunk_store().damaged();
            assert!(!damaged.iter().any(|damaged| is_named(damaged.chunk.blob())), "{damaged:?}");
        }
    }

    async fn check_nothing_else(&mut self) {
        // Silent writers are closed by one sweep, protected for a grace period more, and then forgotten.
        for _ in 0..4 {
            self.pass_time(GRACE + Duration::from_secs(1));
            for node in NODES {
                sweep(self.nodes.node(node)).await;
            }
        }
        let named: BTreeSet<BlobId> = self.named.values().map(|(content, _)| layout_of(content).blob).collect();
        for node in NODES {
            let stored: BTreeSet<BlobId> = self.nodes.node(node).blobs().await.into_iter().collect();
            assert_eq!(stored, named, "on node {node}");
        }
        self.check_whole().await;
    }
}

async fn is_whole(node: &TestNode, layout: &BlobLayout) -> bool {
    let stored = node.engine.chunk_store().chunks_of(vec![layout.blob]).await.expect("looks").remove(0);
    layout.missing(&stored).is_empty()
}

async fn repair(node: &TestNode) {
    node.data.repairer().add_damaged();
    node.repair().await;
    node.replica.changes.replaced(node.replica.group);
    node.data.passes().pass_of_next_group(&CancellationToken::new()).await;
}

async fn sweep(node: &TestNode) {
    node.data.sweeper().free_due().await;
    node.data.sweeper().pass(&mut None, &CancellationToken::new()).await.expect("passes");
}

/// Serves as the node does, but changes a byte of every chunk that it gives out.
fn lying(node: &TestNode) -> Handlers {
    let honest = node.data.handlers(Handlers::new());
    let pass = |method: Method, changed: bool| {
        let honest = honest.clone();
        move |from: Caller, request: Bytes| -> BoxFuture<'static, crate::error::Result<Payload>> {
            let answer = honest.handle(from, method, request);
            Box::pin(async move {
                let mut bytes = answer.await?.concat();
                if let Some(last) = bytes.last_mut().filter(|_| changed) {
                    *last ^= 1;
                }
                Ok(vec![bytes.into()])
            })
        }
    };
    Handlers::new()
        .with(Method::CHUNK_APPEND, pass(Method::CHUNK_APPEND, false))
        .with(Method::CHUNK_SYNC, pass(Method::CHUNK_SYNC, false))
        .with(Method::CHUNK_READ, pass(Method::CHUNK_READ, true))
}
