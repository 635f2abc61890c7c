//! Reader: a state of a group that contains every change acknowledged before, to read from.
//! Owns: asking the leader what that state is, waiting until this node has it, or reading it on a node that has.

use std::time::Duration;

use onggi_storage_engine::format::Record;

use super::attempts::Attempts;
use super::remote_view::RemoteView;
use super::routing::Routing;
use super::wire::{ReadIndexAnswer, ReadIndexRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::metadata::view::{InMemoryView, MetadataView, StoreView};
use crate::peer::Method;
use crate::raft::Group;

/// A leader that has lost its majority does not answer.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(1);

/// A state that contains every change acknowledged before it was asked for.
pub(super) enum CurrentView {
    /// Of this node's own copy.
    Here(StoreView),
    Remote(RemoteView),
}

impl CurrentView {
    /// Runs `query` on it: here if memory can answer, else where it may block.
    pub async fn answer<T, Q>(self, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView) -> Result<T> + Send + 'static,
    {
        let view = match self {
            Self::Remote(view) => Self::Remote(view),
            Self::Here(view) => match InMemoryView::new(view).answer(&query) {
                Ok(answer) => return answer,
                Err(view) => Self::Here(view),
            },
        };
        let view = view.into_boxed();
        tokio::task::spawn_blocking(move || query(&*view))
            .await
            .map_err(|panic| Error::caused_by(ErrorKind::Internal, "read metadata", panic))?
    }

    /// Its reads block, on the disk or on another node.
    pub fn into_boxed(self) -> Box<dyn MetadataView + Send> {
        match self {
            Self::Here(view) => Box::new(view),
            Self::Remote(view) => Box::new(view),
        }
    }
}

#[derive(Clone)]
pub(super) struct Reader {
    routing: Routing,
}

impl Reader {
    pub fn new(routing: Routing) -> Self {
        Self { routing }
    }

    pub async fn view(&self, group: GroupId) -> Result<CurrentView> {
        let mut attempts = Attempts::new();
        loop {
            let error = match self.attempt(group, attempts.number()).await {
                Ok(view) => return Ok(view),
                Err(error) => error,
            };
            let again = matches!(
                error.kind(),
                ErrorKind::NotLeader | ErrorKind::Unavailable | ErrorKind::OutcomeUnknown | ErrorKind::Overloaded
            );
            if !again {
                return Err(error);
            }
            if !attempts.next(self.routing.reaches_majority(group)).await {
                return Err(Error::caused_by(ErrorKind::Unavailable, format!("read group {}", group.0), error));
            }
        }
    }

    async fn attempt(&self, group: GroupId, number: u32) -> Result<CurrentView> {
        match self.routing.groups.get(group) {
            Ok(here) => Ok(CurrentView::Here(self.view_here(&here, number).await?)),
            Err(_) => Ok(CurrentView::Remote(RemoteView::open(&self.routing, group, number).await?)),
        }
    }

    /// On this node's own copy of the group.
    pub async fn view_here(&self, group: &Group, number: u32) -> Result<StoreView> {
        match tokio::time::timeout(ATTEMPT_TIME_MAX, group.linearizable_view()).await {
            Ok(Ok(view)) => return Ok(view),
            Ok(Err(error)) if error.kind() == ErrorKind::NotLeader => {}
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => return Err(Error::new(ErrorKind::Unavailable, "no majority confirmed this leader")),
        }
        let id = group.id();
        let leader = self.routing.leader(id, number).filter(|leader| *leader != self.routing.node);
        let Some(leader) = leader else {
            return Err(Error::new(ErrorKind::NotLeader, format!("group {} has no leader yet", id.0)));
        };
        let request = vec![ReadIndexRequest { group: id }.to_bytes()];
        let answer = self.routing.peers.call(leader, Method::READ_INDEX, request, ATTEMPT_TIME_MAX).await;
        let answer = answer.map_err(|error| {
            // Whatever went wrong there, nothing was changed: ask again.
            Error::caused_by(ErrorKind::Unavailable, format!("ask node {} for a read index", leader.0), error)
        })?;
        group.wait_applied(ReadIndexAnswer::from_bytes(&answer)?.index, ATTEMPT_TIME_MAX).await?;
        group.local_view()
    }
}
