//! Memory: the same database without RocksDB, for simulations: no threads, no files, and what a crash leaves is chosen.
//! Owns: the promises that the stores above rely on. Logged writes come back in their order, and those that were synced all of them; what
//! was not logged comes back as the last flush left it, all families at one moment.
//! Does not own: when there is a crash. There is no flush by itself, which RocksDB may do at any time: a simulation asks for it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::{ColumnFamily, KeyRange};
use crate::env::simulated_disk::Crash;

/// Cheap to clone; all clones are the same database.
#[derive(Clone, Default)]
pub struct MemoryDatabase {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    current: Families,
    /// What is there after any crash.
    durable: Families,
    /// Logged batches behind the last sync, oldest first.
    unsynced: Vec<Vec<Change>>,
    sync_time: Duration,
}

type Records = BTreeMap<Bytes, Bytes>;

/// The records of one moment. A clone is cheap and stays as it is.
#[derive(Clone, Default)]
pub(super) struct Families([Arc<Records>; ColumnFamily::ALL.len()]);

#[derive(Clone)]
pub(super) enum Change {
    Put { cf: ColumnFamily, key: Bytes, value: Bytes },
    Delete { cf: ColumnFamily, key: Bytes },
    DeleteRange { cf: ColumnFamily, from: Bytes, to: Bytes },
}

impl MemoryDatabase {
    /// The database as the next process finds it. This one stays as it is.
    pub fn after_crash(&self, crash: Crash, dice: &mut dyn FnMut() -> u64) -> Self {
        let state = self.state();
        let kept = match crash {
            Crash::Kill | Crash::KeepAll => state.unsynced.len(),
            Crash::LoseAll => 0,
            // A log is replayed up to the first damage.
            Crash::SomeWrites | Crash::SomeSectors => (dice() % (state.unsynced.len() as u64 + 1)) as usize,
        };
        let mut left = state.durable.clone();
        state.unsynced[..kept].iter().flatten().for_each(|change| left.apply(change));
        let sync_time = state.sync_time;
        drop(state);
        // What was replayed is flushed when the database is opened.
        let state = State { current: left.clone(), durable: left, unsynced: Vec::new(), sync_time };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// How long a sync of the log takes from now on.
    pub fn set_sync_time(&self, time: Duration) {
        self.state().sync_time = time;
    }

    pub(super) fn sync_time(&self) -> Duration {
        self.state().sync_time
    }

    pub(super) fn write(&self, changes: Vec<Change>) {
        let mut state = self.state();
        changes.iter().for_each(|change| state.current.apply(change));
        // A batch is of one kind (`WriteBatch`).
        if changes.first().is_some_and(|change| change.family().is_logged()) {
            state.unsynced.push(changes);
        }
    }

    pub(super) fn sync(&self) {
        let state = &mut *self.state();
        state.unsynced.drain(..).flatten().for_each(|change| state.durable.apply(&change));
    }

    pub(super) fn flush(&self) {
        let mut state = self.state();
        state.unsynced.clear();
        state.durable = state.current.clone();
    }

    pub(super) fn families(&self) -> Families {
        self.state().current.clone()
    }

    pub(super) fn get_durable(&self, cf: ColumnFamily, key: &[u8]) -> Option<Bytes> {
        self.state().durable.get(cf, key)
    }

    pub(super) fn bytes(&self, cf: ColumnFamily) -> u64 {
        self.families().0[cf as usize].iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Families {
    pub fn get(&self, cf: ColumnFamily, key: &[u8]) -> Option<Bytes> {
        self.0[cf as usize].get(key).cloned()
    }

    pub fn entries(&self, cf: ColumnFamily, range: &KeyRange) -> Entries {
        let to = range.to.clone().map_or(Bound::Unbounded, |to| Bound::Excluded(to.into()));
        let bounds = (Bound::Included(range.from.clone().into()), to);
        let is_empty = range.to.as_deref().is_some_and(|to| to <= range.from.as_slice());
        let records = if is_empty { Arc::default() } else { self.0[cf as usize].clone() };
        Entries { records, bounds, current: None }
    }

    fn apply(&mut self, change: &Change) {
        let records = Arc::make_mut(&mut self.0[change.family() as usize]);
        match change {
            Change::Put { key, value, .. } => {
                records.insert(key.clone(), value.clone());
            }
            Change::Delete { key, .. } => {
                records.remove(key);
            }
            Change::DeleteRange { from, to, .. } => {
                let gone = records.range::<Bytes, _>((Bound::Included(from), Bound::Excluded(to)));
                let gone: Vec<Bytes> = gone.map(|(key, _)| key.clone()).collect();
                gone.iter().for_each(|key| drop(records.remove(key)));
            }
        }
    }
}

impl Change {
    pub fn put(cf: ColumnFamily, key: &[u8], value: &[u8]) -> Self {
        Self::Put { cf, key: Bytes::copy_from_slice(key), value: Bytes::copy_from_slice(value) }
    }

    /// A range that ends before it begins deletes nothing.
    pub fn delete_range(cf: ColumnFamily, from: &[u8], to: &[u8]) -> Self {
        let to = to.max(from);
        Self::DeleteRange { cf, from: Bytes::copy_from_slice(from), to: Bytes::copy_from_slice(to) }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Delete { key, .. } => key.len(),
            Self::DeleteRange { from, to, .. } => from.len() + to.len(),
        }
    }

    fn family(&self) -> ColumnFamily {
        match self {
            Self::Put { cf, .. } | Self::Delete { cf, .. } | Self::DeleteRange { cf, .. } => *cf,
        }
    }
}

/// The entries of a key range at one moment; what is not visited yet is within the bounds.
pub(super) struct Entries {
    records: Arc<Records>,
    bounds: (Bound<Bytes>, Bound<Bytes>),
    current: Option<(Bytes, Bytes)>,
}

impl Entries {
    pub fn forward(&mut self) {
        self.current = self.rest().next().map(|(key, value)| (key.clone(), value.clone()));
        if let Some((key, _)) = &self.current {
            self.bounds.0 = Bound::Excluded(key.clone());
        }
    }

    pub fn backward(&mut self) {
        self.current = self.rest().next_back().map(|(key, value)| (key.clone(), value.clone()));
        if let Some((key, _)) = &self.current {
            self.bounds.1 = Bound::Excluded(key.clone());
        }
    }

    pub fn current(&self) -> Option<(&[u8], &[u8])> {
        self.current.as_ref().map(|(key, value)| (&key[..], &value[..]))
    }

    fn rest(&self) -> std::collections::btree_map::Range<'_, Bytes, Bytes> {
        self.records.range::<Bytes, _>((self.bounds.0.as_ref(), self.bounds.1.as_ref()))
    }
}
