//! Log: one group's part of the drive's log store, in the shape that openraft asks for.
//! Owns: entries, votes and positions as our own bytes (`format`); telling the read gate of appended memberships.
//! Does not own: batching and syncing, which `LogStore` does for all groups at once.
//! Invariant: vote, entries, truncations and purges go through the store's one queue, in the order openraft gave them.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use futures::{Stream, TryStreamExt, stream};
use onggi_storage_engine::error as engine;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::log_store::LogStore;
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};

use super::format::{self, LogIdRecord, VoteRecord};
use super::linearizable::ReadGate;
use super::type_config::{Entry, LogId, Payload, TypeConfig, Vote};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;

/// Entries are read back in steps of this many bytes, so that a long catch-up does not fill the memory.
const READ_STEP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What one message to a follower carries, at least one entry: small enough that heartbeats behind it come in time.
const APPEND_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone)]
pub struct Log {
    group: GroupId,
    store: LogStore,
    gate: Arc<ReadGate>,
}

impl Log {
    pub fn new(group: GroupId, store: LogStore, gate: Arc<ReadGate>) -> Self {
        Self { group, store, gate }
    }

    /// Entries that the log has in the range: at most a step, at least one if there is any.
    async fn read_step(&self, from: u64, to: u64, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let entries = self.store.read(self.group.0, from..to, bytes_max).await.map_err(io::Error::other)?;
        let mut decoded = Vec::with_capacity(entries.len());
        let first = entries.first().map_or(from, |(index, _)| *index);
        for (expected, (index, bytes)) in (first..).zip(&entries) {
            let entry = format::decode_entry(bytes).map_err(io::Error::other)?;
            if *index != expected || entry.log_id.index != expected {
                let context =
                    format!("log of group {}: {} stands at {index}, not {expected}", self.group.0, entry.log_id);
                return Err(io::Error::new(io::ErrorKind::InvalidData, context));
            }
            decoded.push(entry);
        }
        Ok(decoded)
    }

    async fn log_id_at(&self, index: u64) -> io::Result<LogId> {
        let entries = self.store.read(self.group.0, index..index + 1, 1).await.map_err(io::Error::other)?;
        let Some((_, bytes)) = entries.first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("log entry {index} is gone")));
        };
        format::decode_entry_log_id(bytes).map_err(io::Error::other)
    }
}

impl RaftLogReader<TypeConfig> for Log {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        let (mut from, to) = bounds(&range);
        let mut entries = Vec::new();
        while from < to {
            let step = self.read_step(from, to, READ_STEP_BYTES_MAX).await?;
            let Some(last) = step.last() else { break };
            from = last.log_id.index + 1;
            entries.extend(step);
        }
        Ok(entries)
    }

    async fn entries_stream<RB>(&mut self, range: RB) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let (from, to) = bounds(&range);
        let log = self.clone();
        let steps = stream::try_unfold((log, from), move |(log, from)| async move {
            if from >= to {
                return Ok::<_, io::Error>(None);
            }
            let step = log.read_step(from, to, READ_STEP_BYTES_MAX).await?;
            let Some(last) = step.last() else { return Ok(None) };
            let next = last.log_id.index + 1;
            let entries = stream::iter(step.into_iter().map(Ok::<_, io::Error>));
            Ok(Some((entries, (log, next))))
        });
        Box::pin(steps.try_flatten())
    }

    /// May return fewer than asked for, which openraft allows here: what one message carries.
    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read_step(start, end, APPEND_BYTES_MAX).await
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        let state = self.store.state(self.group.0).map_err(io::Error::other)?;
        let vote = state.vote.map(|bytes| VoteRecord::from_bytes(&bytes)).transpose().map_err(io::Error::other)?;
        Ok(vote.map(|record| record.0))
    }
}

impl RaftLogStorage<TypeConfig> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let state = self.store.state(self.group.0).map_err(io::Error::other)?;
        let last_purged_log_id = decode_log_id(state.purged)?;
        let last_log_id = match state.last {
            Some(last) => Some(self.log_id_at(last).await?),
            None => last_purged_log_id,
        };
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.store.save_vote(self.group.0, VoteRecord(*vote).to_bytes()).await.map_err(io::Error::other)
    }

    /// Not synced: a `committed` that is too old costs a re-apply after the election, never a lost entry.
    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        let Some(committed) = committed else { return Ok(()) };
        self.store.save_committed(self.group.0, LogIdRecord(committed).to_bytes()).await.map_err(io::Error::other)
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        decode_log_id(self.store.state(self.group.0).map_err(io::Error::other)?.committed)
    }

    /// Returns when the entries are queued and readable; `callback` fires after their sync.
    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut encoded = Vec::new();
        for entry in entries {
            if let Payload::Membership(membership) = &entry.payload {
                self.gate.membership_appended(entry.log_id.index, membership);
            }
            encoded.push((entry.log_id.index, format::encode_entry(&entry)));
        }
        let done = move |done: engine::Result<()>| callback.io_completed(done.map_err(io::Error::other));
        self.store.append(self.group.0, encoded, done).await;
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let last = last_log_id.map(|log_id| log_id.index);
        self.store.truncate_after(self.group.0, last).await.map_err(io::Error::other)
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        let marker = LogIdRecord(log_id).to_bytes();
        self.store.purge_through(self.group.0, log_id.index, marker).await.map_err(io::Error::other)
    }
}

/// The last entry of a log; if all were purged, the last of those.
pub async fn end_of_log(store: &LogStore, group: GroupId) -> Result<Option<LogId>> {
    let state = store.state(group.0)?;
    let Some(last) = state.last else {
        let purged = state.purged.map(|bytes| LogIdRecord::from_bytes(&bytes)).transpose()?;
        return Ok(purged.map(|record| record.0));
    };
    match store.read(group.0, last..last + 1, 1).await?.first() {
        Some((_, entry)) => Ok(Some(format::decode_entry_log_id(entry)?)),
        None => Err(Error::new(ErrorKind::Corrupt, format!("log entry {last} is gone"))),
    }
}

fn decode_log_id(bytes: Option<bytes::Bytes>) -> io::Result<Option<LogId>> {
    let record = bytes.map(|bytes| LogIdRecord::from_bytes(&bytes)).transpose().map_err(io::Error::other)?;
    Ok(record.map(|record| record.0))
}

/// A range as `from..to`.
fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let from = match range.start_bound() {
        Bound::Included(index) => *index,
        Bound::Excluded(index) => index.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(index) => index.saturating_add(1),
        Bound::Excluded(index) => *index,
        Bound::Unbounded => u64::MAX,
    };
    (from, to)
}
