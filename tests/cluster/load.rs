//! Load: clients that each do one random S3 operation after the other, on a few keys that several share, through any node.
//! Owns: who asks which node, and which keys are in use. Does not own: what an operation is (`operations`), what became of it (`outcome`).

mod door;
mod ground;
mod operations;
mod outcome;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use aws_sdk_s3::Client;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::JoinHandle;

use crate::checker::{Keeps, Value};
use crate::fleet::Fleet;
use door::Door;
pub use ground::Ground;

/// Buckets, each of another user: half of them keep versions.
const GROUNDS: [(&str, Keeps); 4] = [
    ("plain-one", Keeps::Latest),
    ("versions-one", Keeps::Versions),
    ("plain-two", Keeps::Latest),
    ("versions-two", Keeps::Versions),
];
/// Few, so that clients meet; a new set each round, so that no key's history grows beyond what can be searched.
const KEYS: u32 = 6;
/// Then a round is over in any case.
const ROUND_STEPS: u32 = 3_000;
/// Now and then a node that gave no answer is asked all the same: it might give a wrong one.
const STUBBORN: f64 = 0.2;
const PAUSE: Duration = Duration::from_millis(20);
/// A bucket that is much used holds this many at most.
const VERSIONS_KNOWN_MAX: usize = 200;

type Doors = Arc<RwLock<Vec<Arc<Door>>>>;

pub struct Load {
    pub grounds: Vec<Ground>,
    doors: Doors,
    round: Arc<AtomicU32>,
    /// Of all clients, in all rounds.
    steps: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

/// One client.
struct Worker {
    number: u32,
    ground: Ground,
    doors: Doors,
    clients: HashMap<usize, Client>,
    random: StdRng,
    round: Arc<AtomicU32>,
    steps: Arc<AtomicU32>,
    /// Versions that it wrote in this round, with their ids.
    versions: Vec<(String, Value, String)>,
}

impl Load {
    pub async fn start(fleet: &Fleet, clients: u32, seed: u64) -> Self {
        let mut grounds = Vec::new();
        for (bucket, keeps) in GROUNDS {
            grounds.push(Ground::prepare(fleet, bucket, keeps).await);
        }
        let mut load = Self {
            grounds,
            doors: Doors::default(),
            round: Arc::default(),
            steps: Arc::default(),
            stop: Arc::default(),
            clients: Vec::new(),
        };
        load.use_doors_of(fleet);
        for number in 0..clients {
            let ground = load.grounds[number as usize % load.grounds.len()].clone();
            let worker = load.worker(number, ground, load.doors.clone(), seed.wrapping_add(u64::from(number)));
            load.clients.push(tokio::spawn(worker.run(load.stop.clone())));
        }
        load
    }

    /// Those members and no others are asked from here on.
    pub fn use_doors_of(&self, fleet: &Fleet) {
        let mut doors = self.doors.write().unwrap();
        doors.retain(|door| fleet.members.iter().any(|member| member.number == door.number));
        for member in &fleet.members {
            if !doors.iter().any(|door| door.number == member.number) {
                doors.push(Arc::new(Door::new(member.number, member.s3.clone())));
            }
        }
    }

    /// Before a member leaves for good.
    pub fn close_door(&self, number: usize) {
        self.doors.write().unwrap().retain(|door| door.number != number);
    }

    pub fn next_round(&self) {
        self.round.fetch_add(1, Ordering::SeqCst);
    }

