//! Identity: who this node is, as its files say before anything can be asked of the cluster.

use crate::id::{ClusterId, DriveId, NodeId};
use crate::peer::authority::PeerCredentials;

#[derive(Clone, Debug)]
pub struct NodeIdentity {
    pub node: NodeId,
    pub cluster: ClusterId,
    pub drive: DriveId,
    pub credentials: PeerCredentials,
}
