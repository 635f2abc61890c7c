//! Metadata client: how the rest of the node changes and reads replicated metadata, wherever the group is.
//! Owns: routing by owner, request ids and times, the bound on proposals in flight.
//! Does not own: what a change means (`apply`), agreement (`raft`), finding the leader (`proposer`), a state to read (`reader`).

mod admission;
mod attempts;
mod open_views;
mod proposer;
mod reader;
mod remote_view;
mod routing;
mod service;
mod wire;

use std::sync::Arc;

use onggi_storage_engine::env::Environment;
use tokio::sync::Semaphore;

pub(crate) use self::admission::Admission;
pub(crate) use self::routing::Routing;
pub(crate) use self::service::with_metadata_handlers;

use self::proposer::Proposer;
use self::reader::Reader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, OwnerKey, RequestId};
use crate::metadata::command::{Change, Command};
use crate::metadata::outcome::Outcome;
use crate::metadata::view::MetadataView;

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
    proposer: Proposer,
    reader: Reader,
    environment: Environment,
    in_flight: Arc<Semaphore>,
}

impl MetadataClient {
    pub(crate) fn new(
        routing: Routing,
        environment: Environment,
        admission: Admission,
        proposals_in_flight_max: usize,
    ) -> Self {
        let in_flight = Arc::new(Semaphore::new(proposals_in_flight_max));
        let (proposer, reader) = (Proposer::new(routing.clone(), admission), Reader::new(routing));
        Self { inner: Arc::new(Inner { proposer, reader, environment, in_flight }) }
    }

    /// Decides a change in the owner's group (or the system group). A refusal is an `Outcome`, not an error.
    /// Runs on when the caller is dropped. `OutcomeUnknown`: it may have happened.
    pub async fn commit(&self, change: Change) -> Result<Outcome> {
        let time_ms = self.now_ms();
        let request = self.new_request_id(time_ms);
        self.commit_command(Command { request, retry: false, time_ms, change }).await
    }

    /// Runs `query` on a state that contains every change acknowledged before the call, by any node. `query` may be run twice: at once
    /// on what is in memory, and if that is not enough on a thread that may wait for the disk or for another node.
    pub async fn read<T, Q>(&self, route: Route, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView) -> Result<T> + Send + 'static,
    {
        self.inner.reader.view(route).await?.answer(query).await
    }

    /// A state of the group that contains every change acknowledged before the call, by any node. Of owners that the group does not
    /// decide about any more it says nothing: an error.
    pub(crate) async fn current_view(&self, group: GroupId) -> Result<Box<dyn MetadataView + Send>> {
        Ok(self.inner.reader.view_of_group(group).await?.into_boxed())
    }

    /// Commits under an id and a time that are given, so that a later attempt can be the same request.
    pub(crate) async fn commit_command(&self, command: Command) -> Result<Outcome> {
        let Ok(permit) = self.inner.in_flight.clone().try_acquire_owned() else {
            return Err(Error::new(ErrorKind::Overloaded, "too many changes are on their way"));
        };
        // In a task of its own: a connection that goes away must not take the answer to its retries along.
        let proposer = self.inner.proposer.clone();
        let proposal = tokio::spawn(async move {
            let outcome = proposer.propose(command).await;
            drop(permit);
            outcome
        });
        proposal.await.map_err(|panic| Error::caused_by(ErrorKind::OutcomeUnknown, "commit", panic))?
    }

    /// Whether this node leads the owner's group, as far as it knows.
    pub(crate) fn leads(&self, owner: OwnerKey) -> bool {
        self.inner.proposer.leads(owner)
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
