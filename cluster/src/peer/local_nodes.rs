//! Local nodes: the nodes of this process that answer calls, each with a drive, a number and a certificate of its own.
//! Owns: the one port at which they are all called, and whom a connection is for: the server name that it asks for.
//! Does not own: who is let in (`server`), which nodes there are (the process).
//! Invariant: nothing but the name is read of a connection before its certificate is proved.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};
use tokio_util::sync::CancellationToken;

use super::authority::PeerName;
use super::limits::HANDSHAKES_MAX;
use super::seldom::Seldom;
use super::server::Server;
use super::{Caller, Handlers, Mesh, tls};
use crate::id::NodeId;

/// After an error of the listener, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Cheap to clone; all clones are the same nodes.
#[derive(Clone, Default)]
pub struct LocalNodes {
    /// `None`: it is here, and does not answer yet, or no more.
    nodes: Arc<RwLock<BTreeMap<NodeId, Option<Arc<Server>>>>>,
}

impl LocalNodes {
    /// It is about to answer: until then calls find nobody at once, instead of looking for it over the network.
    pub fn announce(&self, node: NodeId) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).entry(node).or_insert(None);
    }

    /// From here on the node answers. `stop` ends its connections.
    pub fn open(&self, mesh: &Mesh, handlers: Handlers, stop: CancellationToken) {
        let server = Server::new(mesh.clone(), handlers, stop);
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(mesh.inner.node, Some(server));
    }

    /// For the others it is down at once.
    pub fn close(&self, node: NodeId) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(node, None);
    }

    /// Takes connections until `stop`. `handshake`: how long each may take to show who it is.
    pub async fn listen(self, listener: TcpListener, handshake: Duration, stop: CancellationToken) {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        let refused = Arc::new(Seldom::default());
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let tcp = match accepted {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    refused.log(|skipped| tracing::warn!(%error, skipped, "cannot accept connections of peers"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(turn) = handshakes.clone().try_acquire_owned() else {
                log_refusal(&refused, "too many connections are being opened");
                continue;
            };
            let (nodes, refused) = (self.clone(), refused.clone());
            tokio::spawn(async move {
                let taken = tokio::time::timeout(handshake, nodes.take(tcp)).await;
                drop(turn);
                match taken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                    Ok(serving) => serving.await,
                    Err(error) => log_refusal(&refused, &error.to_string()),
                }
            });
        }
    }

    /// What remains to be done for a connection that was let in.
    async fn take(&self, tcp: TcpStream) -> io::Result<impl Future<Output = ()> + use<>> {
        tcp.set_nodelay(true)?;
        let asked = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        let server = self.asked_for(&asked).ok_or_else(|| io::Error::other("the node that it asks for is not here"))?;
        server.admit(asked).await
    }

    fn asked_for(&self, asked: &StartHandshake<TcpStream>) -> Option<Arc<Server>> {
        let name = asked.client_hello().server_name().and_then(PeerName::parse);
        match name.map(|name| name.bearer) {
            Some(Caller::Node(node)) if node != tls::ANY_NODE => self.get(node)?,
            // A node that is invited, or of a release that did not name the node that it calls.
            _ => self.nodes.read().unwrap_or_else(PoisonError::into_inner).values().flatten().next().cloned(),
        }
    }

    /// `None`: the node is not of this process. `Some(None)`: it does not answer.
    pub(super) fn get(&self, node: NodeId) -> Option<Option<Arc<Server>>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }
}

fn log_refusal(refused: &Seldom, why: &str) {
    refused.log(|skipped| tracing::warn!(why, skipped, "a connection of a peer was refused"));
}
