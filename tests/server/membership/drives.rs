//! Several drives in one process: their room is one, and what one of them loses is no loss of another.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;
use tempfile::TempDir;

use crate::http::get;
use crate::node::{ACCESS_KEY, Node, SECRET_KEY, error_of, onggi};
use crate::s3_client::{client_with, pattern};

/// Joining, electing and moving groups takes seconds; a busy machine gets more.
const WAIT_MAX: Duration = Duration::from_secs(120);
const ELECTIONS_MAX: Duration = Duration::from_secs(30);
/// Enough that every drive has some of them.
const USERS: usize = 12;
/// Inline, one chunk.
const SIZES: [usize; 2] = [3_000, 100_000];

/// One process and its directories.
struct Place {
    data_dirs: Vec<PathBuf>,
    peer: String,
}

impl Place {
    fn new(directory: &TempDir, names: &[&str]) -> Self {
        let peer = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Self { data_dirs: names.iter().map(|name| directory.path().join(name)).collect(), peer }
    }

    fn command(&self) -> Command {
        let mut command = onggi();
        command.arg("server");
        for data_dir in &self.data_dirs {
            command.arg("--data-dir").arg(data_dir);
        }
        command.args(["--s3-listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0", "--peer-listen", &self.peer]);
        command.args(["--log", "warn", "--set", "observability.access_log=false"]);
        command.env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
        command
    }

    fn start(&self) -> Node {
        Node::run(self.command(), &self.data_dirs[0])
    }

    fn join(&self, member: &Node) -> Node {
        let created = member.admin_json(&["token", "create"]);
        let mut command = self.command();
        command.args(["--join", created["join"].as_str().unwrap()]);
        command.env("ONGGI_JOIN_TOKEN", created["token"].as_str().unwrap());
        Node::run(command, &self.data_dirs[0])
    }
}

/// Users, each with a bucket; their groups are anywhere.
struct Users {
    keys: Vec<(String, String)>,
}

impl Users {
    async fn create(node: &Node) -> Self {
        let mut keys = Vec::new();
        for number in 0..USERS {
            let name = format!("user-{number}");
            node.admin_ok(&["user", "create", &name]);
            let key = node.admin_json(&["key", "create", &name]);
            let text = |field: &str| key[field].as_str().unwrap().to_owned();
            keys.push((text("access_key"), text("secret_key")));
        }
        let users = Self { keys };
        for number in 0..USERS {
            users.client(node, number).create_bucket().bucket(bucket(number)).send().await.unwrap();
        }
        users
    }

    fn client(&self, node: &Node, number: usize) -> Client {
        client_with(&node.s3, &self.keys[number].0, &self.keys[number].1)
    }

    async fn put(&self, node: &Node, name: &str) {
        for number in 0..USERS {
            for (at, bytes) in SIZES.into_iter().enumerate() {
                let body = ByteStream::from(pattern(bytes, (number * 10 + at) as u64));
                let put = self
                    .client(node, number)
                    .put_object()
                    .bucket(bucket(number))
                    .key(format!("{name}/{at}"))
                    .body(body);
                put.send().await.unwrap();
            }
        }
    }

    /// All is served, at the latest when groups that have just lost their leader have another one.
    async fn verify(&self, node: &Node, name: &str) {
        let begun = Instant::now();
        loop {
            let lost = self.lost(node, name).await;
            if lost.is_empty() {
                return;
            }
            assert!(begun.elapsed() < ELECTIONS_MAX, "{lost:?}");
        }
    }

    /// What is not served, and the status that says so. What is served is right.
    async fn lost(&self, node: &Node, name: &str) -> BTreeMap<usize, u16> {
        let mut lost = BTreeMap::new();
        for number in 0..USERS {
            for (at, bytes) in SIZES.into_iter().enumerate() {
                let get = self.client(node, number).get_object().bucket(bucket(number)).key(format!("{name}/{at}"));
                match get.send().await {
                    Ok(got) => {
                        let body = got.body.collect().await.unwrap().into_bytes();
                        assert!(body == pattern(bytes, (number * 10 + at) as u64)[..], "{number}/{at} has other bytes");
                    }
                    Err(error) => {
                        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
                        lost.insert(number, status);
                    }
                }
            }
        }
        lost
    }
}

fn bucket(number: usize) -> String {
    format!("bucket-{number}")
}

