//! Trouble: what goes wrong, and when. Drawn from the seed, one thing after the other, often before the last one is over.
//! Does not own: what must hold nevertheless (`invariants`).

use std::time::Duration;

use onggi_storage_engine::env::simulated_disk::Crash;

use super::node::{CLOCK_WRONG_MAX_MS, RESERVE, SYNC_TIME, Up};
use super::world::{QUICK, World};
use crate::id::{GroupId, NodeId};
use crate::metadata::command::{Change, NodeUpdate, SystemChange};
use crate::metadata::record::NodeState;

/// Members at a time.
const NODES_MAX: usize = 6;
/// So often a removal is tried, once a second.
const REMOVALS_MAX: u32 = 15;

/// What may happen in a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    pub crashes: bool,
    pub network: bool,
    pub clocks: bool,
    pub members: bool,
    pub groups: bool,
    pub drives: bool,
}

impl Allowed {
    pub const ALL: Self =
        Self { crashes: true, network: true, clocks: true, members: true, groups: true, drives: true };
    pub const NOTHING: Self =
        Self { crashes: false, network: false, clocks: false, members: false, groups: false, drives: false };
}

/// Makes trouble for `time`.
pub async fn make_trouble(world: World, allowed: Allowed, time: Duration) {
    let end = world.passed() + time;
    while world.passed() < end {
        pause(&world, 100..1500).await;
        match world.roll(0..26) {
            0..3 if allowed.crashes => crash(&world, &[any(&world)]),
            3 if allowed.crashes => {
                let all = world.known();
                crash(&world, &all);
            }
            4 if allowed.crashes => restart(&world),
            5 if allowed.crashes => slow_disk(&world),
            6 if allowed.crashes => flush(&world),
            7..9 if allowed.network => isolate(&world),
            9..11 if allowed.network => cut_one_way(&world),
            11 if allowed.network => tear_apart(&world),
            12 if allowed.network => bad_network(&world),
            13 | 14 if allowed.clocks => {
                let (node, wrong) = (any(&world), world.roll(0..2 * CLOCK_WRONG_MAX_MS as u64));
                let wrong_by_ms = wrong as i64 - CLOCK_WRONG_MAX_MS;
                world.note(|| format!("the clock of node {} is wrong by {wrong_by_ms} ms", node.0));
                if let Some(node) = world.nodes().get(&node) {
                    node.clock.jump(wrong_by_ms);
                }
            }
            15 if allowed.members => join(&world),
            16 if allowed.members => drain(&world),
            17 if allowed.members => weigh(&world),
            18 | 25 if allowed.members => leave(&world),
            19 if allowed.members => move_to_zone(&world),
            20..22 if allowed.groups => split_group(&world),
            22 if allowed.drives => fill_drive(&world),
            23 | 24 if allowed.network => depose(&world),
            _ => {}
        }
    }
}

fn any(world: &World) -> NodeId {
    let nodes = world.known();
    nodes[world.roll(0..nodes.len() as u64) as usize]
}

fn pause(world: &World, ms: std::ops::Range<u64>) -> impl Future<Output = ()> + use<> {
    tokio::time::sleep(Duration::from_millis(world.roll(ms)))
}

/// Does it, and takes it back later.
fn for_a_while(world: &World, ms: std::ops::Range<u64>, take_back: impl FnOnce(&World) + Send + 'static) {
    let (over, world) = (pause(world, ms), world.clone());
    tokio::spawn(async move {
        over.await;
        take_back(&world);
    });
}

fn crash(world: &World, nodes: &[NodeId]) {
    for node in nodes.iter().copied() {
        let crash = Crash::ALL[world.roll(0..Crash::ALL.len() as u64) as usize];
        world.note(|| format!("node {} crashes: {crash:?}", node.0));
        world.end(node, crash);
        for_a_while(world, 10..4000, move |world| world.start(node));
    }
}

fn restart(world: &World) {
    let (node, world) = (any(world), world.clone());
    world.note(|| format!("node {} is restarted", node.0));
    tokio::spawn(async move {
        world.stop(node).await;
        world.start(node);
    });
}

fn slow_disk(world: &World) {
    let (node, time) = (any(world), Duration::from_millis(world.roll(20..800)));
    let set = move |world: &World, time| {
        if let Some(node) = world.nodes().get(&node) {
            node.database.set_sync_time(time);
        }
    };
    world.note(|| format!("a sync of node {} takes {time:?}", node.0));
    set(world, time);
    for_a_while(world, 500..4000, move |world| set(world, SYNC_TIME));
}

/// RocksDB flushes when it likes to.
fn flush(world: &World) {
    let node = any(world);
    let Some(up) = world.nodes().get(&node).and_then(|node| node.up().cloned()) else { return };
    world.note(|| format!("node {} flushes", node.0));
    tokio::spawn(async move { up.cluster.engine().metadata_store().flush().await });
}

fn isolate(world: &World) {
    let node = any(world);
    world.note(|| format!("node {} is cut off", node.0));
    world.network().isolate(node, world.known().into_iter().filter(|other| *other != node));
    for_a_while(world, 200..5000, |world| world.network().heal_all());
}

fn cut_one_way(world: &World) {
    let (node, others) = (any(world), world.known());
    let hears = world.roll(0..2) == 0;
    world.note(|| format!("node {} {}", node.0, if hears { "hears, and is not heard" } else { "is deaf" }));
    for other in others.into_iter().filter(|other| *other != node) {
        let (from, to) = if hears { (node, other) } else { (other, node) };
        world.network().cut(from, to);
    }
    for_a_while(world, 200..5000, |world| world.network().heal_all());
}

