//! Network: how the cluster reaches its other nodes, and is reached by them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::peer::{AddressBook, Alone, Handlers, Peers};

/// Begins to serve other nodes. Called once, before the start waits for any of them.
pub type Serve = Box<dyn FnOnce(Handlers) -> Result<()> + Send>;

pub struct ClusterNetwork {
    pub peers: Peers,
    /// Kept up to date from the system group.
    pub addresses: AddressBook,
    pub serve: Serve,
}

impl ClusterNetwork {
    /// Of a node that neither calls others nor is called.
    pub fn alone() -> Self {
        Self {
            peers: Arc::new(Alone),
            addresses: AddressBook::new(BTreeMap::new()),
            serve: Box::new(|_handlers| Ok(())),
        }
    }
}
