//! A group is split while it is written to and read, with kills, partitions and restarts at any step: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Cluster, FIRST, Nodes, get, make_bucket, put};
use crate::error::{Error, ErrorKind};
use crate::id::{BucketId, GroupId, NodeId, OwnerKey, RequestId, UserId, VersionId};
use crate::metadata::client::Route;
use crate::metadata::command::{
    Change, Command, NewContent, NodeUpdate, OwnerChange, PutObject, SystemChange, VersionSelector, WriteCondition,
};
use crate::metadata::key::OwnerSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{ETag, NodeState, ObjectHeaders};
use crate::metadata::view::{MetadataView, StoreView};

const LIMIT: Duration = Duration::from_secs(20);
const PARENT: GroupId = GroupId(1);
/// All of them in the first of four groups.
const OWNERS: u64 = 16;
const ALL: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

fn owner(number: u64) -> OwnerKey {
    OwnerKey(number << 58)
}

/// The middle of the parent's range.
fn boundary() -> OwnerKey {
    owner(OWNERS / 2)
}

fn put_change(owner: OwnerKey, bucket: BucketId, key: &str) -> Change {
    let put = PutObject {
        bucket,
        key: key.to_owned(),
        condition: WriteCondition::MustNotExist,
        content: NewContent::empty(),
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        random: 1,
        quota_bytes: None,
    };
    Change::Owner { owner, change: OwnerChange::PutObject(put) }
}

async fn find(cluster: &Cluster, owner: OwnerKey, bucket: BucketId, key: &str) -> Result<Option<VersionId>, Error> {
    let key = key.to_owned();
    let find = move |view: &dyn MetadataView| query::version(view, owner, bucket, &key, VersionSelector::Latest);
    Ok(cluster.metadata().read(Route::Owner(owner), find).await?.map(|(record, _)| record.version))
}

/// Of one state.
async fn find_all<'k>(
    cluster: &Cluster,
    owner: OwnerKey,
    bucket: BucketId,
    keys: impl IntoIterator<Item = &'k String>,
) -> Vec<Option<VersionId>> {
    let keys: Vec<String> = keys.into_iter().cloned().collect();
    let find = move |view: &dyn MetadataView| {
        let of = |key| query::version(view, owner, bucket, key, VersionSelector::Latest);
        keys.iter().map(|key| Ok(of(key)?.map(|(record, _)| record.version))).collect()
    };
    cluster.metadata().read(Route::Owner(owner), find).await.unwrap()
}

impl Nodes {
    /// Three nodes that hold every group; every owner has a bucket.
    async fn three_with_buckets() -> (Self, Vec<BucketId>) {
        let mut nodes = Self::found().await;
        for node in [NodeId(2), NodeId(3)] {
            nodes.admit(node).await;
            nodes.run(node).await;
        }
        nodes.placed_on(&[1, 2, 3]).await;
        let buckets = nodes.make_buckets().await;
        (nodes, buckets)
    }

    async fn make_buckets(&self) -> Vec<BucketId> {
        let mut buckets = Vec::new();
        for number in 0..OWNERS {
            let change = OwnerChange::CreateBucket { name: "bucket".to_owned(), location: String::new() };
            let change = Change::Owner { owner: owner(number), change };
            match self.on(FIRST).metadata().commit(change).await.unwrap() {
                Outcome::BucketCreated { bucket } => buckets.push(bucket),
                other => panic!("{other:?}"),
            }
        }
        buckets
    }

    /// As a kill of the process and its cable.
    async fn kill(&mut self, node: NodeId) {
        self.network.stop(node);
        let image = self.directories[&node].killed();
        self.running.remove(&node).unwrap().stop().await;
        self.directories.insert(node, image);
    }

    fn leader_of(&self, group: GroupId) -> Option<NodeId> {
        let leads = |cluster: &Cluster| cluster.groups().find(group).is_some_and(|group| group.is_leader());
        self.running.iter().find(|(_, cluster)| leads(cluster)).map(|(node, _)| *node)
    }

    async fn wait_for_leader(&self, group: GroupId) -> NodeId {
        self.wait("the group has a leader", || self.leader_of(group).is_some()).await;
        self.leader_of(group).unwrap()
    }