    pub async fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            client.await.unwrap();
        }
    }

    /// Answers that are on record, and requests that got none.
    pub fn count(&self) -> usize {
        self.grounds.iter().map(|ground| ground.recorder.count()).sum()
    }

    /// A client that found something that cannot be has ended.
    pub fn assert_alive(&self) {
        assert!(self.clients.iter().all(|client| !client.is_finished()), "a client gave up: see above");
    }

    /// Reads every key once more, through every node: what clients saw must still be there.
    pub async fn read_all(&self) {
        let doors = self.doors.read().unwrap().clone();
        for (number, door) in doors.into_iter().enumerate() {
            for ground in &self.grounds {
                let only = Arc::new(RwLock::new(vec![door.clone()]));
                let mut reader = self.worker(1000 + number as u32, ground.clone(), only, 0);
                let client = reader.client(&door);
                for key in ground.recorder.keys() {
                    reader.read(&client, &key).await;
                    if ground.keeps == Keeps::Versions {
                        reader.list_versions(&client, &key).await;
                    }
                }
                reader.list(&client, "r").await;
            }
        }
    }

    /// The counters of every bucket are what its listings say, once nothing is half uploaded any more.
    pub async fn assert_counters(&self, fleet: &Fleet) {
        let doors = self.doors.read().unwrap().clone();
        for ground in &self.grounds {
            ground.abort_uploads(&doors[0]).await;
            let (counted, listed) = (ground.counters(fleet), ground.recount(&doors[0]).await);
            assert_eq!(counted, listed, "counters of {}, and what is listed", ground.bucket);
            println!("{}: {counted:?}", ground.bucket);
        }
    }

    fn worker(&self, number: u32, ground: Ground, doors: Doors, seed: u64) -> Worker {
        let (random, clients, versions) = (StdRng::seed_from_u64(seed), HashMap::new(), Vec::new());
        let (round, steps) = (self.round.clone(), self.steps.clone());
        Worker { number, ground, doors, clients, random, round, steps, versions }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
    }
}

impl Worker {
    async fn run(mut self, stop: Arc<AtomicBool>) {
        let mut round = 0;
        while !stop.load(Ordering::SeqCst) {
            if self.steps.fetch_add(1, Ordering::SeqCst) % ROUND_STEPS == ROUND_STEPS - 1 {
                self.round.fetch_add(1, Ordering::SeqCst);
            }
            let now = self.round.load(Ordering::SeqCst);
            if now != round {
                (round, self.versions) = (now, Vec::new());
            }
            let door = self.choose_door();
            if !door.is_open().await {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let client = self.client(&door);
            if !self.step(&client, round).await {
                door.gave_no_answer();
            }
        }
    }

    fn choose_door(&mut self) -> Arc<Door> {
        let doors = self.doors.read().unwrap();
        let good: Vec<_> = doors.iter().filter(|door| !door.is_avoided()).collect();
        if good.is_empty() || self.random.random_bool(STUBBORN) {
            return doors[self.random.random_range(0..doors.len())].clone();
        }
        good[self.random.random_range(0..good.len())].clone()
    }

    fn client(&mut self, door: &Door) -> Client {
        let client = self.clients.entry(door.number).or_insert_with(|| self.ground.client(&door.address));
        client.clone()
    }

    /// Whether every request of it was answered.
    async fn step(&mut self, client: &Client, round: u32) -> bool {
        let key = format!("r{round:05}-k{}", self.random.random_range(0..KEYS));
        match (self.random.random_range(0..100), self.ground.keeps) {
            (0..26, _) => self.put(client, &key).await,
            (26..50, _) => self.read(client, &key).await,
            (50..58, _) => self.head(client, &key).await.1,
            (58..64, _) => self.list(client, &format!("r{round:05}-")).await,
            (64..72, _) => self.delete(client, &key).await,
            (72..80, _) => self.create(client, &key).await,
            (80..88, Keeps::Latest) => self.replace(client, &key).await,
            (80..84, Keeps::Versions) => self.read_version(client).await,
            (84..88, Keeps::Versions) => self.list_versions(client, &key).await,
            (88..91, Keeps::Versions) => self.delete_version(client).await,
            _ => self.upload(client, &key).await,
        }
    }

    /// Mostly inline, some of one chunk, few of two.
    fn bytes(&mut self) -> usize {
        match self.random.random_range(0..1000) {
            0..880 => self.random.random_range(0..8_000),
            880..994 => self.random.random_range(33_000..130_000),
            _ => self.random.random_range(4_190_000..5_000_000),
        }
    }

    fn any_version(&mut self) -> Option<(String, Value, String)> {
        let count = self.versions.len();
        (count > 0).then(|| self.versions[self.random.random_range(0..count)].clone())
    }

    fn learn(&mut self, key: &str, value: Value, version: Option<&str>) {
        let Some(id) = version.filter(|_| self.ground.keeps == Keeps::Versions) else { return };
        self.ground.recorder.learn_version(id, value);
        if self.versions.len() < VERSIONS_KNOWN_MAX {
            self.versions.push((key.to_owned(), value, id.to_owned()));
        }
    }
}
