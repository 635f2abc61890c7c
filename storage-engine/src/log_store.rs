//! Log store: the Raft logs and votes of all groups of a node, in one database, through one writer and one sync a round.
//! Owns: order, durability and completeness of logs (no holes); recent entries in memory; noticing a lost tail.
//! Does not own: what an entry, vote or marker means (cluster::raft); when a log is purged (its snapshot policy).
//! Invariant: what was completed survives a crash, in the order of the calls of its group (docs/log-store.md).
//!
//! A call changes the group's state in memory and stands in the writer's queue when it returns or first waits. Calls that
//! change one group come from one task at a time, as openraft's do. Not cancel-safe in one way: a call that was dropped
//! while it waited for room in the queue did nothing; one dropped later happens all the same.

mod completion;
mod counters;
mod group_log;
mod key;
mod options;
mod purged_record;
mod queue;
mod reader;
mod recovery;
mod request;
mod sync_mark;
mod tail;
mod writer;

pub use counters::LogCounters;
pub use group_log::LogState;
pub use options::LogStoreOptions;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::drive::Poison;
use crate::env::Environment;
use crate::error::{Context, Result};
use crate::rocks::Rocks;
use completion::Completion;
use counters::Counters;
use group_log::GroupLog;
use queue::Queue;
use request::{Change, Message, Request};
use sync_mark::SyncMark;
use writer::Writer;

#[derive(Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    /// Bytes that may still be put into the queue, in units of `QUEUE_UNIT_BYTES`.
    room: Arc<Semaphore>,
    room_max: u32,
}

/// What the callers and the writer share.
struct Shared {
    rocks: Rocks,
    poison: Poison,
    options: LogStoreOptions,
    groups: Mutex<HashMap<u32, Arc<Mutex<GroupLog>>>>,
    counters: Counters,
}

const QUEUE_UNIT_BYTES: usize = 1024;

impl LogStore {
    /// Reads the state of all logs and checks it; `directory` is the drive's.
    pub fn open(
        directory: &Path,
        rocks: Rocks,
        poison: Poison,
        environment: &Environment,
        options: LogStoreOptions,
    ) -> Result<Self> {
        let recovered = recovery::recover(&rocks).context("recover logs")?;
        let mark = SyncMark::open(&*environment.disk, directory, recovered.round)?;
        let groups = recovered.groups.into_iter().map(|(group, log)| (group, Arc::new(Mutex::new(log)))).collect();
        let room_max = u32::try_from(options.queue_bytes_max / QUEUE_UNIT_BYTES).unwrap_or(u32::MAX).max(1);
        let shared =
            Arc::new(Shared { rocks, poison, options, groups: Mutex::new(groups), counters: Counters::default() });
        let queue = Queue::start(Writer::new(shared.clone(), mark, recovered.round))?;
        Ok(Self { shared, queue: Arc::new(queue), room: Arc::new(Semaphore::new(room_max as usize)), room_max })
    }

    /// Adds entries with consecutive indexes to the end of a log. They are readable when this returns; `done` is called
    /// by the writer after the sync that covers them, and must not block.
    pub async fn append(&self, group: u32, entries: Vec<(u64, Bytes)>, done: impl FnOnce(Result<()>) + Send + 'static) {
        let completion = Completion::new(done);
        let bytes: usize = entries.iter().map(|(_, entry)| entry.len()).sum();
        let room = self.room(bytes).await;
        let queued = room.and_then(|room| {
            self.change(group, room, completion.clone(), |log, sequence| {
                log.append(&entries, sequence)?;
                Ok(Some(Change::Append(entries)))
            })
        });
        if let Err(error) = queued {
            completion.complete(Err(error));
        }
    }

    /// Returns when the vote is durable.
    pub async fn save_vote(&self, group: u32, vote: Bytes) -> Result<()> {
        self.change_and_wait(group, vote.len(), |log| {
            log.vote = Some(vote.clone());
            Ok(Some(Change::Vote(vote)))
        })
        .await
    }

    /// Returns when it is queued; it waits for no sync of its own, and an older value may come back after a power loss.
    pub async fn save_committed(&self, group: u32, committed: Bytes) -> Result<()> {
        let room = self.room(committed.len()).await?;
        self.change(group, room, Completion::ignored(), |log, _| {
            log.committed = Some(committed.clone());
            Ok(Some(Change::Committed(committed)))
        })
    }