fn wait(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < WAIT_MAX, "not within {WAIT_MAX:?}: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Owners' groups on each node, once nothing moves.
fn spread(node: &Node) -> Option<BTreeMap<u64, usize>> {
    let status = node.admin_json(&["cluster", "status"]);
    let groups = status["groups"].as_array().unwrap();
    if groups.iter().any(|group| group["moving"] == true) {
        return None;
    }
    let mut held = BTreeMap::new();
    for group in groups.iter().filter(|group| group["id"] != 0) {
        for voter in group["voters"].as_array().unwrap() {
            *held.entry(voter.as_u64().unwrap()).or_default() += 1;
        }
    }
    Some(held)
}

fn wait_for_spread(node: &Node, expected: &[(u64, usize)]) {
    let expected: BTreeMap<u64, usize> = expected.iter().copied().collect();
    wait(&format!("groups are spread as {expected:?}"), || spread(node).is_some_and(|held| held == expected));
}

async fn readyz(node: &Node) -> (u16, Value) {
    let response = get(node, &format!("{}/readyz", node.web)).await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

fn hide(data_dir: &Path) -> PathBuf {
    let hidden = data_dir.with_extension("hidden");
    std::fs::rename(data_dir, &hidden).unwrap();
    hidden
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_drives_of_one_process_share_the_groups_and_fail_alone() {
    let directory = TempDir::new().unwrap();
    let mut place = Place::new(&directory, &["a", "b"]);
    let node = place.start();
    wait_for_spread(&node, &[(1, 8), (2, 8)]);
    let nodes = node.admin_json(&["node", "list"]);
    assert_eq!((&nodes["nodes"][1]["host"], &nodes["nodes"][1]["up"]), (&1.into(), &true.into()), "{nodes}");
    let users = Users::create(&node).await;
    users.put(&node, "first").await;
    users.verify(&node, "first").await;

    node.kill();
    let node = place.start();
    users.verify(&node, "first").await;
    assert_eq!(node.terminate().code(), Some(0));

    // A third one takes its share of what there is.
    place.data_dirs.push(directory.path().join("c"));
    let node = place.start();
    wait("groups are on three drives", || {
        spread(&node).is_some_and(|held| held.len() == 3 && held.values().all(|count| (5..=6).contains(count)))
    });
    users.verify(&node, "first").await;
    users.put(&node, "second").await;
    let drives = node.admin_json(&["status"])["drives"].as_array().unwrap().clone();
    assert_eq!(drives.len(), 3, "{drives:?}");
    assert!(drives.iter().all(|drive| drive["chunks"]["chunks"].as_u64() > Some(0)), "{drives:?}");

    // It vanishes while it is in use: what is on the others is served, and what is on it is missed, not denied.
    let hidden = hide(&place.data_dirs[2]);
    wait("the drive is given up", || {
        node.admin_json(&["status"])["drives"].as_array().unwrap().iter().any(|drive| !drive["failure"].is_null())
    });
    // Its node stops a moment later.
    let begun = Instant::now();
    let lost = loop {
        let lost = users.lost(&node, "second").await;
        if !lost.is_empty() || begun.elapsed() > WAIT_MAX {
            break lost;
        }
    };
    assert!(!lost.is_empty() && lost.len() < USERS, "{lost:?}");
    assert!(lost.values().all(|status| *status == 503), "{lost:?}");
    let (status, ready) = readyz(&node).await;
    assert_eq!(status, 200, "{ready}");
    assert!(ready["failures"][0].as_str().unwrap().contains("drive.json is gone"), "{ready}");
    let there = (0..USERS).find(|number| !lost.contains_key(number)).unwrap();
    let put =
        users.client(&node, there).put_object().bucket(bucket(there)).key("later").body(ByteStream::from_static(b"x"));
    put.send().await.unwrap();
    assert!(node.admin_ok(&["status"]).contains("failed"), "{}", node.admin_ok(&["status"]));
    assert_eq!(node.terminate().code(), Some(0));

    // An empty directory in its place is no new drive.
    let refused = place.command().output().unwrap();
    assert!(!refused.status.success());
    assert!(error_of(&refused).contains("is its disk mounted?"), "{}", error_of(&refused));
    std::fs::rename(&hidden, &place.data_dirs[2]).unwrap();
    let node = place.start();
    wait("every group answers", || {
        let status = node.admin_json(&["cluster", "status"]);
        status["groups"].as_array().unwrap().iter().all(|group| group["available"] == true)
    });
    users.verify(&node, "first").await;
    users.verify(&node, "second").await;

    // One that cannot be opened stops no other.
    assert_eq!(node.terminate().code(), Some(0));
    std::fs::write(place.data_dirs[2].join("peer/node.json"), "{").unwrap();
    let node = place.start();
    let failures = node.admin_json(&["status"])["failures"].to_string();
    assert!(failures.contains("is damaged"), "{failures}");
    assert!(users.lost(&node, "first").await.len() < USERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_of_two_drives_lose_one() {
    let directory = TempDir::new().unwrap();
    let places = [["1a", "1b"], ["2a", "2b"], ["3a", "3b"]].map(|names| Place::new(&directory, &names));
    let first = places[0].start();
    wait_for_spread(&first, &[(1, 8), (2, 8)]);
    let users = Users::create(&first).await;
    users.put(&first, "before").await;
    let (second, third) = (places[1].join(&first), places[2].join(&first));
    wait("three copies on three hosts", || {
        let nodes = first.admin_json(&["node", "list"]);
        let host_of: BTreeMap<u64, u64> = nodes["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| (node["id"].as_u64().unwrap(), node["host"].as_u64().unwrap()))
            .collect();
        let status = first.admin_json(&["cluster", "status"]);
        let of_owners = status["groups"].as_array().unwrap().iter().filter(|group| group["id"] != 0);
        let mut all_three = host_of.len() == 6;
        for group in of_owners {
            let voters: Vec<u64> =
                group["voters"].as_array().unwrap().iter().map(|node| node.as_u64().unwrap()).collect();
            let mut hosts: Vec<u64> = voters.iter().map(|node| host_of[node]).collect();
            hosts.sort_unstable();
            hosts.dedup();
            assert_eq!(hosts.len(), voters.len(), "two copies on one host: {group}");
            all_three &= voters.len() == 3 && group["moving"] == false;
        }
        all_three
    });
    for node in [&first, &second, &third] {
        users.verify(node, "before").await;
    }

    let failed = second.admin_json(&["status"])["drives"][1]["node"].as_u64().unwrap();
    hide(&places[1].data_dirs[1]);
    wait("the drive is given up", || {
        let nodes = first.admin_json(&["node", "list"]);
        nodes["nodes"].as_array().unwrap().iter().any(|node| node["id"] == failed && node["up"] == false)
    });
    for node in [&first, &second, &third] {
        users.verify(node, "before").await;
    }
    users.put(&second, "without").await;

    // Its copies are made again on other drives, and it leaves.
    first.admin_ok(&["node", "drain", &failed.to_string()]);
    wait("its copies are elsewhere", || {
        let nodes = first.admin_json(&["node", "list"]);
        let emptied = nodes["nodes"].as_array().unwrap().iter().any(|node| node["id"] == failed && node["groups"] == 0);
        emptied && spread(&first).is_some_and(|held| held.values().sum::<usize>() == 48)
    });
    first.admin_ok(&["node", "remove", &failed.to_string()]);
    for node in [&first, &second, &third] {
        users.verify(node, "before").await;
        users.verify(node, "without").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drive_that_is_full_takes_no_objects_from_others_either() {
    let directory = TempDir::new().unwrap();
    let (place, waiting) = (Place::new(&directory, &["full"]), Place::new(&directory, &["roomy"]));
    let first = place.start();
    let root = |node: &Node| client_with(&node.s3, ACCESS_KEY, SECRET_KEY);
    root(&first).create_bucket().bucket("bucket").send().await.unwrap();
    let second = waiting.join(&first);
    let free = first.admin_json(&["status"])["drive"]["free_bytes"].as_u64().unwrap();
    assert_eq!(first.terminate().code(), Some(0));

    // As if half of what it wants to keep free were used.
    let mut command = place.command();
    command.args(["--set", &format!("storage.reserve_bytes={}B", free / 2 * 3)]);
    let first = Node::run(command, &place.data_dirs[0]);
    for node in [&first, &second] {
        let begun = Instant::now();
        let put = || root(node).put_object().bucket("bucket").key("key").body(ByteStream::from_static(b"small")).send();
        loop {
            let status = put().await.unwrap_err().raw_response().map(|response| response.status().as_u16());
            if status == Some(507) {
                break;
            }
            assert!(begun.elapsed() < ELECTIONS_MAX, "{status:?}");
        }
    }
    root(&second).delete_object().bucket("bucket").key("key").send().await.unwrap();
}
