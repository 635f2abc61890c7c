//! Step: the next thing to do for a group that is not where it shall be. Pure.
//! Owns: the order: learner, log, bytes, vote, hand over, record.
//! Invariant: nobody gets a vote before it has the log and the bytes; the record follows the group, never the other way round.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::NodeId;
use crate::metadata::record::GroupRecord;

/// A learner this close to the end of the log has caught up: one message brings the rest.
const ENTRIES_BEHIND_MAX: u64 = 512;

/// What the leader of a group sees of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub leader: NodeId,
    pub voters: BTreeSet<NodeId>,
    pub learners: BTreeSet<NodeId>,
    /// No change of members is under way.
    pub settled: bool,
    /// A change of voters was agreed half, and whoever asked for it went away: these shall vote in the end.
    pub half_changed: Option<BTreeSet<NodeId>>,
    /// How far the learners are.
    pub progress: BTreeMap<NodeId, Progress>,
    /// Nodes that get the log without a vote, for as long as they are members: all of them in the system group, none elsewhere.
    pub audience: BTreeSet<NodeId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// `None`: nothing has arrived there yet.
    pub entries_behind: Option<u64>,
    /// Every byte that the group's records name is there.
    pub has_bytes: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Nothing,
    AddLearner(NodeId),
    RemoveLearner(NodeId),
    /// A learner is not there yet.
    Wait(NodeId),
    ChangeVoters(BTreeSet<NodeId>),
    /// This node will lose its vote: a node that keeps it goes on.
    TransferLeader(NodeId),
    /// The group is where it shall be: say so.
    Record(GroupRecord),
}

pub fn next_step(record: &GroupRecord, seen: &Seen) -> Step {
    if let Some(voters) = &seen.half_changed {
        return Step::ChangeVoters(voters.clone());
    }
    if !seen.settled {
        return Step::Nothing;
    }
    let target: BTreeSet<NodeId> = record.target.iter().copied().collect();
    if was_taken_over(record, &target, seen) {
        let voters: Vec<NodeId> = seen.voters.iter().copied().collect();
        return Step::Record(GroupRecord { target: voters.clone(), voters, ..record.clone() });
    }
    let wanted: BTreeSet<NodeId> = target.union(&seen.audience).copied().collect();
    if let Some(node) = wanted.iter().find(|node| !seen.voters.contains(node) && !seen.learners.contains(node)) {
        return Step::AddLearner(*node);
    }
    if seen.voters != target {
        if let Some(node) = target.difference(&seen.voters).find(|node| !is_there(seen, **node)) {
            return Step::Wait(*node);
        }
        if !target.contains(&seen.leader) {
            // To one that has a vote already; the first change gives it to the newcomers.
            return match target.intersection(&seen.voters).next() {
                Some(successor) => Step::TransferLeader(*successor),
                None => Step::ChangeVoters(seen.voters.union(&target).copied().collect()),
            };
        }
        return Step::ChangeVoters(target);
    }
    if let Some(node) = seen.learners.iter().find(|node| !wanted.contains(node)) {
        return Step::RemoveLearner(*node);
    }
    if record.voters != record.target {
        return Step::Record(GroupRecord { voters: record.target.clone(), ..record.clone() });
    }
    Step::Nothing
}

/// Voters do not get fewer on the way to a target: some of them are lost, and an operator gave them up (docs/quorum-recovery.md).
fn was_taken_over(record: &GroupRecord, target: &BTreeSet<NodeId>, seen: &Seen) -> bool {
    let voters: BTreeSet<NodeId> = record.voters.iter().copied().collect();
    seen.voters.len() < voters.len() && seen.voters.is_subset(&voters) && seen.voters != *target
}

