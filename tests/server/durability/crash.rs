//! Crash: the node dies under load, again and again, on one data directory; after each start everything that was acknowledged
//! is there, nothing else is, and all of it agrees.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use futures::future::join_all;
use http::{Request, StatusCode};
use http_body_util::Full;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::drive::Drive;
use super::outcome::Harm;
use super::race::Races;
use super::verify::verify;
use super::writer::{PLAIN, VERSIONED, Writer};
use crate::http::{get, send};
use crate::node::{ACCESS_KEY, Node, SECRET_KEY, server};
use crate::s3_client::client_with;

const WRITERS: u64 = 6;
const KILLS: u32 = 16;
const POWER_LOSSES: u32 = 8;
/// Chunks without a name are swept while the test runs; the longest load is far shorter than the grace.
const FLAGS: [&str; 8] = [
    "--set",
    "storage.sweep_grace=20s",
    "--set",
    "storage.sweep_interval=1s",
    "--set",
    "observability.access_log=false",
    "--log",
    "warn",
];

/// What survives the crashes: the writers and their memory.
struct Run {
    random: StdRng,
    writers: Vec<Writer>,
    at_work: Vec<JoinHandle<Writer>>,
    races: Races,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Crash {
    Kill,
    PowerLoss,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let directory = TempDir::new().unwrap();
    let mut run = Run::new();
    run.set_up(&directory.path().join("data")).await.kill();
    for round in 0..rounds(KILLS) {
        let (node, harm) = run.round(round, &directory.path().join("data")).await;
        harm.begins();
        node.kill();
        run.settle().await;
    }
    run.last_start(&directory.path().join("data")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_power_is() {
    let Some(drive) = Drive::new(8 << 30) else { return };
    let data_dir = drive.path().join("data");
    let mut run = Run::new();
    let node = run.set_up(&data_dir).await;
    drive.lose_power();
    node.kill();
    drive.regain_power();
    for round in 0..rounds(POWER_LOSSES) {
        let (node, harm) = run.round(round, &data_dir).await;
        harm.begins();
        // What a kill leaves in the page cache, and what was read from it after the restart, must not vanish with the power later.
        let crash = if run.random.random_ratio(1, 3) { Crash::Kill } else { Crash::PowerLoss };
        if crash == Crash::PowerLoss {
            harm.takes_power();
            drive.lose_power();
            // The process goes on for a while: what it still writes must do no harm.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        node.kill();
        run.settle().await;
        if crash == Crash::PowerLoss {
            drive.regain_power();
        }
    }
    run.last_start(&data_dir).await;
}

/// A drive that refuses a sync is never trusted again by this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    let Some(drive) = Drive::new(8 << 30) else { return };
    let data_dir = drive.path().join("data");
    let node = Run::new().set_up(&data_dir).await;
    // Not on the drive: what the client needs to trust the web port.
    let authority = TempDir::new().unwrap();
    let authority = authority.path().join("ca.pem");
    std::fs::copy(node.authority(), &authority).unwrap();
    let client = client_of(&node);
    let put = |key: &str, bytes: usize| client.put_object().bucket(PLAIN).key(key).body(vec![7; bytes].into()).send();
    put("before", 100_000).await.unwrap();
    drive.lose_power();
    for bytes in [10, 100_000] {
        let refused = put("after", bytes).await.unwrap_err();
        let status = refused.raw_response().unwrap().status().as_u16();
        assert!(matches!(status, 500 | 503), "{status}: {refused:?}");
        let ready = Request::get(format!("{}/readyz", node.web)).body(Full::default()).unwrap();
        let ready = send(&[&authority], ready).await.unwrap();
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    client.delete_object().bucket(PLAIN).key("before").send().await.unwrap_err();
    node.kill();
    drive.regain_power();

    let node = Node::start_in(&data_dir, &FLAGS);
    assert_eq!(get(&node, &format!("{}/readyz", node.web)).await.unwrap().status(), StatusCode::OK);
    let client = client_of(&node);
    let keys = client.list_objects_v2().bucket(PLAIN).send().await.unwrap();
    let keys: Vec<_> = keys.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["before"]);
    client.put_object().bucket(PLAIN).key("after").send().await.unwrap();
}

impl Run {
    fn new() -> Self {
        let seed = std::env::var("ONGGI_TEST_SEED").ok().map_or_else(rand::random, |seed| seed.parse().unwrap());
        println!("ONGGI_TEST_SEED={seed}");
        Self { random: StdRng::seed_from_u64(seed), writers: Vec::new(), at_work: Vec::new(), races: Races::default() }
    }

    /// The first start, and an acknowledged bucket of each kind.
    async fn set_up(&mut self, data_dir: &Path) -> Node {
        let node = Node::start_in(data_dir, &FLAGS);
        let client = client_of(&node);
        client.create_bucket().bucket(PLAIN).send().await.unwrap();
        client.create_bucket().bucket(VERSIONED).send().await.unwrap();
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        client.put_bucket_versioning().bucket(VERSIONED).versioning_configuration(enabled).send().await.unwrap();
        self.writers = (0..WRITERS)
            .map(|number| Writer::new(format!("w{number}"), client.clone(), self.races.clone(), self.random.random()))
            .collect();
        node
    }

    /// Starts, verifies what the last crash left, and returns in the middle of new load.
    async fn round(&mut self, round: u32, data_dir: &Path) -> (Node, Harm) {
        if self.random.random_ratio(1, 4) {
            // A crash at any point of a start must not matter either.
            let mut child = server(data_dir).stdout(std::process::Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(self.random.random_range(1..1500))).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let node = Node::start_in(data_dir, &FLAGS);
        let client = client_of(&node);
        let harm = Harm::default();
        for writer in &mut self.writers {
            writer.client = client.clone();
            writer.harm = harm.clone();
        }
        verify(&node, &client, &mut self.writers, &self.races).await;
        self.at_work = self.writers.drain(..).map(|writer| tokio::spawn(writer.run(round))).collect();
        // Now and then at once: what the verification just read must stay.
        let load_ms = if self.random.random_ratio(1, 6) { 0 } else { self.random.random_range(100..2500) };
        tokio::time::sleep(Duration::from_millis(load_ms)).await;
        let ended = self.at_work.iter().filter(|writer| writer.is_finished()).count();
        // A writer ends when a request fails: while the node is alive, none may.
        assert_eq!(ended, 0, "round {round}: writers ended within {load_ms} ms, at a node that was alive");
        (node, harm)
    }

    /// All writers, once they found that the node is gone.
    async fn settle(&mut self) {
        for writer in join_all(self.at_work.drain(..)).await {
            self.writers.push(writer.unwrap());
        }
    }

    /// After the last crash, and after a clean stop.
    async fn last_start(&mut self, data_dir: &Path) {
        for _ in 0..2 {
            let node = Node::start_in(data_dir, &FLAGS);
            let client = client_of(&node);
            for writer in &mut self.writers {
                writer.client = client.clone();
            }
            verify(&node, &client, &mut self.writers, &self.races).await;
            assert!(node.terminate().success());
        }
        let acknowledged: u64 = self.writers.iter().map(|writer| writer.acknowledged).sum();
        println!("{acknowledged} acknowledged writes");
        assert!(acknowledged > 100, "too little load to find anything: {acknowledged} acknowledged writes");
    }
}

fn rounds(default: u32) -> u32 {
    std::env::var("ONGGI_TEST_ROUNDS").ok().map_or(default, |rounds| rounds.parse().unwrap())
}

fn client_of(node: &Node) -> Client {
    client_with(&node.s3, ACCESS_KEY, SECRET_KEY)
}
