//! Neighbours: how a node calls others when some of them are in the same process. Those are called without the network; the mesh
//! carries the rest.
//! Invariant: the contract of `Transport`, with a process instead of a wire: what was handed over has no answer only if it takes too long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use tokio::sync::Semaphore;

use super::limits::CALLS_IN_FLIGHT_MAX;
use super::local_nodes::LocalNodes;
use super::{Caller, Mesh, Method, Payload, Transport, concatenate};
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;

pub struct Neighbours {
    mesh: Mesh,
    here: LocalNodes,
    calls: Arc<Semaphore>,
}

impl Neighbours {
    pub fn new(mesh: Mesh, here: LocalNodes) -> Self {
        Self { mesh, here, calls: Arc::new(Semaphore::new(CALLS_IN_FLIGHT_MAX)) }
    }
}

impl Transport for Neighbours {
    fn call(&self, to: NodeId, method: Method, payload: Payload, limit: Duration) -> BoxFuture<'static, Result<Bytes>> {
        let named = move |kind, what: &str| Error::new(kind, format!("{method:?} to node {}: {what}", to.0));
        let server = match self.here.get(to) {
            None => return self.mesh.call(to, method, payload, limit),
            Some(None) => return ready(Err(named(ErrorKind::Unavailable, "its drive is not in use"))).boxed(),
            Some(Some(server)) => server,
        };
        let Ok(turn) = self.calls.clone().try_acquire_owned() else {
            return ready(Err(named(ErrorKind::Overloaded, "too many calls are unanswered"))).boxed();
        };
        // Handed over before this returns, so that calls stay in order; and in a task, because a handler is not made to be dropped.
        let handled = server.handlers.handle(Caller::Node(self.mesh.inner.node), method, concatenate(payload));
        let answer = tokio::spawn(async move {
            let answer = handled.await;
            drop(turn);
            answer
        });
        async move {
            match tokio::time::timeout(limit, answer).await {
                Ok(Ok(Ok(payload))) => Ok(concatenate(payload)),
                Ok(Ok(Err(error))) => Err(named(error.kind(), &error.to_string())),
                Ok(Err(panic)) => Err(named(ErrorKind::OutcomeUnknown, &panic.to_string())),
                Err(_) => Err(named(ErrorKind::OutcomeUnknown, &format!("no answer within {limit:?}"))),
            }
        }
        .boxed()
    }

    fn is_up(&self, node: NodeId) -> bool {
        let itself = node == self.mesh.inner.node;
        itself || self.here.get(node).map_or_else(|| self.mesh.is_up(node), |server| server.is_some())
    }

    fn round_trip(&self, node: NodeId) -> Option<Duration> {
        self.here.get(node).map_or_else(|| self.mesh.round_trip(node), |_| Some(Duration::ZERO))
    }
}
