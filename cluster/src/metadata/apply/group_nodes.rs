//! Which nodes hold a group: changed step by step, by whoever saw the step before.

use super::{Decision, Draft};
use crate::id::NodeId;
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{GroupRecord, NodeRecord, NodeState};

pub(super) fn set(draft: &mut Draft<'_>, record: &GroupRecord, expected_step: u64) -> Decision<Outcome> {
    let key = SystemSpace.group_nodes(record.group);
    let standing: Option<GroupRecord> = draft.get(&key)?;
    if standing.map_or(0, |standing| standing.step) != expected_step {
        return Err(Refusal::StaleGroup.into());
    }
    check_nodes(draft, &record.voters)?;
    check_nodes(draft, &record.target)?;
    draft.put(key, &GroupRecord { step: expected_step + 1, ..record.clone() });
    Ok(Outcome::Done)
}

fn check_nodes(draft: &Draft<'_>, nodes: &[NodeId]) -> Decision<()> {
    if nodes.is_empty() || !nodes.is_sorted_by(|one, next| one < next) {
        return Err(Refusal::InvalidGroup.into());
    }
    for node in nodes {
        let record: Option<NodeRecord> = draft.get(&SystemSpace.node(*node))?;
        if record.is_none_or(|record| record.state == NodeState::Removed) {
            return Err(Refusal::InvalidGroup.into());
        }
    }
    Ok(())
}
