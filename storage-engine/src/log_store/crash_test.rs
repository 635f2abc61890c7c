//! Power losses: random work of several groups, then the drive as a crash could have left it, many times over.
//! What was synced is untouched; the write-ahead log behind it is cut, zeroed or overwritten at random places. The store
//! must come back as it was after one of the calls, and not before the last completed one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{LogState, LogStore, LogStoreOptions};
use crate::drive::Poison;
use crate::env::simulated_disk::{Crash, Fuse, SimulatedDisk};
use crate::env::{Environment, simulation};
use crate::error::ErrorKind;
use crate::rocks::{ColumnFamily, Durability, MemoryDatabase, Rocks, RocksOptions};

const GROUPS: u32 = 3;
const APPLIED: &[u8] = b"applied";
const CRASHES_PER_WINDOW: u64 = 20;

/// Two halves, so that they run at once.
#[tokio::test]
async fn completed_changes_survive_and_nothing_is_invented() {
    crash_often(0..4).await;
}

#[tokio::test]
async fn completed_changes_survive_and_nothing_is_invented_either() {
    crash_often(4..8).await;
}

async fn crash_often(seeds: Range<u64>) {
    let mut states = 0;
    let mut came_back_short = 0;
    for seed in seeds {
        let directory = temporary_directory();
        let mut run = Run::start(seed, open(directory.path()).expect("opens"));
        for _window in 0..2 {
            run.work(40).await;
            if run.dice.below(2) == 0 {
                run.rocks.flush().expect("flushes");
            }
            let synced = run.sync_point().await;
            let synced_image = Image::of(directory.path());
            run.work(20).await;
            let last = run.sync_point().await;
            let image = Image::of(directory.path());
            for crash in 0..CRASHES_PER_WINDOW {
                let damaged = image.after_power_loss(&synced_image, &mut run.dice).restore();
                let open = || open(damaged.path()).expect("opens after a power loss");
                let found = recover_and_compare(open, &run.history, synced, crash % 5 == 0).await;
                came_back_short += u64::from(found < last);
                states += 1;
            }
        }
    }
    assert_eq!(states, 4 * 2 * CRASHES_PER_WINDOW);
    assert!(came_back_short > states / 3, "only {came_back_short} of {states} crashes lost anything");
}

#[tokio::test]
async fn damage_before_the_sync_mark_is_noticed() {
    for seed in 100..104 {
        let place = temporary_directory();
        let mut run = Run::start(seed, open(place.path()).expect("opens"));
        run.work(20).await;
        run.sync_point().await;
        let early = Image::of(place.path());
        run.work(20).await;
        run.sync_point().await;
        let image = Image::of(place.path());
        let mut damaged = image.after_power_loss(&early, &mut run.dice);
        // The mark of the end, the log of before.
        damaged.files.insert("log-mark".into(), image.files[Path::new("log-mark")].clone());
        damaged.cut_wal(&early);
        let directory = damaged.restore();
        let error = open(directory.path()).err().expect("refused");
        assert_eq!(error.kind, ErrorKind::Corrupt, "{error}");
    }
}

/// The database in memory keeps the same promises: what a simulation finds with it would be found with the real one.
#[test]
fn the_same_in_memory() {
    let came_back_short: u64 = (0..40).map(|seed| simulation::run(seed, || crash_in_memory(seed))).sum();
    assert!(came_back_short > 100, "only {came_back_short} crashes lost anything");
}

fn crash_in_memory(seed: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (disk, database) = (SimulatedDisk::new(u64::MAX, Fuse::never()), MemoryDatabase::default());
        let mut run = Run::start(seed, open_in_memory(&disk, &database));
        let mut came_back_short = 0;
        for _window in 0..4 {
            run.work(40).await;
            if run.dice.below(2) == 0 {
                run.rocks.flush().expect("flushes");
            }
            let synced = run.sync_point().await;
            database.set_sync_time(Duration::from_millis(run.dice.below(3)));
            run.work(20).await;
            let last = run.history.len() - 1;
            for crash in Crash::ALL {
                let dice = &mut || run.dice.next();
                let disk = disk.after_crash(crash, dice, Fuse::never());
                let database = database.after_crash(crash, dice);
                let open = || open_in_memory(&disk, &database);
                let found = recover_and_compare(open, &run.history, synced, true).await;
                came_back_short += u64::from(found < last);
            }
        }
        came_back_short
    })
}

/// One store at work, and what it should hold after each call.
struct Run {
    rocks: Rocks,
    store: LogStore,
    dice: Dice,
    history: Vec<Model>,
}

type Model = BTreeMap<u32, GroupModel>;

