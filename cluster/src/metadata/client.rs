//! Metadata client: how the rest of the node changes and reads replicated metadata.
//! Owns: routing by owner, request ids and times, retries under the same id, the bound on proposals in flight.
//! Does not own: what a change means (`apply`), agreement (`raft`).

use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::drive::{Health, WriteFor};
use onggi_storage_engine::env::Environment;
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{OwnerKey, RequestId};
use crate::metadata::command::{Change, Command, OwnerChange};
use crate::metadata::outcome::Outcome;
use crate::metadata::view::MetadataView;
use crate::placement::PartitionMap;
use crate::raft::{Group, GroupSet};

/// A proposal that did not happen, or may have, is made again this many times under the same id: 50, 100, 200, 400 ms apart,
/// which spans an election (at most 1.5 s with its messages) only with a leader that is found soon; then the caller decides.
const RETRIES_MAX: u32 = 4;
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Which part of the key space a read is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Users, access keys, bucket names: every node has a copy.
    System,
    Owner(OwnerKey),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct MetadataClient {
    inner: Arc<Inner>,
}

struct Inner {
    groups: Arc<GroupSet>,
    map: PartitionMap,
    environment: Environment,
    drive: Arc<Health>,
    in_flight: Arc<Semaphore>,
}

impl MetadataClient {
    pub(crate) fn new(
        groups: Arc<GroupSet>,
        map: PartitionMap,
        environment: Environment,
        drive: Arc<Health>,
        proposals_in_flight_max: usize,
    ) -> Self {
        let in_flight = Arc::new(Semaphore::new(proposals_in_flight_max));
        Self { inner: Arc::new(Inner { groups, map, environment, drive, in_flight }) }
    }

    /// Decides a change in the owner's group (or the system group). A refusal is an `Outcome`, not an error.
    /// Runs on when the caller is dropped. `OutcomeUnknown`: it may have happened.
    pub async fn commit(&self, change: Change) -> Result<Outcome> {
        let time_ms = self.now_ms();
        let request = self.new_request_id(time_ms);
        self.commit_command(Command { request, retry: false, time_ms, change }).await
    }

    /// Runs `query` on a state that contains every change acknowledged before the call. `query` may block on the disk.
    pub async fn read<T, Q>(&self, route: Route, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&dyn MetadataView) -> Result<T> + Send + 'static,
    {
        let group = match route {
            Route::System => self.inner.groups.system().clone(),
            Route::Owner(owner) => self.inner.groups.get(self.inner.map.group_of(owner))?,
        };
        let view = group.linearizable_view().await?;
        tokio::task::spawn_blocking(move || query(&view))
            .await
            .map_err(|panic| Error::caused_by(ErrorKind::Internal, "read metadata", panic))?
    }

    /// Commits under an id and a time that are given, so that a later attempt can be the same request.
    pub(crate) async fn commit_command(&self, command: Command) -> Result<Outcome> {
        // Before the log has it: a full disk in the middle of a write would fail the drive.
        self.inner.drive.admit(write_for(&command.change))?;
        let Ok(permit) = self.inner.in_flight.clone().try_acquire_owned() else {
            return Err(Error::new(ErrorKind::Overloaded, "too many changes are on their way"));
        };
        let group = self.inner.group_of(&command.change)?;
        // In a task of its own: a connection that goes away must not take the answer to its retries along.
        let proposal = tokio::spawn(async move {
            let outcome = propose(&group, command).await;
            drop(permit);
            outcome
        });
        proposal.await.map_err(|panic| Error::caused_by(ErrorKind::OutcomeUnknown, "commit", panic))?
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.inner.environment.clock.unix_ms()
    }

    fn new_request_id(&self, time_ms: u64) -> RequestId {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&time_ms.to_be_bytes()[2..]);
        self.inner.environment.random.fill(&mut id[6..]);
        RequestId(id)
    }
}

impl Inner {
    fn group_of(&self, change: &Change) -> Result<Arc<Group>> {
        let group = match change {
            Change::System(_) => self.groups.system().clone(),
            Change::Owner { owner, .. } => self.groups.get(self.map.group_of(*owner))?,
        };
        Ok(group)
    }
}

/// Everything but what adds bytes of users goes on while the drive is full, deletes above all.
fn write_for(change: &Change) -> WriteFor {
    match change {
        Change::Owner {
            change:
                OwnerChange::PutObject(_)
                | OwnerChange::CopyObject(_)
                | OwnerChange::PutPart { .. }
                | OwnerChange::CreateUpload { .. },
            ..
        } => WriteFor::Storing,
        Change::Owner { .. } | Change::System(_) => WriteFor::Changing,
    }
}

async fn propose(group: &Group, mut command: Command) -> Result<Outcome> {
    let mut encoded = command.encode();
    let mut pause = RETRY_PAUSE;
    let mut may_have_happened = false;
    for _ in 0..RETRIES_MAX {
        let error = match group.propose(encoded.clone()).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::NotLeader | ErrorKind::Unavailable => {}
            ErrorKind::OutcomeUnknown => may_have_happened = true,
            _ => return Err(unless_known(error, may_have_happened)),
        }
        if may_have_happened && !command.retry {
            command.retry = true;
            encoded = command.encode();
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    group.propose(encoded).await.map_err(|error| unless_known(error, may_have_happened))
}

/// An attempt that did not happen says nothing about the attempt before it.
fn unless_known(error: Error, may_have_happened: bool) -> Error {
    if may_have_happened && error.kind() != ErrorKind::OutcomeUnknown {
        return Error::caused_by(ErrorKind::OutcomeUnknown, "commit: an earlier attempt may have happened", error);
    }
    error
}
