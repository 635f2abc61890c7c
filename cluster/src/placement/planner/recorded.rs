//! Recorded: nodes and groups for the planner, from what is on record.

use super::{GroupView, NodeState, NodeView};
use crate::metadata::record::{self, GroupRecord, NodeRecord};

impl NodeView {
    pub fn of(record: &NodeRecord, up: bool) -> Self {
        let state = match record.state {
            record::NodeState::Active => NodeState::Active,
            record::NodeState::Draining => NodeState::Draining,
            record::NodeState::Removed => NodeState::Removed,
        };
        Self { node: record.node, host: record.host, zone: record.zone.clone(), weight: record.weight, state, up }
    }
}

impl GroupView {
    /// Who leads it is not on record, nor how large it is.
    pub fn of(record: &GroupRecord) -> Self {
        let GroupRecord { group, voters, target, .. } = record.clone();
        Self { group, voters, target, leader: None, bytes: 0 }
    }
}