    /// Every running node knows of it, and the child has a leader.
    async fn until_split(&self, child: GroupId) {
        self.wait("the split is published everywhere", || {
            self.running
                .values()
                .all(|cluster| cluster.placement().splits.get(&child).is_some_and(|split| !split.is_under_way()))
        })
        .await;
        self.wait_for_leader(child).await;
    }

    /// The same records of owners on all nodes, once everything is applied everywhere.
    async fn until_equal(&self, among: &[NodeId]) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let all: Vec<_> = among.iter().map(|node| records(self.on(*node))).collect();
            if all.iter().all(|records| *records == all[0]) {
                return;
            }
            assert!(Instant::now() < deadline, "the nodes have different records: {:#?}", self.status());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Records of the owners, as they stand on the drive, whoever decides about them.
fn records(cluster: &Cluster) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let view = StoreView::new(cluster.engine().metadata_store().snapshot());
    let mut records = BTreeMap::new();
    view.scan(OwnerSpace::of_range(owner(0), owner(OWNERS)).bounds(), &mut |key, value| {
        records.insert(key.to_vec(), value.to_vec());
        ControlFlow::Continue(())
    })
    .unwrap();
    records
}

async fn begin_split(cluster: &Cluster, at: OwnerKey) -> GroupId {
    let map = cluster.placement().map.clone();
    let begin = SystemChange::BeginSplit { parent: map.group_of(at), boundary: at, epoch: map.epoch() };
    match cluster.metadata().commit(Change::System(begin)).await.unwrap() {
        Outcome::SplitBegun { child } => child,
        other => panic!("{other:?}"),
    }
}

/// What one writer was told.
#[derive(Default)]
struct Written {
    acknowledged: BTreeMap<String, VersionId>,
    unknown: Vec<String>,
    /// Reads that failed because the node that held the view died.
    unread: u64,
    slowest: Duration,
}

/// One writer for each owner, through all of `clusters` in turn. Now and then each reads what it wrote, on another node.
struct Load {
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Written>>,
}

impl Load {
    /// Keys begin with `prefix`.
    fn start(clusters: &[Cluster], buckets: &[BucketId], prefix: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let writer = |(number, bucket): (u64, &BucketId)| {
            tokio::spawn(write(clusters.to_vec(), number, *bucket, prefix.to_owned(), stop.clone()))
        };
        let writers = (0..).zip(buckets).map(writer).collect();
        Self { stop, writers }
    }

    async fn end(self) -> Vec<Written> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for writer in self.writers {
            all.push(writer.await.unwrap());
        }
        all
    }
}

