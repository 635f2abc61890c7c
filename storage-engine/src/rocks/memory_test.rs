//! The database in memory against RocksDB: the same work, the same answers.

use super::{ColumnFamily, Direction, Durability, KeyRange, MemoryDatabase, Rocks, RocksOptions, Scan, Snapshot};
use crate::drive::Poison;
use crate::env::simulated_disk::Crash;
use crate::env::simulation;

const META: ColumnFamily = ColumnFamily::Metadata;
const LOG: ColumnFamily = ColumnFamily::RaftLog;

fn roll(bound: u64) -> u64 {
    simulation::roll().expect("a simulation") % bound
}

fn in_memory() -> (MemoryDatabase, Rocks) {
    let database = MemoryDatabase::default();
    (database.clone(), Rocks::in_memory(database, Poison::default()))
}

/// Few keys, so that they meet.
fn key() -> Vec<u8> {
    (0..=roll(2)).map(|_| b'a' + roll(4) as u8).collect()
}

fn range() -> KeyRange {
    match roll(4) {
        0 => KeyRange::all(),
        1 => KeyRange::prefix(key()),
        2 => KeyRange::starting_at(key()),
        // Now and then it ends before it begins.
        _ => KeyRange::new(key(), key()),
    }
}

fn entries(mut scan: Scan<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    while let Some((key, value)) = scan.next_entry().expect("scans") {
        entries.push((key.to_vec(), value.to_vec()));
    }
    assert_eq!(scan.next_entry().expect("scans"), None, "the end is the end");
    entries
}

#[test]
fn it_answers_as_rocksdb_does() {
    for seed in 0..8 {
        simulation::run(seed, || {
            let directory = tempfile::tempdir().expect("directory");
            let real = Rocks::open(directory.path(), &RocksOptions::default(), Poison::default()).expect("opens");
            let both = [real, in_memory().1];
            let mut snapshots: Vec<[Snapshot; 2]> = Vec::new();
            for _ in 0..300 {
                step(&both, &mut snapshots);
            }
        });
    }
}

fn step(both: &[Rocks; 2], snapshots: &mut Vec<[Snapshot; 2]>) {
    match roll(10) {
        0..4 => write(both),
        4 => {
            let (cf, key) = (META, key());
            let [real, memory] = both.each_ref().map(|rocks| rocks.get(cf, &key).expect("reads"));
            assert_eq!(real, memory);
            let [real, memory] = both.each_ref().map(|rocks| rocks.get_persisted(cf, &key).expect("reads"));
            assert_eq!(real, memory);
        }
        5 | 6 => {
            let (range, direction) = (range(), [Direction::Forward, Direction::Reverse][roll(2) as usize]);
            for cf in [META, LOG] {
                let [real, memory] = both.each_ref().map(|rocks| entries(rocks.scan(cf, &range, direction)));
                assert_eq!(real, memory, "{range:?} {direction:?}");
            }
        }
        7 => snapshots.push(both.each_ref().map(Rocks::snapshot)),
        8 if !snapshots.is_empty() => {
            let at = roll(snapshots.len() as u64) as usize;
            let (range, key) = (range(), key());
            let seen = snapshots[at].each_ref().map(|snapshot| {
                (entries(snapshot.scan(META, &range, Direction::Forward)), snapshot.get(META, &key).expect("reads"))
            });
            assert_eq!(seen[0], seen[1]);
            snapshots.truncate(4);
        }
        _ => both.iter().for_each(|rocks| rocks.flush().expect("flushes")),
    }
}

fn write(both: &[Rocks; 2]) {
    let logged = roll(2) == 0;
    let cf = if logged { LOG } else { META };
    let mut batches = both.each_ref().map(Rocks::batch);
    for _ in 0..=roll(3) {
        let (key, other, change, value) = (key(), key(), roll(5), roll(1000).to_be_bytes());
        for batch in &mut batches {
            match change {
                0 => batch.delete(cf, &key),
                1 if key <= other => batch.delete_range(cf, &key, &other),
                _ => batch.put(cf, &key, &value),
            }
        }
    }
    let durability = if logged { Durability::Logged } else { Durability::Unlogged };
    for (rocks, batch) in both.iter().zip(batches) {
        rocks.write(batch, durability).expect("writes");
    }
}

/// Keys in the log and in the metadata that `crash` leaves of: one synced, two logged behind it; one flushed, one not.
fn left_by(crash: Crash, dice: u64) -> String {
    let (database, rocks) = in_memory();
    let write = |cf, key: &str, durability| {
        let mut batch = rocks.batch();
        batch.put(cf, key.as_bytes(), b"");
        rocks.write(batch, durability).expect("writes");
    };
    write(META, "flushed", Durability::Unlogged);
    rocks.flush().expect("flushes");
    write(META, "unflushed", Durability::Unlogged);
    write(LOG, "1 synced", Durability::Synced);
    write(LOG, "2 logged", Durability::Logged);
    write(LOG, "3 logged", Durability::Logged);
    let left = Rocks::in_memory(database.after_crash(crash, &mut || dice), Poison::default());
    let keys = [LOG, META].map(|cf| entries(left.scan(cf, &KeyRange::all(), Direction::Forward)));
    let text = |(key, _): &(Vec<u8>, Vec<u8>)| String::from_utf8_lossy(key).into_owned();
    keys.iter().flatten().map(text).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_crash_leaves_what_was_synced_and_a_part_of_the_rest_from_its_begin() {
    assert_eq!(left_by(Crash::Kill, 0), "1 synced, 2 logged, 3 logged, flushed");
    assert_eq!(left_by(Crash::LoseAll, 0), "1 synced, flushed");
    assert_eq!(left_by(Crash::SomeWrites, 0), "1 synced, flushed");
    assert_eq!(left_by(Crash::SomeWrites, 1), "1 synced, 2 logged, flushed");
    assert_eq!(left_by(Crash::SomeSectors, 2), "1 synced, 2 logged, 3 logged, flushed");
}
