//! Peer: how the nodes of a cluster call each other.
//! Owns: the contract of a call (who, what, within which time, what a failure means) and who carries it.
//! Does not own: what a method does (its handler's module), who is a member (the system group).
//!
//! Carriers: `Mesh`, the connections of a real node; `Neighbours`, which spares nodes of one process the network; `memory`, which loses, delays
//! and cuts as a test wants it.

mod address_book;
mod alone;
pub mod authority;
mod dial;
mod frame;
mod handler;
mod health;
mod hello;
mod incoming;
mod invited;
mod lane;
mod limits;
mod local_nodes;
pub mod memory;
mod mesh;
mod method;
mod neighbours;
mod pending;
mod seldom;
mod server;
mod tls;
mod write;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

pub use address_book::{AddressBook, PeerEntry};
pub use alone::Alone;
pub use handler::{Handler, Handlers};
pub use invited::InvitedCall;
pub use limits::PeerLimits;
pub use local_nodes::LocalNodes;
pub use mesh::{Mesh, MeshOptions};
pub use method::{Class, Method};
pub use neighbours::Neighbours;

use crate::error::Result;
use crate::id::{NodeId, TokenId};

/// Concatenated on the wire; the pieces are not copied.
pub type Payload = Vec<Bytes>;

/// Who calls, as its certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    Node(NodeId),
    /// Invited, not a member yet: may call `Method::JOIN` only.
    Join(TokenId),
}

/// Carries calls to other nodes.
pub trait Transport: Send + Sync + 'static {
    /// Control calls to one node are sent in the order in which `call` returned, whether or not the futures are polled in that order.
    /// Bulk calls take any connection.
    ///
    /// Kinds of the error: `Unavailable` and `Overloaded` were surely not executed, `OutcomeUnknown` was sent and has no answer
    /// within `limit`; the handler's own error comes back with its kind.
    fn call(&self, to: NodeId, method: Method, payload: Payload, limit: Duration) -> BoxFuture<'static, Result<Bytes>>;

    /// A guess, from what was heard of the node lately.
    fn is_up(&self, node: NodeId) -> bool;

    /// What a small call takes there and back; `None` before the first.
    fn round_trip(&self, node: NodeId) -> Option<Duration>;
}

pub type Peers = Arc<dyn Transport>;

/// The payload as one piece; copies only if it is several.
pub fn concatenate(mut payload: Payload) -> Bytes {
    match payload.len() {
        0 => Bytes::new(),
        1 => payload.swap_remove(0),
        _ => payload.concat().into(),
    }
}

/// Bytes of all pieces.
pub fn payload_bytes(payload: &Payload) -> usize {
    payload.iter().map(Bytes::len).sum()
}

#[cfg(test)]
mod mesh_test;
