//! Mesh: this node's connections to all others.
//! Owns: which lane a call takes, lanes that open when they are needed and go with their peer, asking silent peers.
//! Does not own: who the peers are (`AddressBook`), calls that come in (`server`).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::address_book::AddressBook;
use super::authority::PeerCredentials;
use super::dial::{Dial, Dialed};
use super::health::Health;
use super::hello::{Hello, REMOVED};
use super::lane::{Connect, Lane};
use super::limits::{BULK_CONNECTIONS, PeerLimits};
use super::tls::{self, TlsIdentity};
use super::{Class, Method, Payload, Transport};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, DriveId, NodeId};

#[derive(Clone)]
pub struct MeshOptions {
    pub node: NodeId,
    pub cluster: ClusterId,
    pub drive: DriveId,
    pub release: String,
    pub credentials: PeerCredentials,
    pub book: AddressBook,
    pub limits: PeerLimits,
}

/// Cheap to clone; all clones are the same mesh.
#[derive(Clone)]
pub struct Mesh {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub node: NodeId,
    pub cluster: ClusterId,
    drive: DriveId,
    release: String,
    identity: RwLock<TlsIdentity>,
    pub book: AddressBook,
    pub limits: PeerLimits,
    peers: RwLock<BTreeMap<NodeId, Arc<Peer>>>,
    /// Set when a member says that this node was removed; the text says who and why.
    dismissal: watch::Sender<Option<String>>,
}

struct Peer {
    health: Arc<Health>,
    control: Lane,
    bulk: [OnceLock<Lane>; BULK_CONNECTIONS],
    /// When it was called last, pings aside: one that is not needed is left in peace.
    called: RwLock<Instant>,
}

impl Mesh {
    pub fn new(options: MeshOptions) -> Result<Self> {
        let MeshOptions { node, cluster, drive, release, credentials, book, limits } = options;
        let identity = RwLock::new(TlsIdentity::of_member(&credentials)?);
        let (peers, dismissal) = (RwLock::default(), watch::Sender::new(None));
        Ok(Self { inner: Arc::new(Inner { node, cluster, drive, release, identity, book, limits, peers, dismissal }) })
    }

    /// Waits until another member has said that this node was removed from the cluster.
    pub async fn dismissed(&self) -> String {
        let mut dismissal = self.inner.dismissal.subscribe();
        loop {
            let told = dismissal.borrow_and_update().clone();
            if let Some(why) = told {
                return why;
            }
            if dismissal.changed().await.is_err() {
                // The sender lives as long as the mesh.
                std::future::pending::<()>().await;
            }
        }
    }

    /// New connections use the new certificate; those that are open stay.
    pub fn renew(&self, credentials: &PeerCredentials) -> Result<()> {
        let identity = TlsIdentity::of_member(credentials)?;
        *self.inner.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    /// Asks silent peers, and forgets those that are in the address book no more, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut book = self.inner.book.subscribe();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = book.changed() => if changed.is_ok() {
                    self.inner.forget_strangers();
                    self.inner.forget_refusals();
                },
                () = tokio::time::sleep(self.inner.limits.ping_interval) => self.inner.look_after_peers(),
            }
        }
    }
}

impl Transport for Mesh {
    fn call(&self, to: NodeId, method: Method, payload: Payload, limit: Duration) -> BoxFuture<'static, Result<Bytes>> {
        let called = self.inner.peer(to).and_then(|peer| {
            *peer.called.write().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            self.inner.lane(&peer, to, method.class()).call(method, payload)
        });
        let answer = match called {
            Ok(call) => call.answer(limit).boxed(),
            Err(error) => ready(Err(error)).boxed(),
        };
        let named = move |error: Error| Error::new(error.kind(), format!("{method:?} to node {}: {error}", to.0));
        async move { answer.await.map_err(named) }.boxed()
    }

    fn is_up(&self, node: NodeId) -> bool {
        node == self.inner.node || self.inner.known(node).is_none_or(|peer| peer.health.is_up())
    }

    fn round_trip(&self, node: NodeId) -> Option<Duration> {
        self.inner.known(node)?.health.round_trip()
    }
}

