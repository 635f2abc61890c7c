//! Proposer: brings a command to the leader of its group, wherever that is.
//! Owns: retries under the same request id, and what is known about the outcome after a failed attempt.

use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::format::Record;

use super::admission::Admission;
use super::attempts::Attempts;
use super::routing::Routing;
use super::wire::{ProposeAnswer, ProposeRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::command::{Change, Command};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::peer::Method;

/// A leader that cannot reach a majority never answers; another attempt, elsewhere and under the same id, tells what came of it.
/// Longer than an honest commit takes on a busy drive.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) struct Proposer {
    routing: Routing,
    admission: Admission,
}

impl Proposer {
    pub fn new(routing: Routing, admission: Admission) -> Self {
        Self { routing, admission }
    }

    pub fn leads(&self, owner: OwnerKey) -> bool {
        let group = self.routing.placement.group_of(owner);
        self.routing.here(group).is_ok_and(|group| group.is_leader())
    }

    /// `OutcomeUnknown`: it may have happened. Any other error: it did not.
    pub async fn propose(&self, mut command: Command) -> Result<Outcome> {
        let mut encoded = command.encode();
        let mut attempts = Attempts::new();
        let mut may_have_happened = false;
        loop {
            // Looked up for each attempt: the owner may have gone to another group, under the same request id.
            let group = self.routing.group_of(&command.change);
            let error = match self.attempt(group, &command.change, encoded.clone(), attempts.number()).await {
                Ok(Outcome::Refused(Refusal::OwnerElsewhere)) => elsewhere(group),
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::NotLeader | ErrorKind::Unavailable => {}
                ErrorKind::OutcomeUnknown => may_have_happened = true,
                _ => return Err(unless_known(error, may_have_happened)),
            }
            if !attempts.next(self.routing.reaches_majority(group)).await {
                return Err(unless_known(error, may_have_happened));
            }
            if may_have_happened && !command.retry {
                command.retry = true;
                encoded = command.encode();
            }
        }
    }

    async fn attempt(&self, group: GroupId, change: &Change, command: Bytes, number: u32) -> Result<Outcome> {
        let Some(leader) = self.routing.leader(group, number) else {
            return Err(Error::new(ErrorKind::Unavailable, format!("nobody is known to hold group {}", group.0)));
        };
        if leader == self.routing.node {
            self.propose_here(group, change, command).await
        } else {
            self.send(leader, group, command).await
        }
    }

    async fn propose_here(&self, group: GroupId, change: &Change, command: Bytes) -> Result<Outcome> {
        let here = self.routing.here(group)?;
        self.admission.check(&here, change)?;
        if self.routing.is_sole_voter(group) {
            return here.propose(command).await;
        }
        match tokio::time::timeout(ATTEMPT_TIME_MAX, here.propose(command)).await {
            Ok(proposed) => proposed,
            Err(_elapsed) => Err(Error::new(
                ErrorKind::OutcomeUnknown,
                format!("propose in group {}: no majority answered within {ATTEMPT_TIME_MAX:?}", group.0),
            )),
        }
    }

    async fn send(&self, leader: NodeId, group: GroupId, command: Bytes) -> Result<Outcome> {
        let request = vec![ProposeRequest { group }.to_bytes(), command];
        let answer = match self.routing.peers.call(leader, Method::PROPOSE, request, ATTEMPT_TIME_MAX).await {
            Ok(answer) => ProposeAnswer::from_bytes(&answer)?,
            Err(error) => {
                self.routing.heard_of_leader(group, None);
                // The node does not have the group (any more).
                let kind = if error.kind() == ErrorKind::NotFound { ErrorKind::NotLeader } else { error.kind() };
                return Err(Error::caused_by(
                    kind,
                    format!("propose in group {} on node {}", group.0, leader.0),
                    error,
                ));
            }
        };
        match answer {
            ProposeAnswer::Decided { outcome } => {
                self.routing.heard_of_leader(group, Some(leader));
                Ok(outcome)
            }
            ProposeAnswer::NotLeader { leader: other } => {
                self.routing.heard_of_leader(group, other);
                Err(Error::new(ErrorKind::NotLeader, format!("node {} does not lead group {}", leader.0, group.0)))
            }
        }
    }
}

/// The map of this node is older than the group's log, or the new map is not published yet.
fn elsewhere(group: GroupId) -> Error {
    Error::new(ErrorKind::Unavailable, format!("group {} does not decide about the owner any more", group.0))
}

/// An attempt that did not happen says nothing about the attempt before it.
fn unless_known(error: Error, may_have_happened: bool) -> Error {
    if may_have_happened && error.kind() != ErrorKind::OutcomeUnknown {
        return Error::caused_by(ErrorKind::OutcomeUnknown, "commit: an earlier attempt may have happened", error);
    }
    error
}
