//! Group state: what the sweep needs to know of a group before it frees a byte.

use futures::future::BoxFuture;

use crate::error::Result;
use crate::id::GroupId;
use crate::metadata::view::MetadataView;

pub enum GroupState {
    /// Every change that was acknowledged before the question, on any node, is in this.
    Here(Box<dyn MetadataView + Send>),
    /// The system group says, as of now, that this node is no replica of the group and is not becoming one.
    Elsewhere,
}

/// Asks for the truth, not for what this node happens to have. An error means that it cannot be known now.
pub trait GroupStates: Send + Sync + 'static {
    fn current(&self, group: GroupId) -> BoxFuture<'static, Result<GroupState>>;

    /// The last log entry that is applied here; `None` if the group is not open here, or empty.
    fn applied(&self, group: GroupId) -> Option<u64>;
}
