//! Reader: a state of a group that contains every change acknowledged before, to read from.
//! Owns: asking the leader what that state is, waiting until this node has it, or reading it on a node that has.

use std::time::Duration;

use onggi_storage_engine::env::spawn_waiting;
use onggi_storage_engine::format::Record;

use super::Route;
use super::attempts::Attempts;
use super::remote_view::RemoteView;
use super::routing::Routing;
use super::wire::{ReadIndexAnswer, ReadIndexRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, OwnerKey};
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
        spawn_waiting(move || query(&*view))
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

    pub async fn view(&self, route: Route) -> Result<CurrentView> {
        self.view_for(|| match route {
            Route::System => (GroupId::SYSTEM, None),
            // Looked up for each attempt: the owner may have gone to another group.
            Route::Owner(owner) => (self.routing.placement.group_of(owner), Some(owner)),
        })
        .await
    }

    pub async fn view_of_group(&self, group: GroupId) -> Result<CurrentView> {
        self.view_for(|| (group, None)).await
    }

    async fn view_for(&self, wanted: impl Fn() -> (GroupId, Option<OwnerKey>) + Send) -> Result<CurrentView> {
        let mut attempts = Attempts::new();
        loop {
            let (group, owner) = wanted();
            let error = match self.attempt(group, owner, attempts.number()).await {
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

    async fn attempt(&self, group: GroupId, owner: Option<OwnerKey>, number: u32) -> Result<CurrentView> {
        match self.routing.here(group) {
            Ok(here) => Ok(CurrentView::Here(self.view_here(&here, owner, number).await?)),
            Err(_) => Ok(CurrentView::Remote(RemoteView::open(&self.routing, group, owner, number).await?)),
        }
    }

    /// On this node's own copy of the group. `Unavailable` if the group does not decide about `owner` in that state.
    pub async fn view_here(&self, group: &Group, owner: Option<OwnerKey>, number: u32) -> Result<StoreView> {
        let view = self.state_here(group, number).await?;
        match owner {
            Some(owner) if !view.covers(owner) => {
                let context = format!("group {} does not decide about the owner any more", group.id().0);
                Err(Error::new(ErrorKind::Unavailable, context))
            }
            _ => Ok(view),
        }
    }

    async fn state_here(&self, group: &Group, number: u32) -> Result<StoreView> {
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
