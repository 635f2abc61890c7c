//! Plan: which replica of each group that lost its majority takes over. Pure (docs/quorum-recovery.md, "The plan").
//! Invariant: nothing is done to a group whose survivors are a majority; the replica that takes over has all that any of them applied.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::report::{DriveReport, PlacedGroup, ReplicaReport};
use crate::id::NodeId;
use crate::metadata::VoterSets;
use crate::raft::LogPosition;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub cluster: String,
    pub takeovers: Vec<Takeover>,
    /// Groups of which no voter is left: nothing can be made of them.
    pub without_replica: Vec<PlacedGroup>,
    /// Groups whose survivors are a majority.
    pub untouched: Vec<u32>,
}

/// `node` becomes the only voter of `group` by an entry of `term`, if its log still ends at `end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takeover {
    pub group: u32,
    pub node: u64,
    pub end: LogPosition,
    pub term: u64,
    /// Voters whose drives are lost.
    pub lost: BTreeSet<u64>,
    /// Voters that are left and have less, or the same.
    pub others: BTreeSet<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanRefusal {
    #[error("there is no report: make one on each node that is left, with `onggi recover report`")]
    NoReports,
    #[error("node {0} is reported twice: give one report of each drive")]
    Twice(u64),
    #[error("the reports are of two clusters, {0} and {1}")]
    TwoClusters(String, String),
    #[error("node {0} is reported and named as lost: if it starts, it is not lost")]
    LostAndReported(u64),
    #[error(
        "node {node} votes in group {group} and is neither reported nor lost: it may have more than all others. Bring its report, or name it in --lost if its drive is gone for ever"
    )]
    Unheard { node: u64, group: u32 },
}

pub fn plan(reports: &[DriveReport], lost: &BTreeSet<u64>) -> Result<Plan, PlanRefusal> {
    let heard = check(reports, lost)?;
    let placed = placed(reports);
    let groups: BTreeSet<u32> =
        reports.iter().flat_map(|report| &report.replicas).map(|replica| replica.group).collect();
    let mut plan = Plan {
        cluster: reports[0].cluster.clone(),
        takeovers: Vec::new(),
        without_replica: Vec::new(),
        untouched: Vec::new(),
    };
    for group in groups.iter().chain(placed.keys()).copied().collect::<BTreeSet<_>>() {
        let of_group = reports.iter().filter_map(|report| Some((report.node, report.replica(group)?)));
        let terms = of_group.clone().map(|(_, replica)| replica.term);
        let term = terms.max().unwrap_or(0) + 1;
        let best =
            of_group.clone().filter(|(node, replica)| votes(*node, replica)).max_by_key(|(_, replica)| replica.end);
        let voters = match best {
            Some((_, replica)) => replica.voters.iter().flatten().copied().collect(),
            None => {
                let of_learners =
                    || of_group.flat_map(|(_, replica)| replica.voters.iter().flatten().copied()).collect();
                placed.get(&group).cloned().unwrap_or_else(of_learners)
            }
        };
        if let Some(node) = voters.iter().find(|node| !heard.contains(node) && !lost.contains(node)) {
            return Err(PlanRefusal::Unheard { node: *node, group });
        }
        match best {
            Some((_, replica)) if has_majority(replica, &heard) => plan.untouched.push(group),
            Some((node, replica)) => plan.takeovers.push(Takeover {
                group,
                node,
                end: replica.end,
                term,
                lost: voters.intersection(lost).copied().collect(),
                others: voters.difference(lost).copied().filter(|other| *other != node).collect(),
            }),
            None => plan.without_replica.push(PlacedGroup { group, voters }),
        }
    }
    Ok(plan)
}

/// The nodes that are reported.
fn check(reports: &[DriveReport], lost: &BTreeSet<u64>) -> Result<BTreeSet<u64>, PlanRefusal> {
    let first = reports.first().ok_or(PlanRefusal::NoReports)?;
    let mut heard = BTreeSet::new();
    for report in reports {
        if report.cluster != first.cluster {
            return Err(PlanRefusal::TwoClusters(first.cluster.clone(), report.cluster.clone()));
        }
        if lost.contains(&report.node) {
            return Err(PlanRefusal::LostAndReported(report.node));
        }
        if !heard.insert(report.node) {
            return Err(PlanRefusal::Twice(report.node));
        }
    }
    Ok(heard)
}

/// As the drive has it whose copy of the system group ends last.
fn placed(reports: &[DriveReport]) -> BTreeMap<u32, BTreeSet<u64>> {
    let newest = reports.iter().max_by_key(|report| report.replica(0).map(|replica| replica.end));
    let placed = newest.into_iter().flat_map(|report| &report.placed);
    placed.map(|group| (group.group, group.voters.clone())).collect()
}

fn votes(node: u64, replica: &ReplicaReport) -> bool {
    replica.voters.iter().any(|voters| voters.contains(&node))
}

fn has_majority(replica: &ReplicaReport, heard: &BTreeSet<u64>) -> bool {
    let sets = replica.voters.iter().map(|voters| voters.iter().copied().map(NodeId).collect());
    VoterSets::new(sets).have_majority(|node| heard.contains(&node.0))
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod plan_test;
