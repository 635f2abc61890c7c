//! Nodes, join tokens, the authority, and which nodes hold a group: asked of the system group.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::{DriveId, GroupId, NodeId, TokenId};
use crate::metadata::key::SystemSpace;
use crate::metadata::record::{AuthorityRecord, GroupRecord, JoinTokenRecord, NodeRecord, SplitRecord};
use crate::metadata::view::{KeyRange, MetadataView, record};

/// Every node that is or was a member, by number.
pub fn nodes(view: &dyn MetadataView) -> Result<Vec<NodeRecord>> {
    records(view, &SystemSpace.nodes())
}

pub fn node(view: &dyn MetadataView, node: NodeId) -> Result<Option<NodeRecord>> {
    record(view, &SystemSpace.node(node))
}

pub fn node_of_drive(view: &dyn MetadataView, drive: &DriveId) -> Result<Option<NodeRecord>> {
    match record::<NodeId>(view, &SystemSpace.node_drive(drive))? {
        Some(found) => node(view, found),
        None => Ok(None),
    }
}

pub(crate) fn last_node(view: &dyn MetadataView) -> Result<Option<NodeRecord>> {
    let mut last = None;
    view.scan_reverse(SystemSpace.nodes().bounds(), &mut |_, value| {
        last = Some(NodeRecord::from_bytes(value));
        ControlFlow::Break(())
    })?;
    Ok(last.transpose()?)
}

pub fn join_tokens(view: &dyn MetadataView) -> Result<Vec<JoinTokenRecord>> {
    records(view, &SystemSpace.join_tokens())
}

pub fn join_token(view: &dyn MetadataView, token: TokenId) -> Result<Option<JoinTokenRecord>> {
    record(view, &SystemSpace.join_token(token))
}

/// `None`: no node of this cluster was started by a release that knows of other nodes.
pub fn authority(view: &dyn MetadataView) -> Result<Option<AuthorityRecord>> {
    record(view, &SystemSpace.authority())
}

/// Every group with a record, by number; the system group is the first.
pub fn groups(view: &dyn MetadataView) -> Result<Vec<GroupRecord>> {
    records(view, &SystemSpace.groups_nodes())
}

pub fn group(view: &dyn MetadataView, group: GroupId) -> Result<Option<GroupRecord>> {
    record(view, &SystemSpace.group_nodes(group))
}

/// Every split that was ever begun, by the number of the group that came of it.
pub fn splits(view: &dyn MetadataView) -> Result<Vec<SplitRecord>> {
    records(view, &SystemSpace.splits())
}

fn records<R: Record>(view: &dyn MetadataView, range: &KeyRange) -> Result<Vec<R>> {
    let mut records = Vec::new();
    view.scan(range.bounds(), &mut |_, value| {
        records.push(R::from_bytes(value));
        ControlFlow::Continue(())
    })?;
    Ok(records.into_iter().collect::<Result<_, _>>()?)
}