impl Inner {
    pub fn server_config(&self) -> Arc<rustls::ServerConfig> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).server.clone()
    }

    pub fn hello(&self, class: Class) -> Hello {
        Hello::new(self.cluster, self.node, self.drive, class, &self.release)
    }

    /// A connection came from it, so it can be reached.
    pub fn heard_of(&self, node: NodeId) {
        if let Some(peer) = self.known(node) {
            peer.lanes().for_each(Lane::forget_refusal);
        }
    }

    fn known(&self, node: NodeId) -> Option<Arc<Peer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }

    fn peer(self: &Arc<Self>, node: NodeId) -> Result<Arc<Peer>> {
        if let Some(peer) = self.known(node) {
            return Ok(peer);
        }
        if self.book.get(node).is_none() {
            return Err(Error::new(ErrorKind::Unavailable, "it is not in the address book"));
        }
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        let peer = peers.entry(node).or_insert_with(|| {
            let health = Arc::new(Health::new(node));
            let control = self.open_lane(node, Class::Control, &health);
            let called = RwLock::new(Instant::now());
            Arc::new(Peer { health, control, bulk: Default::default(), called })
        });
        Ok(peer.clone())
    }

    /// Of several, the one with the least before it; a further one is opened only when all are busy.
    fn lane<'a>(self: &Arc<Self>, peer: &'a Peer, node: NodeId, class: Class) -> &'a Lane {
        if class == Class::Control {
            return &peer.control;
        }
        let lane_of = |slot: &'a OnceLock<Lane>| slot.get_or_init(|| self.open_lane(node, class, &peer.health));
        let load = |slot: &OnceLock<Lane>| slot.get().map_or(0, Lane::load);
        // Of equal ones the first: those that are never needed are never opened.
        peer.bulk.iter().min_by_key(|slot| load(slot)).map_or(&peer.control, lane_of)
    }

    fn open_lane(self: &Arc<Self>, node: NodeId, class: Class, health: &Arc<Health>) -> Lane {
        let connect = ConnectTo { mesh: Arc::downgrade(self), node, class };
        Lane::open(connect, class, health.clone(), self.limits.clone())
    }

    fn forget_strangers(&self) {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|node, _| self.book.get(*node).is_some());
    }

    /// Somebody may be elsewhere now.
    fn forget_refusals(&self) {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.values().for_each(|peer| peer.lanes().for_each(Lane::forget_refusal));
    }

    fn look_after_peers(self: &Arc<Self>) {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        for peer in peers.values() {
            let called = peer.called.read().unwrap_or_else(PoisonError::into_inner).elapsed() < self.limits.idle;
            // One that is down is not called, because it is down: somebody must find it again.
            if called || !peer.health.is_up() {
                peer.look_after(&self.limits);
            }
        }
    }
}

impl Peer {
    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        std::iter::once(&self.control).chain(self.bulk.iter().filter_map(OnceLock::get))
    }

    fn look_after(self: &Arc<Self>, limits: &PeerLimits) {
        self.notice_silence(limits.down_after);
        let was_heard = self.health.since_heard() < limits.ping_interval;
        if was_heard && self.health.since_measured() < limits.measure_interval {
            return;
        }
        // A refusal says nothing new: the peer is being tried again after its backoff.
        let Ok(ping) = self.control.call(Method::PING, Vec::new()) else { return };
        self.health.asked();
        let (peer, limit, start) = (self.clone(), limits.down_after, Instant::now());
        tokio::spawn(async move {
            match ping.answer(limit).await {
                Ok(_) => peer.health.measured(start.elapsed()),
                Err(_) => peer.notice_silence(limit),
            }
        });
    }

    fn notice_silence(&self, down_after: Duration) {
        if self.health.silence() >= down_after && self.health.is_up() {
            self.health.went_down("it is silent");
            self.lanes().for_each(Lane::give_up_connection);
        }
    }
}

/// How a lane of a peer connects.
struct ConnectTo {
    mesh: std::sync::Weak<Inner>,
    node: NodeId,
    class: Class,
}

impl Connect for ConnectTo {
    fn connect(&self) -> BoxFuture<'_, Result<Dialed>> {
        async move {
            let gone = |what: &str| Error::new(ErrorKind::Unavailable, what);
            let mesh = self.mesh.upgrade().ok_or_else(|| gone("this node stops"))?;
            let entry = mesh.book.get(self.node).ok_or_else(|| gone("it is not in the address book"))?;
            let config = mesh.identity.read().unwrap_or_else(PoisonError::into_inner).client.clone();
            let dial = Dial {
                address: &entry.address,
                config,
                server_name: tls::server_name(self.node, mesh.cluster)?,
                hello: mesh.hello(self.class),
                connect: mesh.limits.connect,
                handshake: mesh.limits.handshake,
                stall: mesh.limits.stall,
            };
            let dialed = dial.dial().await.inspect_err(|error| {
                if error.kind() == REMOVED {
                    mesh.dismissal.send_replace(Some(error.to_string()));
                }
            })?;
            if dialed.hello.node != self.node || dialed.hello.drive != entry.drive {
                return Err(gone("it answers from another drive than the one on record: was it set up anew?"));
            }
            Ok(dialed)
        }
        .boxed()
    }
}
