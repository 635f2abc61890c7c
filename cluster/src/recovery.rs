//! Recovery: a group goes on with what is left of it when its majority is lost for ever (docs/quorum-recovery.md).
//! Owns: what drives report, which replicas take over, and that they do. All of it on stopped nodes.

mod plan;
mod report;

pub use plan::{Plan, PlanRefusal, Takeover, plan};
pub use report::{DriveReport, PlacedGroup, ReplicaReport};

use onggi_storage_engine::StorageEngine;

use crate::error::Result;
use crate::id::{GroupId, NodeId};
use crate::raft::{ReplicaOnDrive, TakeOver};

pub use crate::raft::LogPosition;

/// What the plan wants of this drive's `node`: for each group whether it was done just now, and not before.
pub async fn apply(plan: &Plan, node: NodeId, engine: &StorageEngine) -> Result<Vec<(GroupId, bool)>> {
    let mut done = Vec::new();
    for takeover in plan.takeovers.iter().filter(|takeover| takeover.node == node.0) {
        let group = GroupId(takeover.group);
        let taken = ReplicaOnDrive::take_over(engine, group, node, takeover.end, takeover.term).await?;
        done.push((group, taken == TakeOver::Done));
    }
    Ok(done)
}
