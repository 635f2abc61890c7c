//! Follower: keeps this node's picture of the cluster up to date.
//! Owns: reading the system group's state when it has changed; telling the placement view and the address book.
//! Does not own: the state. A node that is cut off keeps its last picture.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::env::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;
use crate::metadata::record::{NodeRecord, NodeState};
use crate::peer::{AddressBook, PeerEntry};
use crate::placement::{Placement, PlacementPublisher};
use crate::raft::Group;

/// The applied position of the system group is looked at this often; it is read only when it has moved.
const POLL: Duration = Duration::from_millis(50);

pub struct Follower {
    system: Arc<Group>,
    publisher: PlacementPublisher,
    addresses: AddressBook,
}

impl Follower {
    pub fn new(system: Arc<Group>, publisher: PlacementPublisher, addresses: AddressBook) -> Self {
        Self { system, publisher, addresses }
    }

    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut read_at = None;
        while !stop.is_cancelled() {
            let applied = self.system.status().applied_index;
            if applied != read_at {
                match self.read().await {
                    Ok(()) => read_at = applied,
                    Err(error) => tracing::warn!(%error, "could not read where the groups are; trying again"),
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    async fn read(&self) -> Result<()> {
        let Some(placement) = read_placement(&self.system).await? else { return Ok(()) };
        self.addresses.set_removed(removed(&placement));
        self.addresses.replace(addresses(&placement));
        self.publisher.publish(placement);
        Ok(())
    }
}

/// What this node's copy of the system group says.
pub async fn read_placement(system: &Group) -> Result<Option<Placement>> {
    let view = system.local_view()?;
    spawn_blocking(move || Placement::read(&view))
        .await
        .map_err(|panic| Error::caused_by(ErrorKind::Internal, "read placement", panic))?
}

fn removed(placement: &Placement) -> BTreeSet<NodeId> {
    let removed = placement.nodes.values().filter(|record| record.state == NodeState::Removed);
    removed.map(|record| record.node).collect()
}

fn addresses(placement: &Placement) -> BTreeMap<NodeId, PeerEntry> {
    let members = placement.nodes.values().filter(|record| record.state != NodeState::Removed);
    let entry = |record: &NodeRecord| PeerEntry { address: record.peer_address.clone(), drive: record.drive };
    members.map(|record| (record.node, entry(record))).collect()
}
