//! Server: calls that come in from other nodes.
//! Owns: who is let in, how many connections, and how much one of them may have this node do at a time.
//! Does not own: what a method does (`Handlers`).
//! Invariant: nothing is read from a connection, and nothing is said on it, before its certificate is proved.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Handlers;
use super::incoming::Incoming;
use super::limits::{CONNECTIONS_MIN, CONNECTIONS_PER_NODE, HANDSHAKES_MAX};
use super::mesh::Mesh;
use super::seldom::Seldom;
use crate::id::NodeId;

/// After an error of the listener, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Of one node: its lanes, twice, for those that it has given up and this node has not noticed.
const CONNECTIONS_OF_ONE_NODE_MAX: usize = 12;

pub(super) struct Server {
    pub mesh: Mesh,
    pub handlers: Handlers,
    pub stop: CancellationToken,
    open: AtomicUsize,
    by_node: Mutex<BTreeMap<NodeId, VecDeque<(u64, CancellationToken)>>>,
    last_connection: AtomicU64,
    refused: Seldom,
}

impl Mesh {
    /// Answers the calls of other nodes until `stop`.
    pub async fn serve(self, listener: TcpListener, handlers: Handlers, stop: CancellationToken) {
        let (open, by_node, refused) = (AtomicUsize::new(0), Mutex::default(), Seldom::default());
        let last_connection = AtomicU64::new(0);
        let server = Arc::new(Server { mesh: self, handlers, stop, open, by_node, last_connection, refused });
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        loop {
            let accepted = tokio::select! {
                () = server.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((tcp, _)) => server.clone().admit(tcp, &handshakes),
                Err(error) => {
                    server.refused.log(|skipped| tracing::warn!(%error, skipped, "cannot accept connections of peers"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Server {
    fn admit(self: Arc<Self>, tcp: TcpStream, handshakes: &Arc<Semaphore>) {
        let connections_max = CONNECTIONS_MIN.max(self.mesh.inner.book.nodes().len() * CONNECTIONS_PER_NODE);
        let Ok(handshake) = handshakes.clone().try_acquire_owned() else {
            return self.log_refusal("too many connections are being opened");
        };
        if self.open.load(Ordering::Relaxed) >= connections_max {
            return self.log_refusal("too many connections are open");
        }
        let open = Open::new(&self);
        tokio::spawn(async move {
            let limit = self.mesh.inner.limits.handshake;
            let incoming = tokio::time::timeout(limit, Incoming::accept(tcp, &self)).await;
            drop(handshake);
            match incoming.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(incoming) => incoming.serve(&self).await,
                Err(error) => self.log_refusal(&error.to_string()),
            }
            drop(open);
        });
    }

    fn log_refusal(&self, why: &str) {
        self.refused.log(|skipped| tracing::warn!(why, skipped, "a connection of a peer was refused"));
    }

    /// Counted until it is dropped. One too many ends the node's oldest one: after its way was cut, the node has given that up, and only
    /// this side has not noticed.
    pub fn count(self: &Arc<Self>, node: NodeId) -> OfNode {
        let number = self.last_connection.fetch_add(1, Ordering::Relaxed);
        let superseded = CancellationToken::new();
        let mut by_node = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = by_node.entry(node).or_default();
        connections.push_back((number, superseded.clone()));
        if connections.len() > CONNECTIONS_OF_ONE_NODE_MAX
            && let Some((_, oldest)) = connections.pop_front()
        {
            oldest.cancel();
        }
        OfNode { server: self.clone(), node, number, superseded }
    }
}

struct Open(Arc<Server>);

impl Open {
    fn new(server: &Arc<Server>) -> Self {
        server.open.fetch_add(1, Ordering::Relaxed);
        Self(server.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) struct OfNode {
    server: Arc<Server>,
    node: NodeId,
    number: u64,
    pub superseded: CancellationToken,
}

impl Drop for OfNode {
    fn drop(&mut self) {
        let mut by_node = self.server.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = by_node.get_mut(&self.node) {
            connections.retain(|(number, _)| *number != self.number);
            if connections.is_empty() {
                by_node.remove(&self.node);
            }
        }
    }
}