async fn write(
    clusters: Vec<Cluster>,
    number: u64,
    bucket: BucketId,
    prefix: String,
    stop: Arc<AtomicBool>,
) -> Written {
    let (owner, mut written, mut last) = (owner(number), Written::default(), None);
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (key, cluster) = (format!("{prefix}-{count:06}"), &clusters[(number as usize + count) % clusters.len()]);
        let begun = Instant::now();
        match cluster.metadata().commit(put_change(owner, bucket, &key)).await {
            Ok(Outcome::ObjectWritten(object)) => {
                assert!(last < Some(object.version), "versions go on rising");
                last = Some(object.version);
                written.slowest = written.slowest.max(begun.elapsed());
                if count % 4 == 0 {
                    let elsewhere = &clusters[(number as usize + count + 1) % clusters.len()];
                    match find(elsewhere, owner, bucket, &key).await {
                        Ok(found) => assert_eq!(found, Some(object.version), "a stale read of {key} of {number}"),
                        Err(error) if error.kind() == ErrorKind::Unavailable => written.unread += 1,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                written.acknowledged.insert(key, object.version);
            }
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => written.unknown.push(key),
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    written
}

/// Everything that was acknowledged is there, once, and the counters say so, on every node.
async fn check(nodes: &Nodes, buckets: &[BucketId], written: &[Written]) {
    for cluster in nodes.running.values() {
        for ((number, bucket), written) in (0..).zip(buckets).zip(written) {
            let owner = owner(number);
            let found = find_all(cluster, owner, *bucket, written.acknowledged.keys()).await;
            for ((key, version), found) in written.acknowledged.iter().zip(found) {
                assert_eq!(found, Some(*version), "{key} of owner {number}");
            }
            let perhaps = find_all(cluster, owner, *bucket, &written.unknown).await;
            let there = (written.acknowledged.len() + perhaps.into_iter().flatten().count()) as u64;
            let totals = move |view: &dyn MetadataView| query::owner_totals(view, owner);
            let totals = cluster.metadata().read(Route::Owner(owner), totals).await.unwrap();
            assert_eq!((totals.objects, totals.versions), (there, there), "owner {number}");
        }
    }
}

fn others(node: NodeId) -> [NodeId; 2] {
    let [first, second, third] = ALL;
    if node == first {
        [second, third]
    } else if node == second {
        [first, third]
    } else {
        [first, second]
    }
}

fn slowest(written: &[Written]) -> (Duration, Duration) {
    let slowest = |part: &[Written]| part.iter().map(|written| written.slowest).max().unwrap_or_default();
    let (stay, go) = written.split_at(written.len() / 2);
    (slowest(stay), slowest(go))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_split_while_it_is_written_to() {
    let (nodes, buckets) = Nodes::three_with_buckets().await;
    let load = Load::start(&ALL.map(|node| nodes.on(node).clone()), &buckets, "key");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let child = begin_split(nodes.on(NodeId(2)), boundary()).await;
    assert_eq!(child, GroupId(5));
    nodes.until_split(child).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let written = load.end().await;
    let (stay, go) = slowest(&written);
    let count: usize = written.iter().map(|written| written.acknowledged.len()).sum();
    println!("{count} writes; the slowest of owners that stay {stay:?}, of those that go {go:?}");
    let is_certain = |written: &Written| written.unknown.is_empty() && written.unread == 0;
    assert!(written.iter().all(is_certain), "nothing failed, and nothing was in doubt");
    check(&nodes, &buckets, &written).await;
    nodes.until_equal(&ALL).await;
    for node in ALL {
        let map = nodes.on(node).placement().map.clone();
        assert_eq!((map.epoch(), map.group_of(owner(7)), map.group_of(boundary())), (2, PARENT, child));
    }
    // Again, of both halves; then everybody starts anew.
    let mut nodes = nodes;
    for at in [owner(4), owner(12)] {
        let child = begin_split(nodes.on(FIRST), at).await;
        nodes.until_split(child).await;
    }
    for node in ALL {
        nodes.kill(node).await;
    }
    let begun = Instant::now();
    nodes.run_all(&ALL).await;
    println!("all three are back after {:?}", begun.elapsed());
    check(&nodes, &buckets, &written).await;
    nodes.until_equal(&ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_one_node_is_split_and_the_node_starts_again() {
    let mut nodes = Nodes::found().await;
    let buckets = nodes.make_buckets().await;
    let load = Load::start(&[nodes.on(FIRST).clone()], &buckets, "key");
    let child = begin_split(nodes.on(FIRST), boundary()).await;
    nodes.until_split(child).await;
    let written = load.end().await;
    println!("the slowest of owners that stay and of those that go: {:?}", slowest(&written));
    check(&nodes, &buckets, &written).await;
    let again = SystemChange::BeginSplit { parent: PARENT, boundary: boundary(), epoch: 2 };
    let refused = nodes.on(FIRST).metadata().commit(Change::System(again)).await.unwrap();
    assert_eq!(refused, Outcome::Refused(Refusal::InvalidBoundary));
    nodes.kill(FIRST).await;
    nodes.run(FIRST).await;
    check(&nodes, &buckets, &written).await;
}

/// A node that holds none of the groups routes by a map that may be old, and reads views of others.
#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_notices_nothing_of_a_split() {
    let mut nodes = Nodes::found().await;
    let buckets = nodes.make_buckets().await;
    let outsider = NodeId(2);
    nodes.admit(outsider).await;
    nodes.run(outsider).await;
    assert!(nodes.on(outsider).groups().find(PARENT).is_none());
    let load = Load::start(&[nodes.on(outsider).clone()], &buckets, "key");
    for at in [boundary(), owner(4)] {
        let child = begin_split(nodes.on(outsider), at).await;
        nodes.until_split(child).await;
        assert!(nodes.on(outsider).groups().find(child).is_none());
    }
    let written = load.end().await;
    println!("the slowest of owners that stay and of those that go: {:?}", slowest(&written));
    assert!(written.iter().all(|written| written.unknown.is_empty() && written.unread == 0));
    check(&nodes, &buckets, &written).await;
    let reports = nodes.on(outsider).surveyor().reports().await;
    let owners: Vec<_> =
        reports.iter().map(|report| (report.group.0, report.survey.as_ref().unwrap().load.owners)).collect();
    assert_eq!(owners, [(1, 4), (6, 4), (5, 8), (2, 0), (3, 0), (4, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_straddles_the_split_is_applied_once() {
    let (nodes, buckets) = Nodes::three_with_buckets().await;
    let metadata = nodes.on(FIRST).metadata();
    let mut commands = Vec::new();
    for number in [0, OWNERS - 1] {
        let change = put_change(owner(number), buckets[number as usize], "once");
        let (request, time_ms) = (RequestId(rand::random()), metadata.now_ms());
        let command = Command { request, retry: false, time_ms, change };
        let outcome = metadata.commit_command(command.clone()).await.unwrap();
        assert!(matches!(outcome, Outcome::ObjectWritten(_)), "{outcome:?}");
        commands.push((command, outcome));
    }
    let child = begin_split(nodes.on(FIRST), boundary()).await;
    nodes.until_split(child).await;
    for (command, outcome) in commands {
        let retry = Command { retry: true, ..command };
        for node in ALL {
            let again = nodes.on(node).metadata().commit_command(retry.clone()).await.unwrap();
            assert_eq!(again, outcome, "answered as the first time: the key must not exist, and does");
        }
    }
    // A proposal for the parent about an owner that is gone is refused there, and leaves nothing.
    let leader = nodes.wait_for_leader(PARENT).await;
    let change = put_change(owner(OWNERS - 1), buckets[OWNERS as usize - 1], "never");
    let command = Command { request: RequestId(rand::random()), retry: false, time_ms: metadata.now_ms(), change };
    let refused = nodes.on(leader).groups().get(PARENT).unwrap().propose(command.encode()).await.unwrap();
    assert_eq!(refused, Outcome::Refused(Refusal::OwnerElsewhere));
}

async fn a_follower_is_cut_off(purge: bool) {
    let (nodes, buckets) = Nodes::three_with_buckets().await;
    let load = Load::start(&ALL.map(|node| nodes.on(node).clone()), &buckets, "key");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut written = load.end().await;
    let leader = nodes.wait_for_leader(PARENT).await;
    let away = ALL.into_iter().rev().find(|node| *node != leader).unwrap();
    let others = others(away);
    nodes.network.isolate(away, others);
    nodes
        .wait("the others have leaders", || {
            let groups = [GroupId::SYSTEM, PARENT];
            groups.iter().all(|group| nodes.leader_of(*group).is_some_and(|leader| leader != away))
        })
        .await;
    let child = begin_split(nodes.on(others[0]), boundary()).await;
    let deadline = Instant::now() + LIMIT;
    while nodes.on(others[0]).placement().split_under_way().is_some()
        || nodes.on(others[0]).placement().splits.is_empty()
    {
        assert!(Instant::now() < deadline, "the split goes on without the third");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (number, bucket) in (0..OWNERS).zip(&buckets) {
        let change = put_change(owner(number), *bucket, "later");
        match nodes.on(others[1]).metadata().commit(change).await.unwrap() {
            Outcome::ObjectWritten(object) => {
                written[number as usize].acknowledged.insert("later".to_owned(), object.version)
            }
            other => panic!("{other:?}"),
        };
    }
    let behind = nodes.on(away).groups().get(PARENT).unwrap();
    assert_eq!(behind.owners(), None, "it does not know of the split");
    assert!(nodes.on(away).groups().find(child).is_none());
    if purge {
        for node in &others {
            let parent = nodes.on(*node).groups().get(PARENT).unwrap();
            let applied = parent.status().applied_index.unwrap();
            parent.purge_through(applied, LIMIT).await.unwrap();
        }
    }
    nodes.network.heal_all();
    nodes.wait("the third has the child", || nodes.on(away).groups().find(child).is_some()).await;
    nodes.until_split(child).await;
    check(&nodes, &buckets, &written).await;
    nodes.until_equal(&ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_was_away_gets_the_split_from_the_log() {
    a_follower_is_cut_off(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_was_away_gets_both_groups_as_snapshots() {
    a_follower_is_cut_off(true).await;
}

/// The leader of the group dies at some moment of the split, which the next one brings to an end.
#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_killed_at_any_step() {
    let (mut nodes, buckets) = Nodes::three_with_buckets().await;
    let mut all: Vec<Written> = (0..OWNERS).map(|_| Written::default()).collect();
    for (round, after_ms) in [0, 20, 40, 60, 80, 110, 150, 250].into_iter().enumerate() {
        let at = owner(2 * round as u64 + 1);
        let parent = nodes.on(FIRST).placement().map.group_of(at);
        let victim = nodes.wait_for_leader(parent).await;
        let others = others(victim);
        let load = Load::start(&others.map(|node| nodes.on(node).clone()), &buckets, &format!("round-{round}"));
        let child = begin_split(nodes.on(others[0]), at).await;
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        nodes.kill(victim).await;
        nodes.until_split(child).await;
        let written = load.end().await;
        nodes.run(victim).await;
        nodes.until_split(child).await;
        println!("killed after {after_ms} ms: {:?}", slowest(&written));
        for (sum, written) in all.iter_mut().zip(written) {
            sum.acknowledged.extend(written.acknowledged);
            sum.unknown.extend(written.unknown);
        }
    }
    check(&nodes, &buckets, &all).await;
    nodes.until_equal(&ALL).await;
}

/// Everything is still there after all nodes died in the middle of a split, which goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_killed_at_any_step() {
    let (mut nodes, buckets) = Nodes::three_with_buckets().await;
    for (round, after_ms) in [0, 30, 60, 90, 120].into_iter().enumerate() {
        let at = owner(3 * round as u64 + 1);
        let key = format!("round {round}");
        let mut versions = Vec::new();
        for (number, bucket) in (0..OWNERS).zip(&buckets) {
            match nodes.on(FIRST).metadata().commit(put_change(owner(number), *bucket, &key)).await.unwrap() {
                Outcome::ObjectWritten(object) => versions.push(object.version),
                other => panic!("{other:?}"),
            }
        }
        let child = begin_split(nodes.on(NodeId(3)), at).await;
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        for node in ALL {
            nodes.kill(node).await;
        }
        nodes.run_all(&ALL).await;
        nodes.until_split(child).await;
        for node in ALL {
            for ((number, bucket), version) in (0..OWNERS).zip(&buckets).zip(&versions) {
                let found = find(nodes.on(node), owner(number), *bucket, &key).await.unwrap();
                assert_eq!(found, Some(*version), "owner {number}, killed after {after_ms} ms");
            }
        }
    }
    nodes.until_equal(&ALL).await;
}

/// A node that had nothing of the group gets both halves, by snapshots: the early log of the parent is not for it.
#[tokio::test(flavor = "multi_thread")]
async fn both_halves_move_to_a_new_node() {
    let (mut nodes, buckets) = Nodes::three_with_buckets().await;
    let load = Load::start(&ALL.map(|node| nodes.on(node).clone()), &buckets, "key");
    let child = begin_split(nodes.on(FIRST), boundary()).await;
    nodes.until_split(child).await;
    let written = load.end().await;
    // Bytes go with their owner, wherever a group ends.
    let roots = make_bucket(nodes.on(FIRST)).await;
    let body = bytes::Bytes::from(vec![7; 5_000_000]);
    put(nodes.on(FIRST), roots, "large", &body).await.unwrap();
    let of_root = begin_split(nodes.on(FIRST), UserId::ROOT.owner_key()).await;
    nodes.until_split(of_root).await;
    assert_eq!(get(nodes.on(NodeId(3)), roots, "large").await.unwrap(), body);
    nodes.admit(NodeId(4)).await;
    nodes.run(NodeId(4)).await;
    let update = NodeUpdate { state: Some(NodeState::Draining), ..NodeUpdate::default() };
    let drain = SystemChange::UpdateNode { node: NodeId(3), update };
    assert_eq!(nodes.on(FIRST).metadata().commit(Change::System(drain)).await.unwrap(), Outcome::Done);
    nodes.placed_on(&[1, 2, 4]).await;
    assert_eq!(get(nodes.on(NodeId(4)), roots, "large").await.unwrap(), body);
    check(&nodes, &buckets, &written).await;
    nodes.until_equal(&[NodeId(1), NodeId(2), NodeId(4)]).await;
    nodes
        .wait("the drained node has given the groups away", || nodes.on(NodeId(3)).groups().find(child).is_none())
        .await;
    nodes.wait("its records are gone", || records(nodes.on(NodeId(3))).is_empty()).await;
}
