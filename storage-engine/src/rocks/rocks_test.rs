use std::path::Path;

use super::{ColumnFamily, Direction, Durability, KeyRange, Rocks, RocksOptions, WriteBatch};
use crate::drive::Poison;
use crate::error::ErrorKind;

const META: ColumnFamily = ColumnFamily::Metadata;
const LOG: ColumnFamily = ColumnFamily::RaftLog;

fn open(path: &Path) -> Rocks {
    Rocks::open(path, &RocksOptions::default(), Poison::default()).expect("opens")
}

fn put(rocks: &Rocks, cf: ColumnFamily, key: &[u8], value: &[u8]) -> WriteBatch {
    let mut batch = rocks.batch();
    batch.put(cf, key, value);
    batch
}

fn keys(mut scan: super::Scan<'_>) -> String {
    let mut keys = String::new();
    while let Some((key, _)) = scan.next_entry().expect("scans") {
        keys.push_str(std::str::from_utf8(key).expect("text"));
    }
    keys
}

#[test]
fn persisted_reads_see_only_what_was_flushed() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = open(directory.path());
    rocks.write(put(&rocks, META, b"applied", b"1"), Durability::Unlogged).expect("writes");
    assert_eq!(rocks.get(META, b"applied").expect("reads").as_deref(), Some(&b"1"[..]));
    assert_eq!(rocks.get_persisted(META, b"applied").expect("reads"), None);
    rocks.flush().expect("flushes");
    rocks.write(put(&rocks, META, b"applied", b"2"), Durability::Unlogged).expect("writes");
    assert_eq!(rocks.get(META, b"applied").expect("reads").as_deref(), Some(&b"2"[..]));
    assert_eq!(rocks.get_persisted(META, b"applied").expect("reads").as_deref(), Some(&b"1"[..]));
}

#[test]
fn without_a_flush_logged_writes_survive_a_kill_and_unlogged_ones_do_not() {
    let directory = tempfile::tempdir().expect("directory");
    let killed = tempfile::tempdir().expect("directory");
    let rocks = open(directory.path());
    rocks.write(put(&rocks, META, b"flushed", b"1"), Durability::Unlogged).expect("writes");
    rocks.flush().expect("flushes");
    rocks.write(put(&rocks, LOG, b"entry", b"1"), Durability::Synced).expect("writes");
    rocks.write(put(&rocks, META, b"lost", b"1"), Durability::Unlogged).expect("writes");
    copy_files(directory.path(), killed.path());
    let after = open(killed.path());
    assert!(after.get(LOG, b"entry").expect("reads").is_some());
    assert!(after.get(META, b"flushed").expect("reads").is_some());
    assert!(after.get(META, b"lost").expect("reads").is_none());
}

#[test]
fn a_flush_of_one_family_is_a_flush_of_all() {
    // Payloads fill their memtable; the mark beside them must reach the files with them.
    let directory = tempfile::tempdir().expect("directory");
    let options = RocksOptions { write_buffer_bytes: 1 << 20, ..RocksOptions::default() };
    let rocks = Rocks::open(directory.path(), &options, Poison::default()).expect("opens");
    let payload = vec![7; 64 << 10];
    for number in 0..200_u32 {
        let mut batch = rocks.batch();
        batch.put(ColumnFamily::InlinePayload, &number.to_be_bytes(), &payload);
        batch.put(META, b"applied", &number.to_be_bytes());
        rocks.write(batch, Durability::Unlogged).expect("writes");
        if let Some(applied) = rocks.get_persisted(META, b"applied").expect("reads") {
            let persisted = rocks.get_persisted(ColumnFamily::InlinePayload, &applied).expect("reads");
            assert!(persisted.is_some(), "mark without its payload");
        }
    }
    assert!(rocks.get_persisted(META, b"applied").expect("reads").is_some(), "12 MiB through 1 MiB of memtables");
}

