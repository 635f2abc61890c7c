//! Three nodes, each a process of its own: one node with data becomes three, any of them serves, and one that is killed under load costs
//! no acknowledged write.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use tempfile::TempDir;

use crate::node::{ACCESS_KEY, Node, SECRET_KEY, onggi};
use crate::s3_client::{client_with, pattern};

const BUCKET: &str = "shared";
const WRITERS: usize = 4;
/// Joining, electing and moving all groups takes seconds; a busy machine gets more.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// Of one write, over all nodes: an election or two.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// Inline, one chunk, several chunks.
const SIZES: [usize; 4] = [0, 5_000, 200_000, 5_000_000];

type Stored = BTreeMap<String, Vec<u8>>;

struct Place {
    data_dir: PathBuf,
    /// The same at every start: others have it on record.
    peer: String,
}

impl Place {
    fn new(directory: &TempDir, name: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { data_dir: directory.path().join(name), peer: free.to_string() }
    }

    fn start(&self, join: Option<(&str, &str)>) -> Node {
        let mut command = onggi();
        command.arg("server").arg("--data-dir").arg(&self.data_dir);
        command.args(["--s3-listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0", "--peer-listen", &self.peer]);
        command.args(["--log", "warn", "--set", "observability.access_log=false"]);
        command.env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
        if let Some((member, token)) = join {
            command.args(["--join", member]).env("ONGGI_JOIN_TOKEN", token);
        }
        Node::run(command, &self.data_dir)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_with_data_becomes_three_and_survives_a_kill() {
    let directory = TempDir::new().unwrap();
    let places = ["first", "second", "third"].map(|name| Place::new(&directory, name));
    let first = places[0].start(None);
    client(&first).create_bucket().bucket(BUCKET).send().await.unwrap();
    let mut stored = Stored::new();
    for (number, bytes) in SIZES.into_iter().enumerate() {
        let body = pattern(bytes, number as u64);
        put(&client(&first), &format!("before/{number}"), &body).await.unwrap();
        stored.insert(format!("before/{number}"), body);
    }

    let join = |place: &Place| {
        let created = first.admin_json(&["token", "create"]);
        place.start(Some((created["join"].as_str().unwrap(), created["token"].as_str().unwrap())))
    };
    let (second, third) = (join(&places[1]), join(&places[2]));
    wait_for_copies(&first, 3);
    for node in [&first, &second, &third] {
        verify(&client(node), &stored).await;
    }

    let clients = Arc::new([client(&first), client(&second), client(&third)]);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(clients.clone(), writer, stop.clone()))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.kill();
    tokio::time::sleep(Duration::from_secs(6)).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        stored.append(&mut writer.await.unwrap());
    }
    println!("{} acknowledged writes", stored.len());
    verify(&client(&second), &stored).await;
    verify(&client(&third), &stored).await;

    // It comes back as it was, and has what it missed.
    let first = places[0].start(None);
    verify(&client(&first), &stored).await;

    // Alone it decides nothing and tells nothing, and soon.
    second.kill();
    third.kill();
    let begun = Instant::now();
    let refused = put(&client(&first), "alone", b"alone").await.unwrap_err();
    assert!(matches!(refused, Some(500 | 503)), "{refused:?}");
    let read = client(&first).get_object().bucket(BUCKET).key("before/1").send().await.unwrap_err();
    assert_eq!(read.raw_response().unwrap().status().as_u16(), 503, "{read:?}");
    println!("a minority said so within {:?}", begun.elapsed());
    let second = places[1].start(None);
    put_somewhere(&[client(&first), client(&second)], "again", b"again").await;
    verify(&client(&second), &stored).await;
}

/// Keys of its own, each through another node, until `stop`; what was acknowledged.
async fn write(clients: Arc<[Client; 3]>, writer: usize, stop: Arc<AtomicBool>) -> Stored {
    let mut stored = Stored::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("writer-{writer}/{number}");
        let body = pattern(SIZES[number % SIZES.len()] / 2, (writer * 1000 + number) as u64);
        let order: Vec<_> = (0..3).map(|step| clients[(writer + number + step) % 3].clone()).collect();
        put_somewhere(&order, &key, &body).await;
        stored.insert(key, body);
    }
    stored
}

/// As a client behind a load balancer: another node, until one acknowledges.
async fn put_somewhere(clients: &[Client], key: &str, body: &[u8]) {
    let begun = Instant::now();
    for client in clients.iter().cycle() {
        if put(client, key, body).await.is_ok() {
            return;
        }
        assert!(begun.elapsed() < WRITE_MAX, "{key} was not taken by any node within {WRITE_MAX:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The status of a refusal; `None` if there was no answer.
async fn put(client: &Client, key: &str, body: &[u8]) -> Result<(), Option<u16>> {
    let sent = client.put_object().bucket(BUCKET).key(key).body(ByteStream::from(body.to_vec())).send().await;
    sent.map(drop).map_err(|error| error.raw_response().map(|response| response.status().as_u16()))
}

/// Every acknowledged object is there, byte for byte, and in the listing.
async fn verify(client: &Client, stored: &Stored) {
    let mut listed = Vec::new();
    let mut pages = client.list_objects_v2().bucket(BUCKET).into_paginator().send();
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    for (key, body) in stored {
        assert!(listed.contains(key), "{key} is not listed");
        let got = client.get_object().bucket(BUCKET).key(key).send().await.unwrap().body.collect().await.unwrap();
        assert!(got.into_bytes() == body[..], "{key} has other bytes");
    }
}

fn wait_for_copies(node: &Node, copies: usize) {
    let begun = Instant::now();
    loop {
        let status = node.admin_json(&["cluster", "status"]);
        let groups = status["groups"].as_array().unwrap();
        if groups.iter().all(|group| group["voters"].as_array().unwrap().len() == copies) {
            return;
        }
        assert!(begun.elapsed() < WAIT_MAX, "not every group has {copies} copies: {status}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn client(node: &Node) -> Client {
    client_with(&node.s3, ACCESS_KEY, SECRET_KEY)
}
