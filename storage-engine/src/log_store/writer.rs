//! Log writer: the one thread (in a simulation: task) that writes the changes of all groups.
//! Owns: what goes into a round, its one batch and one sync, the order of completions.
//! Does not own: the groups' state in memory, which was changed when the request was made.
//! Invariant: a completion is given after the sync that covers it, in the order of the queue. After a failure the drive is
//! poisoned, and every later round fails before it touches the drive.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedReceiver;

use super::key::{self, State};
use super::purged_record::PurgedRecord;
use super::request::{Change, Message, Request};
use super::sync_mark::SyncMark;
use super::{Shared, counters, lock};
use crate::error::{Context, Result};
use crate::format::Record;
use crate::rocks::{ColumnFamily, Durability, WriteBatch};

/// Bounds a round of many small requests, which `round_bytes_max` does not.
const ROUND_REQUESTS_MAX: usize = 4096;
/// While several clients write at once, those who are about to queue get the CPU this many times before a round is closed: it costs
/// microseconds, where a sync that they miss costs them another one.
const YIELDS_MAX: u32 = 2;

pub(super) struct Writer {
    shared: Arc<Shared>,
    mark: SyncMark,
    /// The last synced round.
    round: u64,
    /// The last round had several requests.
    busy: bool,
}

impl Writer {
    pub fn new(shared: Arc<Shared>, mark: SyncMark, round: u64) -> Self {
        Self { shared, mark, round, busy: false }
    }

    /// Runs until it is told to stop, or the last handle is gone.
    pub fn run(mut self, queue: &Receiver<Message>) {
        let mut requests = Vec::new();
        let mut running = true;
        while running {
            running = self.collect(queue, &mut requests);
            if !requests.is_empty() {
                self.write_round(&mut requests);
            }
        }
    }

    /// Waits for a request, then takes what else is there: what came during the last sync becomes one round. `false` if
    /// nothing may follow.
    fn collect(&mut self, queue: &Receiver<Message>, requests: &mut Vec<Request>) -> bool {
        let mut bytes = 0;
        let mut next = queue.recv().ok();
        let mut yields = if self.busy { YIELDS_MAX } else { 0 };
        loop {
            match next {
                None => return !requests.is_empty(),
                Some(Message::Stop) => return false,
                Some(Message::Request(request)) => {
                    bytes += request.change.as_ref().map_or(0, Change::bytes);
                    requests.push(request);
                }
            }
            if bytes >= self.shared.options.round_bytes_max || requests.len() >= ROUND_REQUESTS_MAX {
                return true;
            }
            next = queue.try_recv().ok();
            while next.is_none() && yields > 0 {
                yields -= 1;
                std::thread::yield_now();
                next = queue.try_recv().ok();
            }
            if next.is_none() {
                self.busy = requests.len() > 1;
                return true;
            }
        }
    }

    /// As `run`, where no thread may wait: its syncs take the time that the simulation says.
    pub async fn run_as_task(mut self, mut queue: UnboundedReceiver<Message>) {
        while let Some(Message::Request(first)) = queue.recv().await {
            let mut requests = vec![first];
            let mut running = true;
            while running && requests.len() < ROUND_REQUESTS_MAX {
                match queue.try_recv() {
                    Ok(Message::Request(request)) => requests.push(request),
                    Ok(Message::Stop) => running = false,
                    Err(_) => break,
                }
            }
            let written = self.write(&requests);
            if let (Ok(true), Some(time)) = (&written, self.shared.rocks.simulated_sync_time()) {
                tokio::time::sleep(time).await;
            }
            self.end_round(written, &mut requests);
            if !running {
                return;
            }
        }
    }

    fn write_round(&mut self, requests: &mut Vec<Request>) {
        let written = self.write(requests);
        self.end_round(written, requests);
    }

    fn end_round(&mut self, written: Result<bool>, requests: &mut Vec<Request>) {
        counters::add(&self.shared.counters.rounds, 1);
        counters::add(&self.shared.counters.requests, requests.len());
        let result = written.and_then(|needs_sync| if needs_sync { self.sync() } else { Ok(()) });
        let tail_bytes_max = self.shared.tail_bytes_max();
        for request in requests.drain(..) {
            if result.is_ok() {
                lock(&self.shared.group(request.group)).written(request.sequence, tail_bytes_max);
            }
            request.completion.complete(result.clone());
        }
    }

    /// Whether it must be synced before anybody is told of it.
    fn write(&mut self, requests: &[Request]) -> Result<bool> {
        let mut batch = self.shared.rocks.batch();
        let mut needs_sync = false;
        for request in requests {
            if let Some(change) = &request.change {
                self.put(&mut batch, request.group, change);
                needs_sync |= change.needs_sync();
            }
        }
        if !needs_sync {
            if batch.is_empty() {
                return self.shared.poison.check().map(|()| false);
            }
        } else {
            batch.put(ColumnFamily::RaftState, &key::ROUND, &(self.round + 1).to_be_bytes());
        }
        self.shared.rocks.write(batch, Durability::Logged).context("write log")?;
        Ok(needs_sync)
    }

    /// Of the round that was written last.
    fn sync(&mut self) -> Result<()> {
        self.shared.rocks.sync_log().context("write log")?;
        counters::add(&self.shared.counters.syncs, 1);
        self.round += 1;
        self.mark.store(self.round);
        // Another store of the drive may have failed during the sync.
        self.shared.poison.check()
    }

    fn put(&self, batch: &mut WriteBatch, group: u32, change: &Change) {
        const LOG: ColumnFamily = ColumnFamily::RaftLog;
        const STATE: ColumnFamily = ColumnFamily::RaftState;
        match change {
            Change::Append(entries) => {
                for (index, entry) in entries {
                    batch.put(LOG, &key::entry(group, *index), entry);
                }
                counters::add(&self.shared.counters.entries, entries.len());
                counters::add(&self.shared.counters.entry_bytes, change.bytes());
            }
            Change::Vote(vote) => batch.put(STATE, &key::state(group, State::Vote), vote),
            Change::Committed(committed) => batch.put(STATE, &key::state(group, State::Committed), committed),
            Change::Truncate(entries) => {
                batch.delete_range(LOG, &key::entry(group, entries.start), &key::entry(group, entries.end));
            }
            Change::Purge { entries, marker } => {
                batch.delete_range(LOG, &key::entry(group, entries.start), &key::entry(group, entries.end));
                let purged = PurgedRecord { through: entries.end - 1, marker: marker.clone() };
                batch.put(STATE, &key::state(group, State::Purged), &purged.to_bytes());
            }
            Change::Forget { entries, promised } => {
                batch.delete_range(LOG, &key::entry(group, entries.start), &key::entry(group, entries.end));
                batch.delete(STATE, &key::state(group, State::Committed));
                batch.delete(STATE, &key::state(group, State::Purged));
                match promised {
                    Some(promised) => batch.put(STATE, &key::state(group, State::Promised), promised),
                    None => batch.delete(STATE, &key::state(group, State::Promised)),
                }
            }
        }
    }
}
