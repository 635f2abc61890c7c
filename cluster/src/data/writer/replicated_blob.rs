//! Replicated blob: one body on its way to all replicas at once.
//! Owns: who is waited for and for how long, who is dropped, and what goes on after the majority has it.
//! Does not own: what a majority is (`quorum`), how a chunk gets there (`replica`).
//! Invariant: at most `APPENDS_IN_FLIGHT_MAX` chunks are on their way to each replica, so a body of any size holds that many.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::chunk_store::Appended;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::APPENDS_IN_FLIGHT_MAX;
use super::destination::Destination;
use super::quorum::Quorum;
use super::replica::{Chunk, Replica};
use crate::data::blob_layout::BlobLayout;
use crate::data::replica_set::ReplicaSet;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ChunkId, NodeId};

/// How often a wait looks whether those it waits for are still up.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A replica slower than the majority may hold it up for one part in this many of the time the body took so far: its jitter is
/// absorbed, its slowness is not.
const PATIENCE_PART: u32 = 4;
/// From the start a body has this much patience, …
const PATIENCE_MIN: Duration = Duration::from_millis(100);
/// … and never more than this at a stretch.
const STALL_MAX: Duration = Duration::from_secs(1);
/// What the replicas beyond the majority get after the reply.
const BACKGROUND_LIMIT: Duration = Duration::from_secs(2);

pub struct ReplicatedBlob {
    destination: Arc<Destination>,
    set: Arc<ReplicaSet>,
    quorum: Quorum,
    /// In the order of the quorum's replicas.
    parts: Vec<Part>,
    steps: JoinSet<(usize, Result<Step>)>,
    begun: Instant,
    /// For laggards, in all.
    waited: Duration,
    /// A step panicked: whose it was is not known, so nobody is trusted any more.
    broken: bool,
}

struct Part {
    replica: Replica,
    appended: Vec<Appended>,
    on_their_way: Vec<AbortHandle>,
    syncing: bool,
}

enum Step {
    Appended(Option<Appended>),
    Synced,
}

impl ReplicatedBlob {
    /// `Unavailable` at once if no majority is up.
    pub fn begin(destination: Arc<Destination>, set: Arc<ReplicaSet>) -> Result<Self> {
        let quorum = Quorum::new(set.voters.clone(), set.learners());
        let part = |node| {
            let replica = destination.replica(node);
            Part { replica, appended: Vec::new(), on_their_way: Vec::new(), syncing: false }
        };
        let parts = quorum.nodes().map(part).collect();
        let (steps, begun) = (JoinSet::new(), Instant::now());
        let mut blob = Self { destination, set, quorum, parts, steps, begun, waited: Duration::ZERO, broken: false };
        blob.drop_those_down();
        blob.check()?;
        Ok(blob)
    }

    /// Waits while too many chunks are on their way to a majority, and a little for the others.
    pub async fn append(&mut self, chunk: ChunkId, payload: Vec<Bytes>) -> Result<()> {
        self.make_room().await?;
        let chunk = Chunk::new(chunk, payload);
        self.quorum.send();
        for replica in self.quorum.writing() {
            let (to, chunk) = (self.parts[replica].replica.clone(), chunk.clone());
            let step = async move { (replica, to.append(chunk).await.map(Step::Appended)) };
            self.start(replica, step);
        }
        Ok(())
    }

    /// Who has all of the body, durable, when this returns: a majority. The others go on for a while.
    pub async fn finish(mut self, layout: BlobLayout) -> Result<Vec<NodeId>> {
        let mut stalled = Duration::ZERO;
        loop {
            self.take_in_finished();
            self.drop_those_down();
            self.start_syncs(layout);
            self.check()?;
            if !self.quorum.is_durable() {
                self.wait(LOOK_EVERY).await;
                continue;
            }
            // Asked at the last moment: these are the nodes that the commit is about to name the blob on.
            let set = self.destination.set_of_group(self.set.group)?;
            self.quorum.require(&set.voters);
            if !self.quorum.is_durable() {
                continue;
            }
            // Those who vote after a move may do so before this node hears of it, and then it is them who are counted.
            let patience = self.patience().min(STALL_MAX.saturating_sub(stalled));
            if patience.is_zero() || !self.quorum.may_become_durable_on(&set.target) {
                break;
            }
            stalled += self.wait_for_laggards(patience).await;
        }
        let synced_on = self.quorum.synced_on();
        self.go_on_in_background(layout);
        Ok(synced_on)
    }

    async fn make_room(&mut self) -> Result<()> {
        let in_flight_max = APPENDS_IN_FLIGHT_MAX as u32;
        let mut stalled = Duration::ZERO;
        loop {
            self.take_in_finished();
            self.drop_those_down();
            self.check()?;
            if self.quorum.on_their_way_to_majority() >= in_flight_max {
                self.wait(LOOK_EVERY).await;
                continue;
            }
            let mut laggards = self.quorum.writing();
            laggards.retain(|replica| self.quorum.on_their_way(*replica) >= in_flight_max);
            if laggards.is_empty() {
                return Ok(());
            }
            let patience = self.patience().min(STALL_MAX.saturating_sub(stalled));
            if patience.is_zero() {
                for laggard in laggards {
                    self.lose(laggard, &Error::new(ErrorKind::Unavailable, "it is too slow"));
                }
                continue;
            }
            stalled += self.wait_for_laggards(patience).await;
        }
    }

