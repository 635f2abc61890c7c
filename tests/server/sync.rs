//! `onggi drive sync`: machines with a synced folder each, against a node.

mod edits;
pub mod machine;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::drive::client::Client;
use crate::node::Node;
use machine::{Machine, random_bytes};

const ARRIVES_MAX: Duration = Duration::from_secs(30);

#[tokio::test]
async fn both_sides_follow_each_other() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let (one, two) = (Machine::of(&node, "ana", "one"), Machine::of(&node, "ana", "two"));
    one.write("A/B/deep.txt", b"deep");
    one.write("Ä.txt", b"accents");
    one.write("zero", b"");
    fs::create_dir(one.at("empty")).unwrap();
    ana.put("/Docs/there.txt", "", b"from elsewhere").await.ok();
    let done = one.sync();
    assert_eq!((&done["done"]["uploaded"], &done["done"]["downloaded"]), (&json!(3), &json!(1)));
    two.sync();
    assert_eq!(one.tree(), two.tree());
    assert_eq!(two.tree().len(), 7);
    // Nothing to do is nothing done.
    assert_eq!(two.sync()["done"]["downloaded"], 0);

    // A folder that is renamed keeps its ids, whichever side it is renamed on.
    let before = ana.call("/files/metadata", json!({ "path": "/Docs/A/B/deep.txt" })).await.ok();
    fs::rename(one.at("A"), one.at("Z")).unwrap();
    assert_eq!(one.sync()["done"]["moved"], 1);
    let after = ana.call("/files/metadata", json!({ "path": "/Docs/Z/B/deep.txt" })).await.ok();
    assert_eq!((&after["id"], &after["rev"]), (&before["id"], &before["rev"]));
    ana.call("/files/move", json!({ "from": "/Docs/Z/B", "to": "/Docs/b" })).await.ok();
    let done = two.sync();
    assert_eq!((&done["done"]["moved"], &done["done"]["downloaded"]), (&json!(2), &json!(0)), "{done}");
    // Only the case is another.
    fs::rename(two.at("b"), two.at("B")).unwrap();
    two.sync();
    one.sync();
    assert_eq!(one.tree(), two.tree());
    assert_eq!(one.read("B/deep.txt"), b"deep");

    // Deleted here is in the trash there.
    fs::remove_dir_all(one.at("B")).unwrap();
    assert_eq!(one.sync()["done"]["removed_there"], 2);
    two.sync();
    assert!(!two.at("B").exists());
    let trash = ana.call("/files/list_trash", json!({})).await.ok();
    assert_eq!(trash["items"].as_array().unwrap().len(), 1, "a folder goes whole: {trash}");
}

