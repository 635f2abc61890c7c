//! Sweeps: nodes free what nothing names, each for itself, and no more. A copy that must be repaired while nothing fails went too early.

use std::thread::sleep;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;
use tokio::task::block_in_place;

use crate::checker::Keeps;
use crate::fleet::{Fleet, WAIT_MAX};
use crate::load::Ground;
use crate::member::{Kit, Member};
use crate::s3_client::pattern;

const OBJECTS: usize = 40;
/// Of one chunk each.
const OBJECT_BYTES: usize = 100_000;
const DELETED: &str = "deleted";
const POLL: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_named_stays_on_every_node() {
    let mut fleet = block_in_place(|| Fleet::of_three(Kit::PLAIN));
    let ground = Ground::prepare(&fleet, "kept", Keeps::Latest).await;
    let objects: Vec<String> = (0..OBJECTS).map(|object| object.to_string()).chain([DELETED.to_owned()]).collect();
    for (number, object) in objects.iter().enumerate() {
        let client = ground.client(&fleet.members[number % 3].s3);
        let body = ByteStream::from(pattern(OBJECT_BYTES, number as u64));
        client.put_object().bucket(&ground.bucket).key(object).body(body).send().await.unwrap();
    }
    let client = ground.client(&fleet.members[0].s3);
    client.delete_object().bucket(&ground.bucket).key(DELETED).send().await.unwrap();
    let before: Vec<Value> = block_in_place(|| {
        wait_for_all(&fleet, "nothing is left to be repaired", nothing_to_repair);
        fleet.members.iter().map(status).collect()
    });
    block_in_place(|| {
        // When the last one goes, no other is protected by its age any more; the next pass but one has seen all of them so.
        wait_for_all(&fleet, "what was deleted is freed", |status| status["sweep"]["freed"] == 1);
        for member in &fleet.members {
            let before = passes(&status(member));
            wait(member, "two more passes", |status| passes(status) >= before + 2);
        }
    });

    for member in &fleet.members {
        let client = ground.client(&member.s3);
        for (number, object) in objects.iter().take(OBJECTS).enumerate() {
            let read = client.get_object().bucket(&ground.bucket).key(object).send().await.unwrap();
            let bytes = read.body.collect().await.unwrap().into_bytes();
            assert!(bytes == pattern(OBJECT_BYTES, number as u64), "object {object} through node {}", member.number);
        }
    }
    block_in_place(|| wait_for_all(&fleet, "nothing is left to be repaired", nothing_to_repair));
    for (member, before) in fleet.members.iter().zip(before) {
        let after = status(member);
        for count in ["repaired_chunks", "bad_local_reads", "unrepairable"] {
            assert_eq!(after["repair"][count], before["repair"][count], "{count} of node {}: {after:#}", member.number);
        }
    }
    block_in_place(|| fleet.members.iter_mut().for_each(Member::stop));
    fleet.assert_no_alarms();
}

fn wait_for_all(fleet: &Fleet, what: &str, is_so: impl Fn(&Value) -> bool) {
    fleet.members.iter().for_each(|member| wait(member, what, &is_so));
}

fn wait(member: &Member, what: &str, is_so: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    loop {
        let status = status(member);
        if is_so(&status) {
            return;
        }
        assert!(begun.elapsed() < WAIT_MAX, "not within {WAIT_MAX:?}: {what}, node {}: {status:#}", member.number);
        sleep(POLL);
    }
}

fn nothing_to_repair(status: &Value) -> bool {
    status["repair"]["queued"] == 0 && status["repair"]["blobs_left"] == 0
}

fn passes(status: &Value) -> u64 {
    status["sweep"]["passes"].as_u64().unwrap()
}

fn status(member: &Member) -> Value {
    member.admin(&["status"]).unwrap()
}
