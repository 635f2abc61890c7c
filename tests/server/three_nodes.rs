//! Three nodes, each a process of its own: one node with data becomes three, any of them serves, and one that is killed under load costs
//! no acknowledged write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use tempfile::TempDir;

use crate::node::{ACCESS_KEY, Node, SECRET_KEY};
use crate::place::{Place, wait_for_copies};
use crate::s3_client::{client_with, pattern};

const BUCKET: &str = "shared";
const WRITERS: usize = 4;
/// Of one write, over all nodes: an election or two.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// Inline, one chunk, several chunks.
const SIZES: [usize; 4] = [0, 5_000, 200_000, 5_000_000];

type Stored = BTreeMap<String, Vec<u8>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_with_data_becomes_three_and_survives_a_kill() {
    let directory = TempDir::new().unwrap();
    let places = ["first", "second", "third"].map(|name| Place::new(&directory, name));
    let first = places[0].start();
    client(&first).create_bucket().bucket(BUCKET).send().await.unwrap();
    let mut stored = Stored::new();
    for (number, bytes) in SIZES.into_iter().enumerate() {
        let body = pattern(bytes, number as u64);
        put(&client(&first), &format!("before/{number}"), &body).await.unwrap();
        stored.insert(format!("before/{number}"), body);
    }

    let (second, third) = (places[1].join(&first), places[2].join(&first));
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
    let first = places[0].start();
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
    let second = places[1].start();
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

fn client(node: &Node) -> Client {
    client_with(&node.s3, ACCESS_KEY, SECRET_KEY)
}