#[tokio::test]
async fn who_changes_the_same_loses_nothing() {
    let node = Node::start(&[]);
    let _ana = Client::of(&node, "ana").await;
    let (one, two) = (Machine::of(&node, "ana", "one"), Machine::of(&node, "ana", "two"));
    for name in ["both.txt", "gone.txt", "same.txt"] {
        one.write(name, b"first");
    }
    one.sync();
    two.sync();
    one.write("both.txt", b"of one");
    two.write("both.txt", b"of two");
    one.write("same.txt", b"equal");
    two.write("same.txt", b"equal");
    fs::remove_file(one.at("gone.txt")).unwrap();
    two.write("gone.txt", b"edited after all");
    one.sync();
    let done = two.sync();
    assert_eq!(done["done"]["set_aside"], 1, "equal contents are no conflict: {done}");
    one.sync();
    assert_eq!(one.tree(), two.tree());
    assert_eq!(one.read("both.txt"), b"of one");
    assert_eq!(one.read("gone.txt"), b"edited after all");
    let copy = one.tree().into_keys().find(|name| name.contains("conflicted copy two ")).unwrap();
    assert!(copy.starts_with("both (") && copy.ends_with(").txt"), "{copy}");
    assert_eq!(one.read(&copy), b"of two");
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_deleted() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let one = Machine::of(&node, "ana", "one");
    one.write("a.txt", b"a");
    one.write("F/b.txt", b"b");
    one.sync();
    // The disk is not mounted: an empty folder without a memory.
    fs::rename(one.at(""), one.dir().with_extension("unmounted")).unwrap();
    fs::create_dir(one.at("")).unwrap();
    one.sync();
    assert_eq!(one.read("F/b.txt"), b"b");
    assert_eq!(ana.paths("/Docs").await.len(), 3);
    // A folder that cannot be read is not an empty one; root reads everything.
    if fs::read_dir("/root").is_err() {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(one.at("F"), fs::Permissions::from_mode(0o000)).unwrap();
        one.sync();
        fs::set_permissions(one.at("F"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(ana.paths("/Docs").await.len(), 3);
    }
    // The drive's folder is gone: a person must say what that means.
    let trashed = ana.call("/files/delete", json!({ "path": "/Docs" })).await.ok();
    let again = Machine::with_memory_of(&one);
    let output = again.run_sync();
    assert!(!output.status.success());
    assert_eq!(one.read("F/b.txt"), b"b");
    ana.call("/files/purge", json!({ "trashed": trashed["trashed"] })).await.ok();
    assert_eq!(one.read("a.txt"), b"a");
}

#[tokio::test]
async fn a_link_leads_nowhere() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let one = Machine::of(&node, "ana", "one");
    let outside = one.dir().with_extension("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("private.txt"), "private").unwrap();
    one.write("a.txt", b"a");
    symlink(&outside, one.at("out")).unwrap();
    ana.put("/Docs/out/private.txt", "", b"written over").await.ok();
    ana.put("/Docs/out/new.txt", "", b"put there").await.ok();
    let output = one.run_sync();
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("not synced: out: is a symbolic link"), "{told}");
    assert_eq!(fs::read(outside.join("private.txt")).unwrap(), b"private");
    assert!(!outside.join("new.txt").exists());
    assert_eq!(ana.paths("/Docs").await.len(), 4, "nothing of it is deleted there either");
}

#[tokio::test]
async fn a_changed_byte_of_a_large_file_sends_little() {
    let node = Node::start(&[]);
    let _ana = Client::of(&node, "ana").await;
    let (one, two) = (Machine::of(&node, "ana", "one"), Machine::of(&node, "ana", "two"));
    let mut contents = random_bytes(1, 48 << 20);
    one.write("large.bin", &contents);
    one.sync();
    contents.insert(5 << 20, 7);
    contents[30 << 20] ^= 1;
    one.write("large.bin", &contents);
    let sent = one.sync()["sent_bytes"].as_u64().unwrap();
    assert!(sent < 10 << 20, "{sent} bytes were sent of {}", contents.len());
    two.sync();
    assert!(two.read("large.bin") == contents, "other bytes came out");
}

#[tokio::test]
async fn changes_arrive_while_both_watch() {
    let node = Node::start(&[]);
    let _ana = Client::of(&node, "ana").await;
    let (one, two) = (Machine::of(&node, "ana", "one"), Machine::of(&node, "ana", "two"));
    let (_first, _second) = (one.watch(), two.watch());
    let arrives = |what: &dyn Fn() -> bool, name: &str| {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < ARRIVES_MAX, "{name} did not arrive");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    one.write("F/a.txt", b"1");
    arrives(&|| fs::read(two.at("F/a.txt")).is_ok_and(|bytes| bytes == b"1"), "a new file");
    two.write("F/a.txt", b"2");
    arrives(&|| fs::read(one.at("F/a.txt")).is_ok_and(|bytes| bytes == b"2"), "an edit");
    fs::rename(one.at("F"), one.at("G")).unwrap();
    arrives(&|| two.at("G/a.txt").exists() && !two.at("F").exists(), "a move");
    fs::remove_dir_all(two.at("G")).unwrap();
    arrives(&|| !one.at("G").exists(), "a deletion");
    let output = one.run_sync();
    assert!(String::from_utf8_lossy(&output.stderr).contains("being synced already"));
}
