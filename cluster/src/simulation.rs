//! Simulation: whole clusters on one thread, from a seed. The nodes are real: groups, metadata, placement, mover and data path; network,
//! disks, databases and time are in memory. Clients work through all nodes while things go wrong; then all is made well again.
//! Same seed, same run.
//!
//! The seed of a run that failed is in its message, with what happened before: `ONGGI_TEST_SEED` repeats it, `ONGGI_TEST_SEEDS` makes
//! more runs (`make simulate`). docs/testing.md says what is looked for, and which planted faults were found.

mod client;
mod clock;
mod dice;
mod invariants;
mod journal;
mod node;
mod trouble;
mod world;

/// The judge of what clients saw is the one of the tests with real processes.
#[path = "../../tests/cluster"]
mod shared {
    pub mod checker;
}
use shared::checker;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use onggi_storage_engine::env::simulation;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use self::client::{Client, Records};
use self::trouble::{Allowed, make_trouble};
use self::world::{World, lock};
use crate::peer::memory::Calls;

const SEEDS: u64 = 40;
const CLIENTS: u32 = 4;
const TROUBLE: Duration = Duration::from_secs(25);
/// Of what happened before a failure, this much is shown.
const EVENTS_SHOWN: usize = 150;
const SEED_OF_ONE_RUN: &str = "ONGGI_SIMULATION_SEED";

/// What a run came to: equal only if everything happened in the same way.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    calls: Calls,
    operations: usize,
    events: Vec<String>,
}

#[derive(Clone, Copy)]
struct Scenario {
    nodes: u64,
    groups: u32,
    allowed: Allowed,
}

impl Scenario {
    fn of_seed(seed: u64) -> Self {
        Self { nodes: [3, 3, 4, 5][(seed % 4) as usize], groups: 1 + (seed / 4 % 3) as u32, allowed: Allowed::ALL }
    }
}

fn run(seed: u64, scenario: Scenario) -> Ending {
    // Shown if it fails.
    let world: Arc<std::sync::Mutex<Option<World>>> = Arc::default();
    let ending = catch_unwind(AssertUnwindSafe(|| {
        simulation::run(seed, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(simulate(seed, scenario, &world))
        })
    }));
    ending.unwrap_or_else(|panic| {
        let events = lock(&world).as_ref().map(World::events).unwrap_or_default();
        let shown = events.len().saturating_sub(EVENTS_SHOWN);
        println!("{}", events[shown..].join("\n"));
        resume_unwind(panic)
    })
}

async fn simulate(seed: u64, scenario: Scenario, shown: &std::sync::Mutex<Option<World>>) -> Ending {
    let _journal = journal::begin();
    let world = World::found(seed, scenario.nodes, scenario.groups).await;
    *lock(shown) = Some(world.clone());
    let records = Records::new();
    let life = live(seed, scenario, &world, &records);
    tokio::select! {
        biased;
        () = invariants::watch(world.clone()) => {}
        () = life => {}
    }
    let history = records.history();
    if let Err(violation) = checker::check(&history) {
        panic!("{violation}");
    }
    let ending =
        Ending { calls: world.network().calls(), operations: history.operations.len(), events: world.events() };
    for (_, up) in world.up() {
        up.cluster.stop().await;
    }
    ending
}

/// Trouble, and everything until all is well.
async fn live(seed: u64, scenario: Scenario, world: &World, records: &Arc<Records>) {
    let client = |number| Client::new(seed, number, world.clone(), records.clone());
    let stop = CancellationToken::new();
    let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(client(number).run(stop.clone()))).collect();
    make_trouble(world.clone(), scenario.allowed, TROUBLE).await;
    world.heal().await;
    stop.cancel();
    for client in clients {
        passed_on(client.await);
    }
    invariants::converge(world).await;
    for (_, up) in world.up() {
        client(CLIENTS).read_all(&up).await;
    }
}

/// A check that failed in a task fails the simulation.
fn passed_on(ended: std::result::Result<(), JoinError>) {
    match ended {
        Err(ended) if ended.is_panic() => resume_unwind(ended.into_panic()),
        _ => {}
    }
}

/// What a run in a process of its own came to: tokio draws random numbers that differ from one runtime of a process to the next.
fn run_apart(seed: u64) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this is a test binary"));
    command
        .args(["--exact", "simulation::one_run", "--nocapture", "--test-threads=1"])
        .env(SEED_OF_ONE_RUN, seed.to_string());
    let output = command.output().expect("starts");
    let [said, failed] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{failed}{said}\nfailed with ONGGI_TEST_SEED={seed}");
    said.lines().find(|line| line.starts_with("Ending")).expect("an ending").to_owned()
}

/// Does nothing unless `run_apart` asks for it.
#[test]
fn one_run() {
    if let Some(seed) = number(SEED_OF_ONE_RUN) {
        println!("\n{:?}", run(seed, Scenario::of_seed(seed)));
    }
}

#[test]
fn the_same_seed_ends_in_the_same_way() {
    for seed in [1, 2, 3] {
        let ends = [(); 2].map(|()| run_apart(seed));
        assert_eq!(ends[0], ends[1], "seed {seed}");
    }
}

#[test]
fn without_trouble_everything_is_answered() {
    let ending = run(1, Scenario { nodes: 3, groups: 2, allowed: Allowed::NOTHING });
    assert!(ending.operations > 100, "{}", ending.operations);
    assert!(!ending.events.iter().any(|event| event.contains("Unknown")), "{:#?}", ending.events);
}

#[test]
fn whatever_happens_nothing_acknowledged_is_lost_and_all_is_well_in_the_end() {
    let seeds = match number("ONGGI_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("ONGGI_TEST_SEEDS").unwrap_or(SEEDS) + 1,
    };
    let (next, processors) = (AtomicU64::new(seeds.start), available_parallelism().map_or(1, NonZero::get));
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed)) {
                    run_apart(seed);
                }
            });
        }
    });
    println!("{} seeds, nothing found", seeds.end - seeds.start);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
