//! Proof: what clients of a cluster saw, under faults and while it changes its members, is what one correct store would have shown.
//! Owns: a fleet under load from its first request to the judgement. Does not own: what is done to it (the tests beside).

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::block_in_place;

use crate::faults::Fault;
use crate::fleet::Fleet;
use crate::load::Load;

const CLIENTS: u32 = 12;
/// Too little load finds nothing.
const OPERATIONS_MIN: usize = 300;
/// What was asked before the last fault ended has happened by then, or never will.
const LAST_LOAD: Duration = Duration::from_secs(3);

pub struct Proof {
    // Clients go before their nodes do.
    pub load: Load,
    pub fleet: Fleet,
    pub random: StdRng,
    /// When the last round began, and how much had been done.
    mark: (Instant, usize),
}

impl Proof {
    /// With the seed of `ONGGI_TEST_SEED`, or one that is printed.
    pub async fn begin(found: impl FnOnce() -> Fleet) -> Self {
        let seed = std::env::var("ONGGI_TEST_SEED").ok().map_or_else(rand::random, |seed| seed.parse().unwrap());
        println!("ONGGI_TEST_SEED={seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let fleet = block_in_place(found);
        let load = Load::start(&fleet, CLIENTS, random.random()).await;
        Self { load, fleet, random, mark: (Instant::now(), 0) }
    }

    /// New keys, and load on them before anything is done.
    pub async fn next_round(&mut self) {
        self.load.next_round();
        self.pause(300..1200).await;
        self.load.assert_alive();
        self.mark = (Instant::now(), self.load.count());
    }

    /// `false`: this machine cannot do that.
    pub fn harm(&mut self, fault: Fault) -> bool {
        block_in_place(|| fault.inject(&mut self.fleet))
    }

    pub fn heal(&mut self, harm: &str) {
        let (begun, before) = self.mark;
        let (harmed, meanwhile) = (begun.elapsed(), self.load.count() - before);
        block_in_place(|| self.fleet.heal());
        println!("{harm} for {harmed:.1?}, {meanwhile} operations meanwhile");
    }

    /// Something is done to the fleet while clients go on.
    pub fn under_load<T>(&mut self, what: &str, work: impl FnOnce(&mut Fleet) -> T) -> T {
        let (begun, before) = (Instant::now(), self.load.count());
        let done = block_in_place(|| work(&mut self.fleet));
        self.load.assert_alive();
        println!("{what}: {:.1?}, {} operations meanwhile", begun.elapsed(), self.load.count() - before);
        done
    }

    pub async fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(milliseconds))).await;
    }

    /// Heals, reads all once more through every node, and judges.
    pub async fn judge(mut self) {
        block_in_place(|| self.fleet.heal());
        self.load.next_round();
        tokio::time::sleep(LAST_LOAD).await;
        self.load.stop().await;
        block_in_place(|| self.fleet.wait_until_available());
        self.load.read_all().await;
        for ground in &self.load.grounds {
            let begun = Instant::now();
            match block_in_place(|| ground.recorder.check()) {
                Ok(checked) => println!("{}: {checked:?} in {:.1?}", ground.bucket, begun.elapsed()),
                Err(violation) => panic!("{}: {violation}", ground.bucket),
            }
        }
        self.load.assert_counters(&self.fleet).await;
        println!("{} operations checked, 0 violations", self.load.count());
        assert!(self.load.count() > OPERATIONS_MIN, "too little load to find anything: {}", self.load.count());
        block_in_place(|| self.fleet.members.iter_mut().for_each(|member| member.stop()));
        self.fleet.assert_no_alarms();
    }
}

/// `ONGGI_TEST_ROUNDS`, or what suits `make test`.
pub fn rounds(short: usize) -> usize {
    std::env::var("ONGGI_TEST_ROUNDS").ok().map_or(short, |rounds| rounds.parse().unwrap())
}