fn is_there(seen: &Seen, node: NodeId) -> bool {
    let progress = seen.progress.get(&node).copied().unwrap_or_default();
    progress.has_bytes && progress.entries_behind.is_some_and(|behind| behind <= ENTRIES_BEHIND_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::GroupId;

    fn nodes(numbers: &[u64]) -> BTreeSet<NodeId> {
        numbers.iter().copied().map(NodeId).collect()
    }

    fn record(voters: &[u64], target: &[u64]) -> GroupRecord {
        let list = |numbers: &[u64]| numbers.iter().copied().map(NodeId).collect();
        GroupRecord { group: GroupId(3), voters: list(voters), target: list(target), step: 4 }
    }

    /// Carries the group until nothing is left to do, as openraft would; the steps, as text.
    fn carry(record: GroupRecord, leader: u64, audience: &[u64]) -> (Vec<String>, GroupRecord, Seen) {
        let mut record = record;
        let voters = record.voters.iter().copied().collect();
        let mut seen = Seen {
            leader: NodeId(leader),
            voters,
            learners: BTreeSet::new(),
            settled: true,
            half_changed: None,
            progress: BTreeMap::new(),
            audience: nodes(audience),
        };
        let mut steps = Vec::new();
        for _ in 0..50 {
            let step = next_step(&record, &seen);
            steps.push(format!("{step:?}"));
            match step {
                Step::Nothing => break,
                Step::AddLearner(node) => {
                    assert!(seen.learners.insert(node));
                }
                Step::RemoveLearner(node) => {
                    assert!(seen.learners.remove(&node));
                }
                Step::Wait(node) => {
                    // First the log, then the bytes.
                    let progress = seen.progress.entry(node).or_default();
                    progress.has_bytes = progress.entries_behind.is_some();
                    progress.entries_behind = Some(0);
                }
                Step::ChangeVoters(voters) => {
                    for node in voters.difference(&seen.voters) {
                        assert!(is_there(&seen, *node), "{node:?} gets a vote too early");
                        assert!(seen.learners.remove(node));
                    }
                    assert!(voters.contains(&seen.leader));
                    seen.voters = voters;
                }
                Step::TransferLeader(node) => {
                    assert!(seen.voters.contains(&node));
                    seen.leader = node;
                }
                Step::Record(new) => record = GroupRecord { step: new.step + 1, ..new },
            }
        }
        (steps, record, seen)
    }

    #[test]
    fn every_way_ends_where_it_should() {
        let sets: [&[u64]; 7] = [&[1], &[1, 2, 3], &[2, 3, 4], &[4, 5, 6], &[1, 2], &[6], &[1, 2, 3, 4, 5]];
        for from in sets {
            for to in sets {
                for leader in from {
                    let (steps, record, seen) = carry(record(from, to), *leader, &[]);
                    assert_eq!(steps.last().map(String::as_str), Some("Nothing"), "{from:?} → {to:?}: {steps:#?}");
                    assert_eq!(seen.voters, nodes(to), "{steps:#?}");
                    assert_eq!(seen.learners, nodes(&[]), "{steps:#?}");
                    assert_eq!(record.voters, record.target);
                }
            }
        }
    }

    #[test]
    fn the_record_of_a_group_that_was_taken_over_follows_it() {
        let seen = |voters: &[u64]| Seen {
            leader: NodeId(2),
            voters: nodes(voters),
            learners: nodes(&[]),
            settled: true,
            half_changed: None,
            progress: BTreeMap::new(),
            audience: nodes(&[]),
        };
        for target in [&[1, 2, 3][..], &[1, 3, 4], &[4, 5, 6]] {
            let taken = Step::Record(GroupRecord {
                voters: vec![NodeId(2)],
                target: vec![NodeId(2)],
                ..record(&[1, 2, 3], target)
            });
            assert_eq!(next_step(&record(&[1, 2, 3], target), &seen(&[2])), taken, "{target:?}");
        }
        // Not one that gets smaller because it shall.
        let steps = next_step(&record(&[1, 2, 3], &[2]), &seen(&[2]));
        assert_eq!(steps, Step::Record(record(&[2], &[2])));
    }

    #[test]
    fn one_node_becomes_three() {
        let (steps, ..) = carry(record(&[1], &[1, 2, 3]), 1, &[]);
        let expected = [
            "AddLearner(NodeId(2))",
            "AddLearner(NodeId(3))",
            "Wait(NodeId(2))",
            "Wait(NodeId(2))",
            "Wait(NodeId(3))",
            "Wait(NodeId(3))",
            "ChangeVoters({NodeId(1), NodeId(2), NodeId(3)})",
        ];
        assert_eq!(steps[..7], expected);
    }

    #[test]
    fn the_audience_listens_and_does_not_vote() {
        let (_, _, seen) = carry(record(&[1], &[1, 2, 3]), 1, &[1, 2, 3, 4, 5]);
        assert_eq!((seen.voters, seen.learners), (nodes(&[1, 2, 3]), nodes(&[4, 5])));
    }

    #[test]
    fn nothing_is_done_while_a_change_is_under_way() {
        let record = record(&[1], &[1, 2, 3]);
        let seen = Seen {
            leader: NodeId(1),
            voters: nodes(&[1]),
            learners: nodes(&[]),
            settled: false,
            half_changed: None,
            progress: BTreeMap::new(),
            audience: nodes(&[]),
        };
        assert_eq!(next_step(&record, &seen), Step::Nothing);
        // Whoever began it is gone: nobody else would ever finish it.
        let seen = Seen { half_changed: Some(nodes(&[2, 3])), ..seen };
        assert_eq!(next_step(&record, &seen), Step::ChangeVoters(nodes(&[2, 3])));
    }
}
