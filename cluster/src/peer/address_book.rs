//! Address book: where peers are, and on which drive each of them lives.
//! Does not own: the truth, which is in the system group; whoever follows that group replaces the entries here.

use std::collections::BTreeMap;
use std::sync::Arc;

use onggi_storage_engine::drive::DriveId;
use tokio::sync::watch;

use crate::id::NodeId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerEntry {
    /// "host:port".
    pub address: String,
    /// A node that answers with another drive is not this node, whatever its certificate says.
    pub drive: DriveId,
}

/// Cheap to clone; all clones are the same book.
#[derive(Clone)]
pub struct AddressBook {
    entries: Arc<watch::Sender<BTreeMap<NodeId, PeerEntry>>>,
}

impl AddressBook {
    pub fn new(entries: BTreeMap<NodeId, PeerEntry>) -> Self {
        Self { entries: Arc::new(watch::Sender::new(entries)) }
    }

    /// Who looks for changes is woken only if there is one.
    pub fn replace(&self, entries: BTreeMap<NodeId, PeerEntry>) {
        self.entries.send_if_modified(|now| {
            let changed = *now != entries;
            *now = entries;
            changed
        });
    }

    pub fn get(&self, node: NodeId) -> Option<PeerEntry> {
        self.entries.borrow().get(&node).cloned()
    }

    pub fn nodes(&self) -> Vec<NodeId> {
        self.entries.borrow().keys().copied().collect()
    }

    pub fn subscribe(&self) -> watch::Receiver<BTreeMap<NodeId, PeerEntry>> {
        self.entries.subscribe()
    }
}
