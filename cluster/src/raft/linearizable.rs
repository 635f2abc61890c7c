//! Linearizable reads: when may this node answer from its own state?
//! Owns: the read gate, which knows whether this node is the only voter of the group.
//!
//! Every change is acknowledged only after the state that contains it has been written (`state_machine`). So a read that
//! looks at the state after it arrived sees every change that *this* node acknowledged before. The only question is
//! whether another node may have acknowledged one. As long as no membership with another voter has ever been appended here,
//! no other node can be elected or commit: the first such membership is joint, and needs this node's log. The gate closes when such
//! an entry is *appended* (not when it is applied), before the entry can have reached anyone else. Behind a closed
//! gate a read asks a majority first (read-index).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::type_config::{Membership, StoredMembership};
use crate::id::NodeId;

pub struct ReadGate {
    node: NodeId,
    /// Read for every read; written under `appended` only.
    sole_voter: AtomicBool,
    /// Index of the last membership that was appended since the start.
    appended: Mutex<Option<u64>>,
}

impl ReadGate {
    /// Closed until the group has applied all that was in its log at the start.
    pub fn new(node: NodeId) -> Self {
        Self { node, sole_voter: AtomicBool::new(false), appended: Mutex::new(None) }
    }

    /// No other node can have acknowledged anything.
    pub fn is_sole_voter(&self) -> bool {
        self.sole_voter.load(Ordering::Acquire)
    }

    pub fn membership_appended(&self, index: u64, membership: &Membership) {
        let mut appended = self.lock();
        *appended = Some(index);
        if !self.is_only_this_node(membership) {
            self.sole_voter.store(false, Ordering::Release);
        }
    }

    /// Opens the gate if `membership` is this node alone, and nothing newer has been appended.
    pub fn membership_applied(&self, membership: &StoredMembership) {
        let appended = self.lock();
        let applied = membership.log_id().as_ref().map(|log_id| log_id.index);
        let is_newest = applied.is_some() && *appended <= applied;
        let open = is_newest && self.is_only_this_node(membership.membership());
        self.sole_voter.store(open, Ordering::Release);
    }

    fn is_only_this_node(&self, membership: &Membership) -> bool {
        let mut voters = membership.voter_ids();
        voters.next() == Some(self.node.0) && voters.next().is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        self.appended.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::type_config::{LeaderId, LogId};
    use super::*;

    fn voters(nodes: &[u64]) -> Membership {
        Membership::new_with_defaults(vec![nodes.iter().copied().collect::<BTreeSet<_>>()], [])
    }

    fn applied(index: u64, nodes: &[u64]) -> StoredMembership {
        let log_id = LogId { leader_id: LeaderId { term: 1, node_id: 1 }, index };
        StoredMembership::new(Some(log_id), voters(nodes))
    }

    #[test]
    fn opens_for_a_single_voter_only() {
        let gate = ReadGate::new(NodeId(1));
        assert!(!gate.is_sole_voter(), "closed at the start");
        gate.membership_applied(&StoredMembership::default());
        assert!(!gate.is_sole_voter(), "no membership yet");
        gate.membership_applied(&applied(0, &[2]));
        assert!(!gate.is_sole_voter(), "another node alone");
        gate.membership_applied(&applied(0, &[1]));
        assert!(gate.is_sole_voter());
    }

    #[test]
    fn closes_when_a_second_voter_is_appended_not_when_it_is_applied() {
        let gate = ReadGate::new(NodeId(1));
        gate.membership_applied(&applied(0, &[1]));
        gate.membership_appended(7, &voters(&[1, 2]));
        assert!(!gate.is_sole_voter());
        // An older membership that is applied late must not open it again.
        gate.membership_applied(&applied(0, &[1]));
        assert!(!gate.is_sole_voter());
        gate.membership_applied(&applied(7, &[1, 2]));
        assert!(!gate.is_sole_voter());
        gate.membership_appended(9, &voters(&[1]));
        assert!(!gate.is_sole_voter(), "shrinking opens it only when applied");
        gate.membership_applied(&applied(9, &[1]));
        assert!(gate.is_sole_voter());
    }
}
