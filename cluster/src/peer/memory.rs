//! Memory: a network of simulated nodes in one process, for tests and simulation.
//! Owns: what a real network does to calls: delay, loss, cuts in one direction, nodes that are down.
//! Same seed, same dice. Time is tokio's, so a test may pause it.

mod link;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::link::{Link, Parcel};
use super::{Class, Handlers, Method, Payload, Peers, Transport, concatenate};
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;

/// A call that was lost, or its answer, fails after this long, if its own limit is not over before: a real connection loses nothing, it breaks.
const LOSS_NOTICED: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct NetworkOptions {
    pub seed: u64,
    /// Of each message, one way. Messages of one class from one node to another never overtake each other.
    pub delay: RangeInclusive<Duration>,
    /// Messages of a thousand that are lost.
    pub lost_per_mille: u32,
    /// Calls of a thousand that come twice. The second answer is lost.
    pub doubled_per_mille: u32,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self { seed: 1, delay: Duration::ZERO..=Duration::ZERO, lost_per_mille: 0, doubled_per_mille: 0 }
    }
}

/// Cheap to clone; all clones are the same network.
#[derive(Clone)]
pub struct Network {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    options: NetworkOptions,
    dice: StdRng,
    up: BTreeMap<NodeId, UpNode>,
    /// How often each node went down: what is left of an earlier life reaches nobody.
    deaths: BTreeMap<NodeId, u64>,
    cut: BTreeSet<(NodeId, NodeId)>,
    links: BTreeMap<(NodeId, NodeId, Class), Link>,
    calls: Calls,
}

/// From, to, method → calls, bytes.
pub type Calls = BTreeMap<(NodeId, NodeId, u16), (u64, u64)>;

#[derive(Clone)]
struct UpNode {
    handlers: Handlers,
    /// Cancelled when the node goes down.
    life: CancellationToken,
}

/// The fate of one message.
enum Way {
    After(Duration),
    Lost,
}

impl Network {
    pub fn new(options: NetworkOptions) -> Self {
        let dice = StdRng::seed_from_u64(options.seed);
        let (up, deaths, cut, links) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let calls = Calls::new();
        Self { inner: Arc::new(Mutex::new(Inner { options, dice, up, deaths, cut, links, calls })) }
    }

    /// What `node` calls others with, from when it serves until it goes down.
    pub fn peers(&self, node: NodeId) -> Peers {
        let deaths = self.lock().deaths_of(node);
        Arc::new(MemoryPeers { node, deaths, network: self.clone() })
    }

    /// The node is up from here on.
    pub fn serve(&self, node: NodeId, handlers: Handlers) {
        let mut inner = self.lock();
        inner.end(node);
        inner.up.insert(node, UpNode { handlers, life: CancellationToken::new() });
    }

    /// The node is down: what it was doing ends where it stands, new calls from and to it are refused.
    pub fn stop(&self, node: NodeId) {
        let mut inner = self.lock();
        inner.end(node);
        *inner.deaths.entry(node).or_default() += 1;
    }

    /// Messages from `from` to `to` are lost, answers among them; those of the other way are not.
    pub fn cut(&self, from: NodeId, to: NodeId) {
        self.lock().cut.insert((from, to));
    }

    /// Cuts both ways between `node` and each of `others`.
    pub fn isolate(&self, node: NodeId, others: impl IntoIterator<Item = NodeId>) {
        for other in others {
            self.cut(node, other);
            self.cut(other, node);
        }
    }

    pub fn heal_all(&self) {
        self.lock().cut.clear();
    }

    pub fn set_lost_per_mille(&self, lost: u32) {
        self.lock().options.lost_per_mille = lost;
    }

    pub fn set_doubled_per_mille(&self, doubled: u32) {
        self.lock().options.doubled_per_mille = doubled;
    }

    /// Who called whom for what: how often, and with how many bytes in all.
    pub fn calls(&self) -> Calls {
        self.lock().calls.clone()
    }

    pub fn set_delay(&self, delay: RangeInclusive<Duration>) {
        self.lock().options.delay = delay;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn way(&self, from: NodeId, to: NodeId) -> Way {
        self.lock().way(from, to)
    }
}

impl Inner {
    fn deaths_of(&self, node: NodeId) -> u64 {
        self.deaths.get(&node).copied().unwrap_or_default()
    }

    fn end(&mut self, node: NodeId) {
        if let Some(node) = self.up.remove(&node) {
            node.life.cancel();
        }
        self.links.retain(|(from, to, _), _| *from != node && *to != node);
    }

