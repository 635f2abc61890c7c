//! A cluster whose majority is lost for ever goes on with the node that is left (docs/quorum-recovery.md).

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::node::{ACCESS_KEY, Node, SECRET_KEY, error_of, onggi};
use crate::place::{Place, wait_for_copies};
use crate::s3_client::{client_with, pattern};

/// Inline, one chunk, several chunks.
const SIZES: [usize; 4] = [0, 5_000, 200_000, 5_000_000];
const WAIT_MAX: Duration = Duration::from_secs(60);

fn recover(arguments: &[&str], paths: &[&Path]) -> Output {
    onggi().arg("recover").args(arguments).args(paths).output().unwrap()
}

/// What it printed, kept in a file.
fn recovered(arguments: &[&str], paths: &[&Path], into: &Path) -> String {
    let output = recover(arguments, paths);
    assert!(output.status.success(), "{}", error_of(&output));
    std::fs::write(into, &output.stdout).unwrap();
    String::from_utf8(output.stderr).unwrap()
}

fn report_of(data_dir: &Path, into: &Path) {
    recovered(&["report", "--data-dir", data_dir.to_str().unwrap()], &[], into);
}

fn refusal(arguments: &[&str], paths: &[&Path]) -> String {
    let output = recover(arguments, paths);
    assert!(!output.status.success() && output.stdout.is_empty());
    error_of(&output)
}

async fn put(node: &Node, key: &str, body: &[u8]) {
    let client = client_with(&node.s3, ACCESS_KEY, SECRET_KEY);
    client.put_object().bucket("kept").key(key).body(body.to_vec().into()).send().await.unwrap();
}

async fn get(node: &Node, key: &str) -> Vec<u8> {
    let client = client_with(&node.s3, ACCESS_KEY, SECRET_KEY);
    let got = client.get_object().bucket("kept").key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

async fn verify(node: &Node) {
    for (number, bytes) in SIZES.into_iter().enumerate() {
        assert!(get(node, &number.to_string()).await == pattern(bytes, number as u64), "{number}");
    }
}

/// An acknowledgement needs two of three: the third brings what it did without.
fn wait_for_bytes(node: &Node) {
    let begun = Instant::now();
    while node.admin_json(&["status"])["repair"]["queued"] != 0 {
        assert!(begun.elapsed() < WAIT_MAX, "its repairs never end");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_that_is_left_serves_alone_and_gets_company_again() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str| directory.path().join(name);
    let places = ["first", "second", "third", "fourth", "fifth"].map(|name| Place::new(&directory, name));
    let first = places[0].start();
    client_with(&first.s3, ACCESS_KEY, SECRET_KEY).create_bucket().bucket("kept").send().await.unwrap();
    let (second, third) = (places[1].join(&first), places[2].join(&first));
    wait_for_copies(&first, 3);
    for (number, bytes) in SIZES.into_iter().enumerate() {
        put(&second, &number.to_string(), &pattern(bytes, number as u64)).await;
    }
    verify(&third).await;
    wait_for_bytes(&third);
    let busy = refusal(&["report", "--data-dir", file("third").to_str().unwrap()], &[]);
    assert!(busy.contains("another process"), "{busy}");
    first.terminate();
    second.terminate();
    third.kill();
    // The founder and another: no part of it is a part that must stay.
    std::fs::remove_dir_all(file("first")).unwrap();
    std::fs::remove_dir_all(file("second")).unwrap();

    let (report, plan) = (file("report.json"), file("plan.json"));
    report_of(&file("third"), &report);
    let unheard = refusal(&["plan", "--lost", "2"], &[&report]);
    assert!(unheard.contains("node 1 votes in group 0 and is neither reported nor lost"), "{unheard}");
    let said = recovered(&["plan", "--lost", "1,2"], &[&report], &plan);
    assert!(said.contains("GOES ON AT") && said.contains("0 groups have a majority"), "{said}");
    let third_dir = file("third");
    let apply = ["apply", "--data-dir", third_dir.to_str().unwrap()];
    assert!(refusal(&apply, &[&plan]).contains("--accept-loss"));
    let apply = [&apply[..], &["--accept-loss"]].concat();
    let said = recovered(&apply, &[&plan], &file("applied"));
    assert!(said.contains("node 3 goes on alone with group 0"), "{said}");
    let again = recovered(&apply, &[&plan], &file("applied"));
    assert!(again.contains("node 3 has group 0 already") && !again.contains("goes on"), "{again}");

    let third = places[2].start();
    verify(&third).await;
    wait_for_copies(&third, 1);
    put(&third, "alone", b"alone").await;
    for lost in ["1", "2"] {
        third.admin_ok(&["node", "drain", lost]);
        third.admin_ok(&["node", "remove", lost]);
    }
    let (fourth, fifth) = (places[3].join(&third), places[4].join(&third));
    wait_for_copies(&third, 3);
    third.kill();
    for node in [&fourth, &fifth] {
        verify(node).await;
        assert_eq!(get(node, "alone").await, b"alone");
    }
    put(&fourth, "after", b"after").await;
    assert_eq!(get(&fifth, "after").await, b"after");

    // What is not the data directory of a stopped member.
    let none = refusal(&["report", "--data-dir", file("nowhere").to_str().unwrap()], &[]);
    assert!(none.contains("is not the data directory of a member") && !file("nowhere").exists(), "{none}");
    let mixed = refusal(&["plan", "--lost", "1"], &[&plan]);
    assert!(mixed.contains("is not what this step reads"), "{mixed}");
}