    /// How long that was.
    async fn wait_for_laggards(&mut self, patience: Duration) -> Duration {
        let since = Instant::now();
        self.wait(patience.min(LOOK_EVERY)).await;
        let waited = since.elapsed();
        self.waited += waited;
        waited
    }

    /// What is left of the time that laggards may take from this body.
    fn patience(&self) -> Duration {
        (self.begun.elapsed() / PATIENCE_PART).max(PATIENCE_MIN).saturating_sub(self.waited)
    }

    fn check(&self) -> Result<()> {
        if self.broken {
            return Err(Error::new(ErrorKind::Internal, "a step of a write panicked"));
        }
        match self.quorum.failure() {
            None => Ok(()),
            Some(kind) => {
                let context = format!("group {}: no majority of its replicas takes the bytes", self.set.group.0);
                Err(Error::new(kind, context))
            }
        }
    }

    fn start_syncs(&mut self, layout: BlobLayout) {
        for replica in self.quorum.writing() {
            let part = &mut self.parts[replica];
            if self.quorum.has_all(replica) && !part.syncing {
                part.syncing = true;
                let (to, appended) = (part.replica.clone(), std::mem::take(&mut part.appended));
                let step = async move { (replica, to.sync(layout, appended).await.map(|()| Step::Synced)) };
                self.start(replica, step);
            }
        }
    }

    fn start(&mut self, replica: usize, step: impl Future<Output = (usize, Result<Step>)> + Send + 'static) {
        let handle = self.steps.spawn(step);
        let on_their_way = &mut self.parts[replica].on_their_way;
        on_their_way.retain(|handle| !handle.is_finished());
        on_their_way.push(handle);
    }

    /// Until something has ended, or for `limit`.
    async fn wait(&mut self, limit: Duration) {
        match tokio::time::timeout(limit, self.steps.join_next()).await {
            Ok(Some(ended)) => self.take_in(ended),
            Ok(None) => tokio::time::sleep(limit).await,
            Err(_elapsed) => {}
        }
    }

    fn take_in_finished(&mut self) {
        while let Some(ended) = self.steps.try_join_next() {
            self.take_in(ended);
        }
    }

    fn take_in(&mut self, ended: std::result::Result<(usize, Result<Step>), tokio::task::JoinError>) {
        match ended {
            Ok((replica, Ok(Step::Appended(appended)))) => {
                self.quorum.stored(replica);
                self.parts[replica].appended.extend(appended);
            }
            Ok((replica, Ok(Step::Synced))) => self.quorum.synced(replica),
            Ok((replica, Err(error))) => self.lose(replica, &error),
            // Aborted, because its replica was dropped.
            Err(stopped) => self.broken |= stopped.is_panic(),
        }
    }

    fn drop_those_down(&mut self) {
        for replica in self.quorum.writing() {
            if !self.parts[replica].replica.is_up() {
                self.lose(replica, &Error::new(ErrorKind::Unavailable, "it is down"));
            }
        }
    }

    /// Repair brings the replica what it misses, if the blob is named.
    fn lose(&mut self, replica: usize, why: &Error) {
        if !self.quorum.is_writing(replica) {
            return;
        }
        self.quorum.lose(replica, why.kind());
        self.destination.counters.count_dropped_replica();
        let part = &mut self.parts[replica];
        // Lets go of the bytes that are on their way.
        part.on_their_way.drain(..).for_each(|step| step.abort());
        let node: Option<NodeId> = self.quorum.nodes().nth(replica);
        tracing::debug!(group = self.set.group.0, ?node, error = %why, "a replica is left out of a write");
    }

    fn go_on_in_background(mut self, layout: BlobLayout) {
        if self.quorum.writing().is_empty() {
            return;
        }
        let permit = self.destination.background.clone().try_acquire_owned();
        let Ok(permit) = permit else {
            let full = Error::new(ErrorKind::Overloaded, "too many bodies have stragglers");
            return self.quorum.writing().into_iter().for_each(|replica| self.lose(replica, &full));
        };
        tokio::spawn(async move {
            let end = Instant::now() + BACKGROUND_LIMIT;
            while !self.quorum.writing().is_empty() && Instant::now() < end && !self.broken {
                self.start_syncs(layout);
                self.wait(LOOK_EVERY).await;
                self.drop_those_down();
            }
            let slow = Error::new(ErrorKind::Unavailable, "it is too slow");
            self.quorum.writing().into_iter().for_each(|replica| self.lose(replica, &slow));
            drop(permit);
        });
    }
}