#[test]
fn scans_keep_to_their_range_in_both_directions() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = open(directory.path());
    for key in [b"a", b"b", b"c", b"d", b"e"] {
        rocks.write(put(&rocks, META, key, b""), Durability::Unlogged).expect("writes");
    }
    let range = KeyRange::new("b", "e");
    assert_eq!(keys(rocks.scan(META, &range, Direction::Forward)), "bcd");
    assert_eq!(keys(rocks.scan(META, &range, Direction::Reverse)), "dcb");
    assert_eq!(keys(rocks.scan(META, &KeyRange::starting_at("d"), Direction::Forward)), "de");
    assert_eq!(keys(rocks.scan(META, &KeyRange::new("d", "b"), Direction::Reverse)), "");
    let snapshot = rocks.snapshot();
    rocks.write(put(&rocks, META, b"b2", b""), Durability::Unlogged).expect("writes");
    drop(rocks);
    let seen = std::thread::spawn(move || keys(snapshot.scan(META, &KeyRange::all(), Direction::Forward)));
    assert_eq!(seen.join().expect("joins"), "abcde");
}

#[test]
fn a_prefix_ends_before_the_next_key_without_it() {
    assert_eq!(KeyRange::prefix("ab"), KeyRange::new("ab", "ac"));
    assert_eq!(KeyRange::prefix([1, 0xff]), KeyRange::new([1, 0xff], [2]));
    assert_eq!(KeyRange::prefix([0xff, 0xff]), KeyRange::starting_at([0xff, 0xff]));
    assert!(KeyRange::prefix("ab").contains(b"abz") && !KeyRange::prefix("ab").contains(b"ac"));
}

#[tokio::test]
async fn async_reads_find_memory_and_files() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = open(directory.path());
    rocks.write_unlogged_async(put(&rocks, META, b"key", b"value")).await.expect("writes");
    assert_eq!(rocks.get_async(META, b"key").await.expect("reads").as_deref(), Some(&b"value"[..]));
    rocks.flush().expect("flushes");
    drop(rocks);
    let rocks = open(directory.path());
    assert_eq!(rocks.get_async(META, b"key").await.expect("reads").as_deref(), Some(&b"value"[..]));
    assert_eq!(rocks.get_async(META, b"other").await.expect("reads"), None);
}

#[tokio::test]
async fn a_poisoned_drive_takes_no_write_and_answers_reads() {
    let directory = tempfile::tempdir().expect("directory");
    let poison = Poison::default();
    let rocks = Rocks::open(directory.path(), &RocksOptions::default(), poison.clone()).expect("opens");
    rocks.write(put(&rocks, META, b"key", b"value"), Durability::Unlogged).expect("writes");
    poison.set(crate::error::Error::new(ErrorKind::DriveFailed, "sync extent"));
    let kind = |result: crate::error::Result<()>| result.expect_err("refused").kind;
    assert_eq!(kind(rocks.write(put(&rocks, META, b"k", b""), Durability::Unlogged)), ErrorKind::DriveFailed);
    assert_eq!(kind(rocks.write(put(&rocks, LOG, b"k", b""), Durability::Logged)), ErrorKind::DriveFailed);
    assert_eq!(kind(rocks.write_unlogged_async(put(&rocks, META, b"k", b"")).await), ErrorKind::DriveFailed);
    assert_eq!(kind(rocks.sync_log()), ErrorKind::DriveFailed);
    assert_eq!(kind(rocks.flush()), ErrorKind::DriveFailed);
    assert!(rocks.get(META, b"key").expect("reads").is_some());
}

#[test]
#[should_panic(expected = "family of the other kind")]
fn a_batch_cannot_mix_logged_and_unlogged_families() {
    let directory = tempfile::tempdir().expect("directory");
    let rocks = open(directory.path());
    let mut batch = put(&rocks, META, b"key", b"");
    batch.put(LOG, b"key", b"");
    let _ = rocks.write(batch, Durability::Logged);
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("lists") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name");
        if name != "LOCK" {
            std::fs::copy(&path, to.join(name)).expect("copies");
        }
    }
}