    /// Removes all entries after `last`, or all there are. Returns when that is durable.
    pub async fn truncate_after(&self, group: u32, last: Option<u64>) -> Result<()> {
        self.change_and_wait(group, 0, |log| Ok(log.truncate_after(last).map(Change::Truncate))).await
    }

    /// Removes all entries up to `through`, which may lie behind the end: the log then goes on after it. `marker` comes
    /// back as `LogState::purged`. Not synced: after a power loss the entries may be there again, never without marker.
    pub async fn purge_through(&self, group: u32, through: u64, marker: Bytes) -> Result<()> {
        self.change_and_wait(group, marker.len(), |log| {
            Ok(log.purge_through(through, marker.clone()).map(|entries| Change::Purge { entries, marker }))
        })
        .await
    }

    /// Makes the log one that never was: no entries, no marker, no committed position. The vote stays, because a node that
    /// comes back into a group must not vote twice in a term; `promised` stays too, for the caller to know what the log had. Returns when
    /// that is durable.
    pub async fn forget(&self, group: u32, promised: Option<Bytes>) -> Result<()> {
        let kept = promised.clone();
        let change = |log: &mut GroupLog| Ok(Some(Change::Forget { entries: log.forget(kept), promised }));
        self.change_and_wait(group, 0, change).await
    }

    /// The entries of the range that exist, from its first on: at least one if there is any, then as many as fit into
    /// `bytes_max`. May end early, where what is in memory begins; ask again from there.
    pub async fn read(&self, group: u32, range: std::ops::Range<u64>, bytes_max: usize) -> Result<Vec<(u64, Bytes)>> {
        self.shared.poison.check()?;
        reader::read(&self.shared, group, range, bytes_max).await
    }

    pub fn state(&self, group: u32) -> Result<LogState> {
        self.shared.poison.check()?;
        Ok(lock(&self.shared.group(group)).state())
    }

    /// Those that have, or had, anything.
    pub fn groups(&self) -> Vec<u32> {
        let mut groups: Vec<u32> = lock(&self.shared.groups).keys().copied().collect();
        groups.sort_unstable();
        groups
    }

    pub fn counters(&self) -> LogCounters {
        self.shared.counters.read()
    }

    /// Writes what is queued and stops. Later calls fail.
    pub async fn close(&self) -> Result<()> {
        self.queue.stop().await?;
        self.shared.poison.check()
    }

    async fn change_and_wait(
        &self,
        group: u32,
        bytes: usize,
        change: impl FnOnce(&mut GroupLog) -> Result<Option<Change>>,
    ) -> Result<()> {
        let room = self.room(bytes).await?;
        let (sender, receiver) = oneshot::channel();
        let completion = Completion::new(move |result| {
            // The caller may have gone away; the change happens all the same.
            let _ = sender.send(result);
        });
        self.change(group, room, completion, |log, _| change(log))?;
        receiver.await.unwrap_or_else(|_| Err(request::writer_stopped()))
    }

    /// Changes a group in memory and queues the same change, so that both see changes in one order. A change of nothing
    /// is queued too: it completes in its turn.
    fn change(
        &self,
        group: u32,
        room: OwnedSemaphorePermit,
        completion: Completion,
        change: impl FnOnce(&mut GroupLog, u64) -> Result<Option<Change>>,
    ) -> Result<()> {
        self.shared.poison.check()?;
        let log = self.shared.group(group);
        let mut log = lock(&log);
        let sequence = log.next_sequence();
        let change = change(&mut log, sequence)?;
        let request = Request { group, sequence, change, completion, _room: room };
        self.queue.send(Message::Request(request))
    }

    /// Waits until the queue has room. One request above the whole queue's size waits for an empty one.
    async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(QUEUE_UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.room_max);
        self.room.clone().acquire_many_owned(units).await.map_err(|_| request::writer_stopped())
    }
}

impl Shared {
    fn group(&self, group: u32) -> Arc<Mutex<GroupLog>> {
        lock(&self.groups).entry(group).or_default().clone()
    }

    /// The tails share one bound evenly.
    fn tail_bytes_max(&self) -> usize {
        self.options.tail_bytes_max / lock(&self.groups).len().max(1)
    }
}

/// A panic under one of these locks leaves nothing half done that matters: the drive's truth is in the database.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod log_store_test;
