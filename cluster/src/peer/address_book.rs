//! Address book: where peers are, and on which drive each of them lives.
//! Does not own: the truth, which is in the system group; whoever follows that group replaces the entries here.
//!
//! A node that was away and comes back at another address says so to its peers (`announce`) before that can be on record: the record
//! needs a majority, and the majority may need that node. What it said counts until its record changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    notes: Arc<Mutex<Notes>>,
}

struct Notes {
    /// Without what was announced.
    on_record: BTreeMap<NodeId, PeerEntry>,
    announced: BTreeMap<NodeId, Announced>,
    removed: BTreeSet<NodeId>,
}

struct Announced {
    address: String,
    /// What was on record then.
    instead_of: String,
}

impl AddressBook {
    pub fn new(entries: BTreeMap<NodeId, PeerEntry>) -> Self {
        let (announced, removed) = (BTreeMap::new(), BTreeSet::new());
        let notes = Notes { on_record: entries.clone(), announced, removed };
        Self { entries: Arc::new(watch::Sender::new(entries)), notes: Arc::new(Mutex::new(notes)) }
    }

    /// Who looks for changes is woken only if there is one.
    pub fn replace(&self, entries: BTreeMap<NodeId, PeerEntry>) {
        let mut notes = self.notes();
        notes
            .announced
            .retain(|node, announced| entries.get(node).is_some_and(|entry| entry.address == announced.instead_of));
        notes.on_record = entries;
        self.publish(&notes);
    }

    /// The node itself says where it is now. Strangers are not taken up.
    pub fn announce(&self, node: NodeId, address: &str) {
        let mut notes = self.notes();
        let Some(entry) = notes.on_record.get(&node) else { return };
        let announced = Announced { address: address.to_owned(), instead_of: entry.address.clone() };
        notes.announced.insert(node, announced);
        self.publish(&notes);
    }

    /// Nodes that were members and will never be again.
    pub fn set_removed(&self, removed: BTreeSet<NodeId>) {
        self.notes().removed = removed;
    }

    pub fn is_removed(&self, node: NodeId) -> bool {
        self.notes().removed.contains(&node)
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

    fn publish(&self, notes: &Notes) {
        let mut entries = notes.on_record.clone();
        for (node, announced) in &notes.announced {
            if let Some(entry) = entries.get_mut(node) {
                entry.address.clone_from(&announced.address);
            }
        }
        self.entries.send_if_modified(|now| {
            let changed = *now != entries;
            *now = entries;
            changed
        });
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(address: &str) -> BTreeMap<NodeId, PeerEntry> {
        BTreeMap::from([(NodeId(2), PeerEntry { address: address.to_owned(), drive: [2; 16] })])
    }

    #[test]
    fn what_a_node_says_counts_until_its_record_changes() {
        let book = AddressBook::new(entries("old:1"));
        let address = || book.get(NodeId(2)).expect("is a member").address;
        book.announce(NodeId(2), "new:1");
        assert_eq!(address(), "new:1");
        book.replace(entries("old:1"));
        assert_eq!(address(), "new:1", "the record is behind");
        book.replace(entries("newest:1"));
        assert_eq!(address(), "newest:1");
        book.replace(entries("old:1"));
        assert_eq!(address(), "old:1", "nothing is remembered");
    }

    #[test]
    fn a_stranger_is_not_taken_up() {
        let book = AddressBook::new(entries("old:1"));
        book.announce(NodeId(3), "new:1");
        assert_eq!(book.nodes(), [NodeId(2)]);
    }
}
