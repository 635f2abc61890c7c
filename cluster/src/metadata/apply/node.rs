//! Nodes: how they become members, change and leave.
//! Invariant: a number and a drive belong together for ever; neither is given to another.

use super::join_token;
use super::{Decision, Draft};
use crate::id::{DriveId, GroupId, NodeId, TokenId};
use crate::metadata::command::{NewNode, NodeAddresses, NodeUpdate};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{NodeRecord, NodeState};

pub(super) fn register_founder(draft: &mut Draft<'_>, founder: &NewNode) -> Decision<Outcome> {
    match node_of_drive(draft, &founder.drive)? {
        Some(node) => return Ok(Outcome::NodeAdmitted { node }),
        None if last_node(draft)?.is_some() => return Err(Refusal::FounderKnown.into()),
        None => {}
    }
    put_new(draft, NodeId::FOUNDER, founder.zone.clone(), founder);
    Ok(Outcome::NodeAdmitted { node: NodeId::FOUNDER })
}

pub(super) fn admit(draft: &mut Draft<'_>, token: TokenId, new: &NewNode) -> Decision<Outcome> {
    let token = join_token::standing(draft, token)?;
    if let Some(node) = node_of_drive(draft, &new.drive)? {
        // The answer to an earlier attempt was lost, or the joiner with it.
        let is_same_join = token.used_by == Some(node) && member(draft, node)?.state != NodeState::Removed;
        return if is_same_join {
            Ok(Outcome::NodeAdmitted { node })
        } else {
            Err(Refusal::DriveKnown { node }.into())
        };
    }
    // Before there is a founder, there is nobody to join.
    let NodeId(last) = last_node(draft)?.ok_or(Refusal::NoSuchNode)?;
    let node = NodeId(last + 1);
    let zone = token.zone.clone().unwrap_or_else(|| new.zone.clone());
    join_token::use_up(draft, token, node)?;
    put_new(draft, node, zone, new);
    Ok(Outcome::NodeAdmitted { node })
}

pub(super) fn update(draft: &mut Draft<'_>, node: NodeId, update: &NodeUpdate) -> Decision<Outcome> {
    let mut record = member(draft, node)?;
    if record.state == NodeState::Removed {
        return Err(Refusal::NodeRemoved.into());
    }
    if let Some(state) = update.state {
        check_leaving(draft, &record, state)?;
        record.state = state;
    }
    if let Some(NodeAddresses { peer, web, s3 }) = update.addresses.clone() {
        (record.peer_address, record.web_address, record.s3_address) = (peer, web, s3);
    }
    record.zone = update.zone.clone().unwrap_or(record.zone);
    record.weight = update.weight.unwrap_or(record.weight);
    record.release = update.release.clone().unwrap_or(record.release);
    draft.put(SystemSpace.node(node), &record);
    Ok(Outcome::Done)
}

/// Nothing may leave that the others could not make up for. Decided here, because two drains could race.
fn check_leaving(draft: &Draft<'_>, record: &NodeRecord, state: NodeState) -> Decision<()> {
    if state == NodeState::Active || state == record.state {
        return Ok(());
    }
    let groups = query::groups(draft.view())?;
    if record.state == NodeState::Active {
        let nodes = query::nodes(draft.view())?;
        let others = nodes.iter().filter(|other| other.node != record.node && other.state == NodeState::Active);
        // The system group takes as many voters as there are nodes for, and gives them up again.
        let of_owners = groups.iter().filter(|group| group.group != GroupId::SYSTEM);
        let copies = of_owners.map(|group| group.voters.len().max(group.target.len())).max().unwrap_or(0).max(1);
        if others.count() < copies {
            return Err(Refusal::TooFewNodes { needed: u32::try_from(copies).unwrap_or(u32::MAX) }.into());
        }
    }
    let held = groups.iter().filter(|group| group.voters.contains(&record.node) || group.target.contains(&record.node));
    match u32::try_from(held.count()).unwrap_or(u32::MAX) {
        groups if groups > 0 && state == NodeState::Removed => Err(Refusal::NodeHoldsGroups { groups }.into()),
        _ => Ok(()),
    }
}

fn member(draft: &Draft<'_>, node: NodeId) -> Decision<NodeRecord> {
    Ok(draft.get(&SystemSpace.node(node))?.ok_or(Refusal::NoSuchNode)?)
}

fn node_of_drive(draft: &Draft<'_>, drive: &DriveId) -> Decision<Option<NodeId>> {
    Ok(draft.get(&SystemSpace.node_drive(drive))?)
}

/// Records of nodes are never removed, so the number after the last one was never used.
fn last_node(draft: &Draft<'_>) -> Decision<Option<NodeId>> {
    Ok(query::last_node(draft.view())?.map(|record| record.node))
}

fn put_new(draft: &mut Draft<'_>, node: NodeId, zone: String, new: &NewNode) {
    let NodeAddresses { peer, web, s3 } = new.addresses.clone();
    let record = NodeRecord {
        node,
        drive: new.drive,
        peer_address: peer,
        web_address: web,
        s3_address: s3,
        zone,
        weight: new.weight,
        state: NodeState::Active,
        joined_ms: draft.time_ms,
        release: new.release.clone(),
    };
    draft.put(SystemSpace.node(node), &record);
    draft.put(SystemSpace.node_drive(&new.drive), &node);
}
