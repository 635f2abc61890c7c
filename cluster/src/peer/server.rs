//! Server: calls that come in from other nodes to one node of this process.
//! Owns: who is let in, how many connections, and how much one of them may have this node do at a time.
//! Does not own: what a method does (`Handlers`), the port (`local_nodes`).
//! Invariant: nothing is said on a connection before its certificate is proved.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::StartHandshake;
use tokio_util::sync::CancellationToken;

use super::Handlers;
use super::incoming::Incoming;
use super::limits::{CONNECTIONS_MIN, CONNECTIONS_PER_NODE};
use super::local_nodes::LocalNodes;
use super::mesh::Mesh;
use crate::id::NodeId;

/// Of one node: its lanes, twice, for those that it has given up and this node has not noticed.
const CONNECTIONS_OF_ONE_NODE_MAX: usize = 12;

pub(super) struct Server {
    pub mesh: Mesh,
    pub handlers: Handlers,
    pub stop: CancellationToken,
    open: AtomicUsize,
    by_node: Mutex<BTreeMap<NodeId, VecDeque<(u64, CancellationToken)>>>,
    last_connection: AtomicU64,
}

impl Mesh {
    /// Answers the calls of other nodes until `stop`, at a port of its own.
    pub async fn serve(self, listener: TcpListener, handlers: Handlers, stop: CancellationToken) {
        let nodes = LocalNodes::default();
        nodes.open(&self, handlers, stop.clone());
        let handshake = self.inner.limits.handshake;
        nodes.listen(listener, handshake, stop).await;
    }
}

impl Server {
    pub fn new(mesh: Mesh, handlers: Handlers, stop: CancellationToken) -> Arc<Self> {
        let (open, by_node, last_connection) = (AtomicUsize::new(0), Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { mesh, handlers, stop, open, by_node, last_connection })
    }

    /// Proves who calls; what is returned serves the connection. The caller bounds the time.
    pub async fn admit(
        self: Arc<Self>,
        asked: StartHandshake<TcpStream>,
    ) -> io::Result<impl Future<Output = ()> + use<>> {
        let connections_max = CONNECTIONS_MIN.max(self.mesh.inner.book.nodes().len() * CONNECTIONS_PER_NODE);
        if self.open.load(Ordering::Relaxed) >= connections_max {
            return Err(io::Error::other("too many connections are open"));
        }
        let open = Open::new(&self);
        let incoming = Incoming::accept(asked, &self).await?;
        Ok(async move {
            incoming.serve(&self).await;
            drop(open);
        })
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
