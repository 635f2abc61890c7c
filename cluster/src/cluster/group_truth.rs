//! Group truth: what the data path must know for certain of a group: its current state, or that it is elsewhere.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::data::{GroupState, GroupStates};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::client::{MetadataClient, Route};
use crate::metadata::query;
use crate::raft::GroupSet;

pub(super) struct GroupTruth {
    pub node: NodeId,
    pub groups: Arc<GroupSet>,
    pub metadata: MetadataClient,
}

impl GroupStates for GroupTruth {
    fn current(&self, group: GroupId) -> BoxFuture<'static, Result<GroupState>> {
        let (node, metadata, is_here) = (self.node, self.metadata.clone(), self.groups.find(group).is_some());
        Box::pin(async move {
            if is_here {
                return Ok(GroupState::Here(metadata.current_view(group).await?));
            }
            let record = metadata.read(Route::System, move |view| query::group(view, group)).await?;
            let is_elsewhere = |nodes: &[NodeId]| !nodes.is_empty() && !nodes.contains(&node);
            match record {
                Some(record) if is_elsewhere(&record.voters) && !record.target.contains(&node) => {
                    Ok(GroupState::Elsewhere)
                }
                _ => Err(Error::new(ErrorKind::Unavailable, format!("group {} is not open here yet", group.0))),
            }
        })
    }

    fn applied(&self, group: GroupId) -> Option<u64> {
        self.groups.find(group)?.status().applied_index
    }
}
