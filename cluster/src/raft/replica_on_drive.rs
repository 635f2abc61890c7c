//! Replica on a drive: what a stopped node has of a group, and making it the group's only voter (docs/quorum-recovery.md).
//! Owns: reading where a log ends and who votes, without opening the group; the entry by which a replica takes over.
//! Does not own: which replica does (`recovery::plan`).
//! Invariant: a replica takes over only where its log ends as it did when that was decided.

use std::collections::BTreeSet;

use bytes::Bytes;
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::log_store::LogStore;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::format::{self, AppliedRecord, VoteRecord};
use super::log::end_of_log;
use super::type_config::{Entry, LeaderId, LogId, Membership, Payload, Vote};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::key::GroupSpace;

const READ_STEP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Of an entry. Ordered as Raft orders logs by their ends: term first (Ongaro, "Consensus: Bridging Theory and Practice", 3.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogPosition {
    pub term: u64,
    pub leader: u64,
    pub index: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaOnDrive {
    pub group: GroupId,
    /// By the newest membership in the log, agreed or not: one set, or two while one replaces the other.
    pub voters: Vec<BTreeSet<NodeId>>,
    /// The highest that it voted in.
    pub term: u64,
    pub end: LogPosition,
}

/// What became of the wish that a replica takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    Done,
    DoneBefore,
}

impl ReplicaOnDrive {
    /// `None`: the drive has nothing of the group, or nothing but a vote.
    pub async fn read(engine: &StorageEngine, group: GroupId) -> Result<Option<Self>> {
        let applied = engine.metadata_store().get(&GroupSpace(group).applied()).await?;
        let applied = applied.map(|bytes| AppliedRecord::from_bytes(&bytes)).transpose()?.unwrap_or_default();
        let log = engine.log_store();
        let Some(end) = end_of_log(log, group).await?.max(applied.last_applied) else { return Ok(None) };
        let vote = log.state(group.0)?.vote.map(|bytes| VoteRecord::from_bytes(&bytes)).transpose()?;
        let membership = newest_membership(log, group).await?;
        let membership = membership.unwrap_or_else(|| applied.membership.membership().clone());
        let sets = membership.get_joint_config().iter();
        Ok(Some(Self {
            group,
            voters: sets.map(|voters| voters.iter().copied().map(NodeId).collect()).collect(),
            term: vote.map_or(0, |vote| vote.0.leader_id.term).max(end.leader_id.term),
            end: position(&end),
        }))
    }

    /// Makes `node`, whose drive this is, the only voter, by an entry of `term` behind `end`. Safe to ask for again. Durable when it returns.
    /// `Conflict`: the log ends elsewhere.
    pub async fn take_over(
        engine: &StorageEngine,
        group: GroupId,
        node: NodeId,
        end: LogPosition,
        term: u64,
    ) -> Result<TakeOver> {
        let leader_id = LeaderId { term, node_id: node.0 };
        let log_id = LogId { leader_id, index: end.index + 1 };
        let here = Self::read(engine, group).await?;
        let context = |what: &str| format!("take over group {}: {what}", group.0);
        match here.map(|replica| replica.end) {
            Some(found) if found == position(&log_id) => return Ok(TakeOver::DoneBefore),
            Some(found) if found == end && found.term < term => {}
            _ => return Err(Error::new(ErrorKind::Conflict, context("its log does not end where the plan says"))),
        }
        // As a leader has it that its voters agreed to.
        let vote = VoteRecord(Vote { leader_id, committed: true });
        engine.log_store().save_vote(group.0, vote.to_bytes()).await?;
        let only_voter = Membership::new_with_defaults(vec![BTreeSet::from([node.0])], []);
        let entry = format::encode_entry(&Entry { log_id, payload: Payload::Membership(only_voter) });
        append(engine.log_store(), group, log_id.index, entry).await?;
        Ok(TakeOver::Done)
    }
}

/// In the log, applied or not.
async fn newest_membership(log: &LogStore, group: GroupId) -> Result<Option<Membership>> {
    let state = log.state(group.0)?;
    let (Some(mut from), Some(last)) = (state.first, state.last) else { return Ok(None) };
    let mut newest = None;
    while from <= last {
        let step = log.read(group.0, from..last + 1, READ_STEP_BYTES_MAX).await?;
        let Some((read_to, _)) = step.last() else {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("entry {from} of the log of group {} is gone", group.0),
            ));
        };
        from = read_to + 1;
        for (_, bytes) in &step {
            if let Payload::Membership(membership) = format::decode_entry(bytes)?.payload {
                newest = Some(membership);
            }
        }
    }
    Ok(newest)
}

async fn append(log: &LogStore, group: GroupId, index: u64, entry: Bytes) -> Result<()> {
    let (sender, synced) = oneshot::channel();
    let done = move |result| {
        // Nobody else waits for it.
        let _ = sender.send(result);
    };
    log.append(group.0, vec![(index, entry)], done).await;
    let synced = synced.await;
    Ok(synced.map_err(|dropped| Error::caused_by(ErrorKind::Internal, "the log's writer has stopped", dropped))??)
}

fn position(log_id: &LogId) -> LogPosition {
    LogPosition { term: log_id.leader_id.term, leader: log_id.leader_id.node_id, index: log_id.index }
}
