//! New group: where the log of a group begins that came of a split.
//! Invariant: every replica gives it the same position and members, because it takes them from the entry of the split.

use std::collections::BTreeSet;

use super::format::AppliedRecord;
use super::type_config::{LeaderId, LogId, Membership, StoredMembership};

/// No leader has term 0, so every entry that is ever proposed comes behind. Index 1: what is at 0 could be sent to a member that has
/// nothing, and such a one must get a snapshot.
const FIRST: LogId = LogId { leader_id: LeaderId { term: 0, node_id: 0 }, index: 1 };

/// As if a snapshot had been installed: the state is there, the log is empty. The members are the voters of the group that was split; while
/// one set of them replaced another, those that were to be.
pub fn first_position(of_parent: &StoredMembership) -> AppliedRecord {
    let voters: BTreeSet<u64> = of_parent.membership().get_joint_config().last().cloned().unwrap_or_default();
    let membership = Membership::new_with_defaults(vec![voters], []);
    AppliedRecord { last_applied: Some(FIRST), membership: StoredMembership::new(Some(FIRST), membership) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learners_stay_behind_and_a_change_of_voters_is_taken_as_done() {
        let joint = vec![BTreeSet::from([1, 2, 3]), BTreeSet::from([2, 3, 4])];
        let parent = StoredMembership::new(Some(FIRST), Membership::new_with_defaults(joint, [9]));
        let first = first_position(&parent);
        assert_eq!(first.membership.membership().get_joint_config(), &vec![BTreeSet::from([2, 3, 4])]);
        assert_eq!(first.membership.membership().learner_ids().count(), 0);
    }
}