#[derive(Clone, Default, PartialEq, Debug)]
struct GroupModel {
    first: u64,
    entries: Vec<Bytes>,
    purged: Option<Bytes>,
    vote: Option<Bytes>,
    committed: Option<Bytes>,
}

impl GroupModel {
    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }
}

impl Run {
    fn start(seed: u64, (rocks, store): (Rocks, LogStore)) -> Self {
        let model = (0..GROUPS).map(|group| (group, GroupModel::default())).collect();
        Self { rocks, store, dice: Dice(seed), history: vec![model] }
    }

    async fn work(&mut self, calls: usize) {
        for _ in 0..calls {
            let group = self.dice.below(u64::from(GROUPS)) as u32;
            let mut model = self.history.last().expect("the empty one").clone();
            self.call(group, model.get_mut(&group).expect("group")).await;
            self.apply_unlogged();
            self.history.push(model);
        }
    }

    /// What a state machine would do beside the log: number the calls, in a family without a write-ahead log.
    fn apply_unlogged(&self) {
        let mut batch = self.rocks.batch();
        batch.put(ColumnFamily::Metadata, APPLIED, &(self.history.len() as u64).to_be_bytes());
        self.rocks.write(batch, Durability::Unlogged).expect("writes");
    }

    async fn call(&mut self, group: u32, model: &mut GroupModel) {
        let value = Bytes::from(format!("value {}", self.history.len()));
        match self.dice.below(10) {
            0 => {
                self.store.save_vote(group, value.clone()).await.expect("saves");
                model.vote = Some(value);
            }
            1 => {
                self.store.save_committed(group, value.clone()).await.expect("saves");
                model.committed = Some(value);
            }
            2 if !model.entries.is_empty() => {
                let kept = self.dice.below(model.entries.len() as u64);
                let last = (model.first + kept).checked_sub(1);
                self.store.truncate_after(group, last).await.expect("truncates");
                model.entries.truncate(kept as usize);
            }
            3 if !model.entries.is_empty() => {
                let gone = self.dice.below(model.entries.len() as u64) + 1;
                self.store.purge_through(group, model.first + gone - 1, value.clone()).await.expect("purges");
                model.entries.drain(..gone as usize);
                model.first += gone;
                model.purged = Some(value);
            }
            _ => {
                let entries: Vec<(u64, Bytes)> =
                    (0..=self.dice.below(4)).map(|number| (model.next() + number, self.dice.bytes())).collect();
                model.entries.extend(entries.iter().map(|(_, entry)| entry.clone()));
                // Not waited for: calls that follow share its round.
                self.store.append(group, entries, |result| result.expect("appends")).await;
            }
        }
    }

    /// Everything called so far is durable; how many calls that are.
    async fn sync_point(&mut self) -> usize {
        let mut model = self.history.last().expect("the empty one").clone();
        let vote = Bytes::from(format!("sync {}", self.history.len()));
        self.store.save_vote(0, vote.clone()).await.expect("saves");
        model.get_mut(&0).expect("group").vote = Some(vote);
        self.history.push(model);
        self.history.len() - 1
    }
}

/// Gives the number of calls after which the drive was as it is found.
async fn recover_and_compare(
    open: impl Fn() -> (Rocks, LogStore),
    history: &[Model],
    completed: usize,
    go_on: bool,
) -> usize {
    let (rocks, store) = open();
    let mut found = read_all(&store).await;
    let Some(position) = (completed..history.len()).find(|calls| history[*calls] == found) else {
        panic!("none of the states from call {completed} to {}:\n{found:#?}", history.len() - 1);
    };
    if let Some(applied) = rocks.get(ColumnFamily::Metadata, APPLIED).expect("reads") {
        let applied = u64::from_be_bytes(applied[..].try_into().expect("number"));
        assert!(applied <= position as u64, "applied up to {applied}, but the log ends at {position}");
    }
    if go_on {
        // What was cut off must not come back behind new entries.
        let entry = Bytes::from_static(b"after the crash");
        let group = found.get_mut(&1).expect("group");
        store.append(1, vec![(group.next(), entry.clone())], |result| result.expect("appends")).await;
        group.entries.push(entry);
        store.close().await.expect("closes");
        drop((rocks, store));
        let (_rocks, store) = open();
        assert_eq!(read_all(&store).await, found);
    }
    position
}

