//! Nodes: how they become members, change and leave.
//! Invariant: a number and a drive belong together for ever; neither is given to another. A node's host never changes, and all nodes of
//! a host are in one zone.

use std::collections::BTreeSet;

use super::join_token;
use super::{Decision, Draft};
use crate::id::{DriveId, GroupId, HostId, NodeId, TokenId};
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
    let host = HostId::begun_by(NodeId::FOUNDER);
    put_new(draft, NodeId::FOUNDER, Place { host, zone: founder.zone.clone() }, founder);
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
    put_new(draft, node, Place { host: HostId::begun_by(node), zone }, new);
    Ok(Outcome::NodeAdmitted { node })
}

/// Needs no token: whoever holds the certificate of a member is inside already.
pub(super) fn admit_drive(draft: &mut Draft<'_>, beside: NodeId, new: &NewNode) -> Decision<Outcome> {
    let NodeRecord { host, zone, state, .. } = member(draft, beside)?;
    if let Some(node) = node_of_drive(draft, &new.drive)? {
        let known = member(draft, node)?;
        let is_same_admission = known.host == host && known.state != NodeState::Removed;
        return if is_same_admission {
            Ok(Outcome::NodeAdmitted { node })
        } else {
            Err(Refusal::DriveKnown { node }.into())
        };
    }
    if state == NodeState::Removed {
        return Err(Refusal::NodeRemoved.into());
    }
    let NodeId(last) = last_node(draft)?.ok_or(Refusal::NoSuchNode)?;
    let node = NodeId(last + 1);
    put_new(draft, node, Place { host, zone }, new);
    Ok(Outcome::NodeAdmitted { node })
}

pub(super) fn update(draft: &mut Draft<'_>, node: NodeId, update: &NodeUpdate) -> Decision<Outcome> {
    let record = member(draft, node)?;
    let host = record.host;
    update_all(draft, vec![record], update)?;
    if let Some(zone) = &update.zone {
        let others = query::nodes(draft.view())?.into_iter().filter(|other| other.host == host && other.node != node);
        for other in others {
            draft.put(SystemSpace.node(other.node), &NodeRecord { zone: zone.clone(), ..other });
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn update_host(draft: &mut Draft<'_>, host: HostId, update: &NodeUpdate) -> Decision<Outcome> {
    let nodes = query::nodes(draft.view())?;
    let here: Vec<NodeRecord> =
        nodes.into_iter().filter(|record| record.host == host && record.state != NodeState::Removed).collect();
    if here.is_empty() {
        return Err(Refusal::NoSuchNode.into());
    }
    update_all(draft, here, update)?;
    Ok(Outcome::Done)
}

fn update_all(draft: &mut Draft<'_>, records: Vec<NodeRecord>, update: &NodeUpdate) -> Decision<()> {
    if records.iter().any(|record| record.state == NodeState::Removed) {
        return Err(Refusal::NodeRemoved.into());
    }
    if let Some(state) = update.state {
        check_leaving(draft, &records, state)?;
    }
    for mut record in records {
        if let Some(NodeAddresses { peer, web, s3 }) = update.addresses.clone() {
            (record.peer_address, record.web_address, record.s3_address) = (peer, web, s3);
        }
        record.state = update.state.unwrap_or(record.state);
        record.zone = update.zone.clone().unwrap_or(record.zone);
        record.weight = update.weight.unwrap_or(record.weight);
        record.release = update.release.clone().unwrap_or(record.release);
        draft.put(SystemSpace.node(record.node), &record);
    }
    Ok(())
}

/// Nothing may leave that the others could not make up for. Decided here, because two drains could race. Copies are counted against
/// hosts: no two of a group are on one.
fn check_leaving(draft: &Draft<'_>, leaving: &[NodeRecord], state: NodeState) -> Decision<()> {
    if state == NodeState::Active || leaving.iter().all(|record| record.state == state) {
        return Ok(());
    }
    let leaves = |node: &NodeId| leaving.iter().any(|record| record.node == *node);
    let groups = query::groups(draft.view())?;
    if leaving.iter().any(|record| record.state == NodeState::Active) {
        let nodes = query::nodes(draft.view())?;
        let takes_replicas = |node: &NodeRecord| node.state == NodeState::Active && node.weight > 0;
        let others = nodes.iter().filter(|other| takes_replicas(other) && !leaves(&other.node));
        let hosts: BTreeSet<HostId> = others.map(|other| other.host).collect();
        // The system group takes as many voters as there are hosts for, and gives them up again.
        let of_owners = groups.iter().filter(|group| group.group != GroupId::SYSTEM);
        let copies = of_owners.map(|group| group.voters.len().max(group.target.len())).max().unwrap_or(0).max(1);
        if hosts.len() < copies {
            return Err(Refusal::TooFewNodes { needed: u32::try_from(copies).unwrap_or(u32::MAX) }.into());
        }
    }
    let held = groups.iter().filter(|group| group.voters.iter().chain(&group.target).any(leaves));
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

struct Place {
    host: HostId,
    zone: String,
}

fn put_new(draft: &mut Draft<'_>, node: NodeId, place: Place, new: &NewNode) {
    let NodeAddresses { peer, web, s3 } = new.addresses.clone();
    let Place { host, zone } = place;
    let record = NodeRecord {
        node,
        host,
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
