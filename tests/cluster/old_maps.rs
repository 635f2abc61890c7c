//! Old maps: a node that slept while a group was split wakes with the map of before, and with requests that wait for it. By the old map
//! it must read nothing that another group decides about by now.

use std::thread::sleep;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use tokio::task::{JoinSet, block_in_place};
use tokio::time::timeout;

use crate::checker::Keeps;
use crate::fleet::{Fleet, WAIT_MAX};
use crate::load::Ground;
use crate::member::{Kit, Member};

/// Each of another user, so that there is something to split.
const BUCKETS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
const SPLITS: u64 = 4;
/// Of each bucket, when the node wakes: it has learned of the split some moments later.
const READS: usize = 30;
const KEY: &str = "key";
/// A node that was away looks for the right group for some seconds before it says no.
const REPLY_MAX: Duration = Duration::from_secs(15);
/// Until requests are at the door of a node that sleeps.
const ARRIVAL: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_slept_over_a_split_reads_nothing_old() {
    let mut fleet = block_in_place(|| Fleet::of_three(Kit { groups: 1, ..Kit::PLAIN }));
    let mut grounds = Vec::new();
    for bucket in BUCKETS {
        grounds.push(Ground::prepare(&fleet, bucket, Keeps::Latest).await);
    }
    let mut answered = 0;
    for split in 0..SPLITS {
        let asleep = split as usize % 3;
        let awake = fleet.members[(asleep + 1) % 3].s3.clone();
        put_all(&grounds, &awake, &format!("before split {split}")).await;
        let Some(group) = block_in_place(|| splittable(&fleet)) else { break };
        fleet.members[asleep].pause();
        block_in_place(|| split_group(&fleet, group));
        let value = format!("after split {split}");
        put_all(&grounds, &awake, &value).await;

        let mut reads = JoinSet::new();
        for ground in grounds.iter().flat_map(|ground| vec![ground; READS]) {
            let (ground, address) = (ground.clone(), fleet.members[asleep].s3.clone());
            reads.spawn(async move { (ground.bucket.clone(), read(&ground, &address).await) });
        }
        tokio::time::sleep(ARRIVAL).await;
        fleet.members[asleep].resume();
        while let Some(done) = reads.join_next().await {
            let (bucket, read) = done.unwrap();
            answered += usize::from(read.is_some());
            assert!(read.is_none_or(|read| read == value), "{bucket}, split {split}: an old record by an old map");
        }
        block_in_place(|| fleet.wait_until_available());
    }
    println!("{answered} reads were answered, none by an old map");
    assert!(answered > READS, "nobody was answered");
    block_in_place(|| fleet.members.iter_mut().for_each(Member::stop));
    fleet.assert_no_alarms();
}

/// One with several users.
fn splittable(fleet: &Fleet) -> Option<u64> {
    fleet.groups().into_iter().filter(|(group, users)| *group != 0 && *users > 1).map(|(group, _)| group).next()
}

fn split_group(fleet: &Fleet, group: u64) {
    let (begun, count) = (Instant::now(), fleet.groups().len());
    while fleet.groups().len() == count {
        assert!(begun.elapsed() < WAIT_MAX, "group {group} is not split");
        // Refused if it is under way.
        let awake = fleet.members.iter().find(|member| !member.is_paused).unwrap();
        let _ = awake.admin(&["group", "split", &group.to_string()]);
        sleep(PAUSE);
    }
}

async fn put_all(grounds: &[Ground], address: &str, value: &str) {
    let begun = Instant::now();
    for ground in grounds {
        loop {
            let body = ByteStream::from(value.as_bytes().to_vec());
            let put = ground.client(address).put_object().bucket(&ground.bucket).key(KEY).body(body).send();
            if timeout(REPLY_MAX, put).await.is_ok_and(|put| put.is_ok()) {
                break;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{} is not written", ground.bucket);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// `None`: no answer, or a refusal.
async fn read(ground: &Ground, address: &str) -> Option<String> {
    let read = ground.client(address).get_object().bucket(&ground.bucket).key(KEY).send();
    let bytes = timeout(REPLY_MAX, read).await.ok()?.ok()?.body.collect().await.ok()?.into_bytes();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}
