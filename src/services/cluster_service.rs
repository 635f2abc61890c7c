//! Cluster service: nodes and the tokens with which they join.
//! Does not own: what a change may do to redundancy (`apply` decides), how groups move (placement).

use std::time::Duration;

use onggi_cluster::id::{HostId, NodeId, TokenId};
use onggi_cluster::membership::{Invitation, Membership};
use onggi_cluster::metadata::command::{NodeUpdate, SystemChange};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{GroupRecord, JoinTokenRecord, NodeRecord};

use super::error::{Error, Result};
use super::metadata_access::MetadataAccess;

#[derive(Clone)]
pub struct ClusterService {
    metadata: MetadataAccess,
    membership: Membership,
}

/// Who is in the cluster, and which groups are where: of one moment.
#[derive(Clone, Debug)]
pub struct Layout {
    pub name: String,
    /// Removed ones too.
    pub nodes: Vec<NodeRecord>,
    pub groups: Vec<GroupRecord>,
}

impl ClusterService {
    pub(super) fn new(metadata: MetadataAccess, membership: Membership) -> Self {
        Self { metadata, membership }
    }

    /// The token is shown once, here.
    pub async fn invite(&self, lifetime: Duration, zone: Option<String>) -> Result<Invitation> {
        Ok(self.membership.invite(lifetime, zone).await?)
    }

    pub async fn join_tokens(&self) -> Result<Vec<JoinTokenRecord>> {
        self.metadata.read_system(query::join_tokens).await
    }

    pub async fn revoke_token(&self, token: TokenId) -> Result<()> {
        self.metadata.commit_system(SystemChange::RevokeJoinToken { token }).await.map(drop)
    }

    pub async fn layout(&self) -> Result<Layout> {
        let read = self.metadata.read_system(|view| {
            let name = query::cluster(view)?.map(|cluster| cluster.name).unwrap_or_default();
            Ok(Layout { name, nodes: query::nodes(view)?, groups: query::groups(view)? })
        });
        read.await
    }

    pub async fn node(&self, node: NodeId) -> Result<NodeRecord> {
        let record = self.metadata.read_system(move |view| query::node(view, node)).await?;
        record.ok_or(Error::Refused(Refusal::NoSuchNode))
    }

    /// All nodes of the host that were not removed, or none of them.
    pub async fn update_host(&self, host: HostId, update: NodeUpdate) -> Result<()> {
        self.metadata.commit_system(SystemChange::UpdateHost { host, update }).await.map(drop)
    }

    pub async fn update_node(&self, node: NodeId, update: NodeUpdate) -> Result<()> {
        self.metadata.commit_system(SystemChange::UpdateNode { node, update }).await.map(drop)
    }
}
