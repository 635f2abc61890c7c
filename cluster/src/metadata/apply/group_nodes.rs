//! Which nodes hold a group: changed step by step, by whoever saw the step before.
//! Invariant: no group shall be twice on one host.

use super::{Decision, Draft};
use crate::id::{HostId, NodeId};
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
    let mut hosts = check_nodes(draft, &record.target)?;
    hosts.sort_unstable();
    if hosts.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refusal::InvalidGroup.into());
    }
    draft.put(key, &GroupRecord { step: expected_step + 1, ..record.clone() });
    Ok(Outcome::Done)
}

/// The hosts that they are on.
fn check_nodes(draft: &Draft<'_>, nodes: &[NodeId]) -> Decision<Vec<HostId>> {
    if nodes.is_empty() || !nodes.is_sorted_by(|one, next| one < next) {
        return Err(Refusal::InvalidGroup.into());
    }
    let host_of = |node: &NodeId| -> Decision<HostId> {
        let record: Option<NodeRecord> = draft.get(&SystemSpace.node(*node))?;
        let member = record.filter(|record| record.state != NodeState::Removed);
        Ok(member.ok_or(Refusal::InvalidGroup)?.host)
    };
    nodes.iter().map(host_of).collect()
}
