//! A member that was away comes back: at another address, or after it was removed.

use std::time::{Duration, Instant};

use http::Method;
use tempfile::TempDir;

use crate::http::s3;
use crate::place::{Place, wait_for_copies};

/// The others call a node where it was, and it can put on record where it is only through them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_another_address() {
    let directory = TempDir::new().unwrap();
    let mut places = ["first", "second", "third"].map(|name| Place::new(&directory, name));
    let first = places[0].start();
    let second = places[1].join(&first);
    let third = places[2].join(&first);
    wait_for_copies(&first, 3);
    assert!(s3(&first, Method::PUT, "/bucket", b"").await.status().is_success());

    assert!(third.terminate().success());
    places[2].change_address();
    let third = places[2].start();
    // Two of three again only if the others reach it.
    second.kill();
    assert!(s3(&third, Method::PUT, "/bucket/by-the-third", b"x").await.status().is_success());

    // Both others at once: the record cannot be changed before one of them is reached.
    assert!(third.terminate().success());
    places[1].change_address();
    places[2].change_address();
    let [_, second, third] = places;
    let second = std::thread::spawn(move || second.start());
    let third = third.start();
    let second = second.join().unwrap();
    assert!(s3(&third, Method::PUT, "/bucket/again", b"x").await.status().is_success());
    for node in [&first, &second] {
        assert!(s3(node, Method::GET, "/bucket/again", b"").await.status().is_success());
    }
}

/// It was down then, so its drive does not know.
#[test]
fn after_it_was_removed() {
    let directory = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| Place::new(&directory, name));
    let member = first.start();
    assert!(second.join(&member).terminate().success());
    member.admin_ok(&["node", "remove", "2"]);
    let begun = Instant::now();
    let error = second.start_error();
    assert!(error.contains("node 2 was removed from the cluster"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
