//! The bytes that release 1 puts on a drive: written by this release they must still be the same, and read they must still
//! mean the same. A change of the fixture is a change of the format: it needs a new version and a fixture of its own.
#![allow(clippy::expect_used)] // Helpers of tests are tests.

use std::path::Path;
use std::sync::mpsc;

use bytes::Bytes;
use expect_test::expect_file;
use onggi_storage_engine::drive::{Drive, Poison, Reserve};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::log_store::{LogState, LogStore, LogStoreOptions};
use onggi_storage_engine::rocks::{ColumnFamily, Direction, Durability, KeyRange, Rocks, RocksOptions};

const LOG_FIXTURE: &str = include_str!("fixtures/v1/log.txt");
const DRIVE_FIXTURE: &str = include_str!("fixtures/v1/drive.json");

#[tokio::test]
async fn a_log_is_written_as_before() {
    let directory = tempfile::tempdir().expect("directory");
    let (rocks, store) = open(directory.path());
    append(&store, 1, &["zero", "one", "two", "three"]).await;
    append(&store, 0x0102_0304, &[""]).await;
    store.save_vote(1, Bytes::from_static(b"vote")).await.expect("saves");
    store.save_committed(1, Bytes::from_static(b"committed")).await.expect("saves");
    store.truncate_after(1, Some(2)).await.expect("truncates");
    store.purge_through(1, 0, Bytes::from_static(b"purged")).await.expect("purges");
    store.close().await.expect("closes");
    let mark = std::fs::read(directory.path().join("log-mark")).expect("reads");
    let text = format!("{}file log-mark {}\n", dump(&rocks), hex(&mark));
    expect_file!["fixtures/v1/log.txt"].assert_eq(&text);
}

#[tokio::test]
async fn a_log_of_release_1_is_read() {
    let directory = tempfile::tempdir().expect("directory");
    restore(directory.path(), LOG_FIXTURE);
    let (_rocks, store) = open(directory.path());
    let state = LogState {
        first: Some(1),
        last: Some(2),
        purged: Some(Bytes::from_static(b"purged")),
        vote: Some(Bytes::from_static(b"vote")),
        committed: Some(Bytes::from_static(b"committed")),
        promised: None,
    };
    assert_eq!(store.state(1).expect("state"), state);
    let entries = store.read(1, 0..9, usize::MAX).await.expect("reads");
    assert_eq!(entries, vec![(1, Bytes::from_static(b"one")), (2, Bytes::from_static(b"two"))]);
    assert_eq!(store.state(0x0102_0304).expect("state").last, Some(0));
}

#[test]
fn a_drive_of_release_1_is_opened() {
    let directory = tempfile::tempdir().expect("directory");
    std::fs::write(directory.path().join("drive.json"), DRIVE_FIXTURE).expect("writes");
    let reserve = Reserve { store_bytes: 0, change_bytes: 0, vote_bytes: 0 };
    let drive = Drive::open(directory.path(), &Environment::real(), Some([0xab; 16]), reserve).expect("opens");
    assert_eq!((drive.identity().drive, drive.identity().cluster), ([0x12; 16], [0xab; 16]));
    assert_eq!(drive.identity().to_string(), DRIVE_FIXTURE, "written as before");
}

#[test]
fn column_families_keep_their_names() {
    let names = ColumnFamily::ALL.map(ColumnFamily::name);
    assert_eq!(names, ["raft_log", "raft_state", "metadata", "inline_payload", "chunk_index"]);
}

fn open(directory: &Path) -> (Rocks, LogStore) {
    let poison = Poison::default();
    let rocks = Rocks::open(&directory.join("rocks"), &RocksOptions::default(), poison.clone()).expect("opens");
    let options = LogStoreOptions::default();
    let store = LogStore::open(directory, rocks.clone(), poison, &Environment::real(), options).expect("opens");
    (rocks, store)
}

async fn append(store: &LogStore, group: u32, entries: &[&'static str]) {
    let (sender, receiver) = mpsc::channel();
    let entries = (0..).zip(entries).map(|(index, entry)| (index, Bytes::from_static(entry.as_bytes()))).collect();
    store.append(group, entries, move |result| sender.send(result).expect("is waited for")).await;
    receiver.recv().expect("completes").expect("appends");
}

/// Lines `family key value`, in hex.
fn dump(rocks: &Rocks) -> String {
    let mut text = String::new();
    for cf in [ColumnFamily::RaftLog, ColumnFamily::RaftState] {
        let mut scan = rocks.scan(cf, &KeyRange::all(), Direction::Forward);
        while let Some((key, value)) = scan.next_entry().expect("scans") {
            text += &format!("{} {} {}\n", cf.name(), hex(key), hex(value));
        }
    }
    text
}

fn restore(directory: &Path, text: &str) {
    let rocks = Rocks::open(&directory.join("rocks"), &RocksOptions::default(), Poison::default()).expect("opens");
    let mut batch = rocks.batch();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, key, value] = words[..] else { panic!("line of the fixture: {line}") };
        match ColumnFamily::ALL.into_iter().find(|cf| cf.name() == kind) {
            Some(cf) => batch.put(cf, &bytes(key), &bytes(value)),
            None => std::fs::write(directory.join(key), bytes(value)).expect("writes"),
        }
    }
    rocks.write(batch, Durability::Synced).expect("writes");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}
