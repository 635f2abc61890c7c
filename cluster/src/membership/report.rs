//! Report: at each start a member says where it is and what it runs, and renews its certificate in time.

use bytes::Bytes;

use super::Membership;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{DriveId, NodeId};
use crate::metadata::client::Route;
use crate::metadata::command::{NodeAddresses, NodeUpdate, SystemChange};
use crate::metadata::query;
use crate::metadata::record::NodeState;
use crate::peer::authority::PeerKey;

impl Membership {
    /// Commits only what is not on record yet. `Conflict`: the node was removed, or is another drive's.
    pub async fn report(&self, node: NodeId, drive: DriveId, addresses: NodeAddresses, release: &str) -> Result<()> {
        let record = self.inner.metadata.read(Route::System, move |view| query::node(view, node)).await?;
        let refused = |why: &str| Err(Error::new(ErrorKind::Conflict, format!("node {} {why}", node.0)));
        let record = match record {
            None => return refused("is not on record in the cluster"),
            Some(record) if record.state == NodeState::Removed => return refused("was removed from the cluster"),
            Some(record) if record.drive != drive => return refused("is on record with another drive"),
            Some(record) => record,
        };
        let known = NodeAddresses { peer: record.peer_address, web: record.web_address, s3: record.s3_address };
        let update = NodeUpdate {
            addresses: (known != addresses).then_some(addresses),
            release: (record.release != release).then(|| release.to_owned()),
            ..NodeUpdate::default()
        };
        if update == NodeUpdate::default() {
            return Ok(());
        }
        self.commit(SystemChange::UpdateNode { node, update }).await.map(drop)
    }

    /// A new certificate for the key that the node has. Nobody has to be asked: every member can open the authority.
    pub async fn renew(&self, node: NodeId, key: &PeerKey) -> Result<Bytes> {
        self.authority().await?.issue_node(node, &key.public_key()?, self.now_ms())
    }
}