    fn note(&mut self, from: NodeId, to: NodeId, method: Method, bytes: usize) {
        tracing::debug!(from = from.0, to = to.0, method = method.0, bytes, "call");
        let (calls, sum) = self.calls.entry((from, to, method.0)).or_default();
        (*calls, *sum) = (*calls + 1, *sum + bytes as u64);
    }

    fn is_doubled(&mut self) -> bool {
        let doubled = self.options.doubled_per_mille;
        doubled > 0 && self.dice.random_range(0..1000) < doubled
    }

    fn way(&mut self, from: NodeId, to: NodeId) -> Way {
        let lost = self.dice.random_range(0..1000) < self.options.lost_per_mille;
        if lost || self.cut.contains(&(from, to)) {
            return Way::Lost;
        }
        Way::After(self.dice.random_range(self.options.delay.clone()))
    }
}

struct MemoryPeers {
    node: NodeId,
    /// Of this node before the life that this belongs to.
    deaths: u64,
    network: Network,
}

impl MemoryPeers {
    /// On its way when this returns.
    fn send(&self, to: NodeId, method: Method, payload: Payload) -> Result<Sent> {
        let (from, context) = (self.node, || format!("{method:?} to node {}", to.0));
        let mut inner = self.network.lock();
        let down = |node: NodeId| Error::new(ErrorKind::Unavailable, format!("{}: node {} is down", context(), node.0));
        let lives = inner.deaths_of(from) == self.deaths;
        let caller = inner.up.get(&from).filter(|_| lives).ok_or_else(|| down(from))?.clone();
        let callee = inner.up.get(&to).ok_or_else(|| down(to))?.clone();
        let payload = concatenate(payload);
        inner.note(from, to, method, payload.len());
        let (way, is_doubled) = (inner.way(from, to), inner.is_doubled());
        let (answer, answered) = tokio::sync::oneshot::channel();
        let lives = (caller.life, callee.life.clone());
        if let Way::After(delay) = way {
            let network = self.network.clone();
            let link =
                inner.links.entry((from, to, method.class())).or_insert_with(|| Link::start(network, from, to, callee));
            let arrives = Instant::now() + delay;
            let twin = is_doubled.then(|| {
                let (answer, _nobody) = tokio::sync::oneshot::channel();
                Parcel { arrives, method, payload: payload.clone(), answer }
            });
            for parcel in std::iter::once(Parcel { arrives, method, payload, answer }).chain(twin) {
                link.send(parcel).map_err(|full| Error::caused_by(ErrorKind::Overloaded, context(), full))?;
            }
        }
        Ok(Sent { answered, lives })
    }
}

struct Sent {
    answered: tokio::sync::oneshot::Receiver<Result<Bytes>>,
    /// The caller's and the callee's.
    lives: (CancellationToken, CancellationToken),
}

impl Sent {
    async fn wait(self, limit: Duration, context: String) -> Result<Bytes> {
        let unknown = |why: &str| Err(Error::new(ErrorKind::OutcomeUnknown, format!("{context}: {why}")));
        let answered = async {
            match self.answered.await {
                Ok(answer) => answer,
                // Lost: a real connection is found dead after a while.
                Err(_) => {
                    tokio::time::sleep(LOSS_NOTICED).await;
                    unknown("the connection broke")
                }
            }
        };
        tokio::select! {
            biased;
            answer = answered => answer,
            () = self.lives.0.cancelled() => unknown("this node went down"),
            () = self.lives.1.cancelled() => unknown("the connection broke"),
            () = tokio::time::sleep(limit) => unknown("no answer in time"),
        }
    }
}

impl Transport for MemoryPeers {
    fn call(&self, to: NodeId, method: Method, payload: Payload, limit: Duration) -> BoxFuture<'static, Result<Bytes>> {
        match self.send(to, method, payload) {
            Ok(sent) => Box::pin(sent.wait(limit, format!("{method:?} to node {}", to.0))),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn is_up(&self, node: NodeId) -> bool {
        let inner = self.network.lock();
        let cut = inner.cut.contains(&(self.node, node)) || inner.cut.contains(&(node, self.node));
        inner.up.contains_key(&node) && !cut
    }

    fn round_trip(&self, _node: NodeId) -> Option<Duration> {
        let inner = self.network.lock();
        Some(*inner.options.delay.start() + *inner.options.delay.end())
    }
}

#[cfg(test)]
mod memory_test;