async fn read_all(store: &LogStore) -> Model {
    let mut model = Model::new();
    for group in 0..GROUPS {
        let LogState { first, last, purged, vote, committed, promised: _ } = store.state(group).expect("state");
        let entries = store.read(group, 0..u64::MAX, usize::MAX).await.expect("reads");
        assert_eq!(entries.first().map(|(index, _)| *index), first);
        assert_eq!(entries.last().map(|(index, _)| *index), last);
        // An empty log starts where the next entry will stand, which is learned by trying.
        let first = match first {
            Some(first) => first,
            None => next_of_empty(store, group).await,
        };
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        model.insert(group, GroupModel { first, entries, purged, vote, committed });
    }
    model
}

async fn next_of_empty(store: &LogStore, group: u32) -> u64 {
    let log = store.shared.group(group);
    let next = super::lock(&log).next();
    assert!(store.read(group, next..next + 1, 1).await.expect("reads").is_empty());
    next
}

fn open(directory: &Path) -> crate::error::Result<(Rocks, LogStore)> {
    let poison = Poison::default();
    // RocksDB reserves room for a log as large as a memtable, which costs time in a file system in memory.
    let rocks_options = RocksOptions { write_buffer_bytes: 8 << 20, ..RocksOptions::default() };
    let rocks = Rocks::open(&directory.join("rocks"), &rocks_options, poison.clone())?;
    let options = LogStoreOptions { tail_bytes_max: 4096, ..LogStoreOptions::default() };
    let store = LogStore::open(directory, rocks.clone(), poison, &Environment::real(), options)?;
    Ok((rocks, store))
}

fn open_in_memory(disk: &SimulatedDisk, database: &MemoryDatabase) -> (Rocks, LogStore) {
    let rocks = Rocks::in_memory(database.clone(), Poison::default());
    let environment = Environment { disk: Arc::new(disk.clone()), ..Environment::real() };
    let options = LogStoreOptions { tail_bytes_max: 4096, ..LogStoreOptions::default() };
    let store = LogStore::open(Path::new("/drive"), rocks.clone(), Poison::default(), &environment, options);
    (rocks, store.expect("opens after a crash"))
}

/// The bytes of a drive at one moment.
#[derive(Clone)]
struct Image {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Image {
    fn of(directory: &Path) -> Self {
        let mut files = BTreeMap::new();
        for below in ["", "rocks"] {
            for entry in std::fs::read_dir(directory.join(below)).expect("lists") {
                let path = entry.expect("entry").path();
                // RocksDB removes obsolete files in the background.
                if path.is_file()
                    && let Ok(bytes) = std::fs::read(&path)
                {
                    files.insert(path.strip_prefix(directory).expect("below").to_path_buf(), bytes);
                }
            }
        }
        Self { files }
    }

    fn restore(&self) -> tempfile::TempDir {
        let directory = temporary_directory();
        std::fs::create_dir(directory.path().join("rocks")).expect("creates");
        for (path, bytes) in &self.files {
            std::fs::write(directory.path().join(path), bytes).expect("writes");
        }
        directory
    }

    /// This image with damage at or behind the end of the write-ahead log of `synced`, and the mark of then.
    fn after_power_loss(&self, synced: &Self, dice: &mut Dice) -> Self {
        let mut image = self.clone();
        image.files.insert("log-mark".into(), synced.files[Path::new("log-mark")].clone());
        for (path, bytes) in image.files.iter_mut().filter(|(path, _)| is_wal(path)) {
            let durable = synced.files.get(path).map_or(0, Vec::len);
            let unsynced = (bytes.len() - durable) as u64;
            let from = durable + dice.below(unsynced + 1) as usize;
            let to = from + dice.below((bytes.len() - from) as u64 + 1) as usize;
            match dice.below(4) {
                0 => bytes.truncate(from),
                // Longer than what arrived: a file's size can be durable before its blocks.
                1 => bytes[from..].fill(0),
                2 => bytes[from..to].fill(0),
                _ => bytes[from..to].iter_mut().for_each(|byte| *byte ^= dice.below(256) as u8),
            }
        }
        image
    }

    fn cut_wal(&mut self, earlier: &Self) {
        for (path, bytes) in self.files.iter_mut().filter(|(path, _)| is_wal(path)) {
            bytes.truncate(earlier.files.get(path).map_or(0, Vec::len));
        }
    }
}

/// In memory where there is such a place: what a sync means is decided by the image, not by the device.
fn temporary_directory() -> tempfile::TempDir {
    let in_memory = Path::new("/dev/shm");
    let directory = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    directory.expect("directory")
}

fn is_wal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

/// SplitMix64: the same work for the same seed, on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Mostly small; now and then beyond a block of the write-ahead log (32 KiB).
    fn bytes(&mut self) -> Bytes {
        let length = if self.below(12) == 0 { self.below(50_000) } else { self.below(300) };
        (0..length).map(|_| self.next() as u8).collect()
    }
}