fn tear_apart(world: &World) {
    let sides = world.roll(0..u64::MAX);
    let (one, other): (Vec<NodeId>, Vec<NodeId>) = world.known().into_iter().partition(|node| sides >> node.0 & 1 == 0);
    world.note(|| format!("{one:?} and {other:?} are apart"));
    one.iter().for_each(|node| world.network().isolate(*node, other.iter().copied()));
    for_a_while(world, 200..5000, |world| world.network().heal_all());
}

/// Somebody else leads while it still believes that it does.
fn depose(world: &World) {
    let leaders: Vec<NodeId> = world.up().into_iter().filter(|(id, up)| leads(*id, up)).map(|(id, _)| id).collect();
    if leaders.is_empty() {
        return;
    }
    let leader = leaders[world.roll(0..leaders.len() as u64) as usize];
    world.note(|| format!("node {}, a leader, is cut off", leader.0));
    world.network().isolate(leader, world.known().into_iter().filter(|other| *other != leader));
    for_a_while(world, 2000..8000, |world| world.network().heal_all());
}

fn leads(id: NodeId, up: &Up) -> bool {
    up.cluster.status().groups.iter().any(|status| status.leader == Some(id) && status.group != GroupId::SYSTEM)
}

fn fill_drive(world: &World) {
    let node = any(world);
    // With room for deletes, with room for votes only, without any.
    let free_bytes = [RESERVE.store_bytes, RESERVE.change_bytes, 0][world.roll(0..3) as usize].saturating_sub(1);
    let leave_room = move |world: &World, free_bytes| {
        if let Some(node) = world.nodes().get(&node) {
            node.leave_room(free_bytes);
        }
    };
    world.note(|| format!("the drive of node {} has {free_bytes} bytes left", node.0));
    leave_room(world, Some(free_bytes));
    for_a_while(world, 1000..6000, move |world| leave_room(world, None));
}

fn bad_network(world: &World) {
    let (lost, doubled) = (world.roll(0..300) as u32, world.roll(0..200) as u32);
    let slowest = Duration::from_millis(world.roll(10..400));
    world.note(|| format!("{lost} ‰ of messages are lost, {doubled} ‰ doubled, all late by up to {slowest:?}"));
    world.network().set_lost_per_mille(lost);
    world.network().set_doubled_per_mille(doubled);
    world.network().set_delay(*QUICK.start()..=slowest);
    for_a_while(world, 500..4000, |world| {
        world.network().set_lost_per_mille(0);
        world.network().set_doubled_per_mille(0);
        world.network().set_delay(QUICK);
    });
}

// ---- members ----

/// Through any node that is up; what could not be done is not tried again.
fn through_any<F: Future<Output = ()> + Send + 'static>(
    world: &World,
    work: impl FnOnce(World, crate::cluster::Cluster) -> F,
) {
    let up = world.up();
    if up.is_empty() {
        return;
    }
    let (_, through) = up[world.roll(0..up.len() as u64) as usize].clone();
    tokio::spawn(work(world.clone(), through.cluster));
}

fn join(world: &World) {
    let next = world.next_number();
    if world.known().len() >= NODES_MAX {
        return;
    }
    world.note(|| format!("node {} joins", next.0));
    through_any(world, move |world, through| async move {
        if world.admit(&through, next).await {
            world.start(next);
        }
    });
}

/// Now and then one that drains is called back.
fn drain(world: &World) {
    let node = any(world);
    let state = if world.roll(0..3) == 0 { NodeState::Active } else { NodeState::Draining };
    world.note(|| format!("node {} is to be {state:?}", node.0));
    through_any(world, move |world, through| async move {
        world.update(&through, node, NodeUpdate { state: Some(state), ..NodeUpdate::default() }).await;
    });
}

/// Refused until it is empty, and if it is called back.
fn leave(world: &World) {
    let up = world.up();
    let Some((_, first)) = up.first() else { return };
    let placement = first.cluster.placement();
    let draining = placement.nodes.values().find(|record| record.state == NodeState::Draining);
    let Some(node) = draining.map(|record| record.node) else { return };
    world.note(|| format!("node {} shall be removed", node.0));
    through_any(world, move |world, through| async move {
        for _ in 0..REMOVALS_MAX {
            let removed = NodeUpdate { state: Some(NodeState::Removed), ..NodeUpdate::default() };
            if world.update(&through, node, removed).await {
                return world.bury(node);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
}

fn move_to_zone(world: &World) {
    let (node, zone) = (any(world), ["", "east", "west", "north"][world.roll(0..4) as usize]);
    world.note(|| format!("node {} is in the zone {zone:?}", node.0));
    through_any(world, move |world, through| async move {
        world.update(&through, node, NodeUpdate { zone: Some(zone.to_owned()), ..NodeUpdate::default() }).await;
    });
}

/// In front of any owner. Refused where a group begins, and while another one is split.
fn split_group(world: &World) {
    let owners = world.owners();
    let boundary = owners[world.roll(0..owners.len() as u64) as usize].owner;
    through_any(world, move |world, through| async move {
        let map = through.placement().map.clone();
        let begin = SystemChange::BeginSplit { parent: map.group_of(boundary), boundary, epoch: map.epoch() };
        if let Ok(begun) = through.metadata().commit(Change::System(begin)).await {
            world.note(|| format!("a split before {boundary:?}: {begun:?}"));
        }
    });
}

fn weigh(world: &World) {
    let (node, weight) = (any(world), [0, 50, 100, 100, 300][world.roll(0..5) as usize]);
    world.note(|| format!("node {} shall weigh {weight}", node.0));
    through_any(world, move |world, through| async move {
        world.update(&through, node, NodeUpdate { weight: Some(weight), ..NodeUpdate::default() }).await;
    });
}
