//! Linearizable reads: when may this node answer from its own state?
//! Owns: the read gate, which knows whether this node alone can acknowledge changes of the group, whether its state is whole, and which
//! owners it is about.
//!
//! Every change is acknowledged only after the state that contains it has been written (`state_machine`). So a read that
//! looks at the state after it arrived sees every change that *this* node acknowledged before. The only question is
//! whether another node may have acknowledged one. It cannot, while the gate is open:
//!
//! - it opens when this node is the only voter of the last membership in its log, that membership is applied, and so is an entry
//!   that this node proposed as the leader *of this run*. Nobody of an earlier term can commit any more without this node, and
//!   what they did commit is before that entry. (The node that shrank the group to this one may lead on for a moment.)
//! - it closes when a membership with another voter is *appended*, not when it is applied: before the entry can have reached anyone
//!   else, so before anyone else can be elected or commit.
//!
//! Behind a closed gate a read asks a majority first (`read_round`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::type_config::{LogId, Membership, StoredMembership};
use crate::id::NodeId;
use crate::metadata::record::RangeRecord;

pub struct ReadGate {
    node: NodeId,
    /// Read for every read; written under `seen` only.
    sole_voter: AtomicBool,
    /// While a snapshot replaces the state record by record.
    installing: AtomicBool,
    seen: Mutex<Seen>,
    /// What the applied state says of its range; told after it was written, and before anybody is answered.
    owners: Mutex<Option<RangeRecord>>,
}

#[derive(Default)]
struct Seen {
    /// `None` until the start has looked at the log: nothing may open the gate before.
    start: Option<LogStart>,
    /// Index of the last membership in the log, as far as it was appended or applied in this run.
    appended: Option<u64>,
}

/// The end of the log before this run added to it.
#[derive(Clone, Copy, Default)]
pub struct LogStart {
    pub membership_index: Option<u64>,
    /// Of the vote. Who leads in this run does so in a later one. An index says nothing: a group that comes back to this node begins its
    /// log anew, and what this node proposed long ago comes first.
    pub term: u64,
}

impl ReadGate {
    pub fn new(node: NodeId) -> Self {
        let (sole_voter, installing) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { node, sole_voter, installing, seen: Mutex::default(), owners: Mutex::default() }
    }

    /// No other node can have acknowledged anything that is not applied here.
    pub fn is_sole_voter(&self) -> bool {
        self.sole_voter.load(Ordering::Acquire)
    }

    /// A view that was taken *before* this was asked is whole if the answer is no.
    pub fn is_installing(&self) -> bool {
        self.installing.load(Ordering::Acquire)
    }

    /// The owners that the group decides about. Asked *after* a view was taken, the view is not newer than the answer.
    pub fn owners(&self) -> Option<RangeRecord> {
        *self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn decides_about(&self, owners: Option<RangeRecord>) {
        *self.owners.lock().unwrap_or_else(PoisonError::into_inner) = owners;
    }

    /// From here on entries of this run may open the gate.
    pub fn started(&self, start: LogStart) {
        let mut seen = self.lock();
        seen.appended = seen.appended.max(start.membership_index);
        seen.start = Some(start);
    }

    pub fn membership_appended(&self, index: u64, membership: &Membership) {
        let mut seen = self.lock();
        seen.appended = Some(index);
        if !self.is_only_this_node(membership) {
            self.sole_voter.store(false, Ordering::Release);
        }
    }

    /// `last` and everything before it is in the state, under `membership`.
    pub fn applied(&self, last: Option<&LogId>, membership: &StoredMembership) {
        let seen = self.lock();
        let membership_index = membership.log_id().as_ref().map(|log_id| log_id.index);
        let is_newest = membership_index.is_some() && seen.appended <= membership_index;
        let led_by_this_node = |last: &LogId| last.leader_id.node_id == self.node.0;
        let of_this_run = |last: &LogId| seen.start.is_some_and(|start| last.leader_id.term > start.term);
        let led_here = last.is_some_and(|last| led_by_this_node(last) && of_this_run(last));
        let open = is_newest && led_here && self.is_only_this_node(membership.membership());
        self.sole_voter.store(open, Ordering::Release);
    }

    pub fn install_begins(&self) {
        let _seen = self.lock();
        self.sole_voter.store(false, Ordering::Release);
        self.installing.store(true, Ordering::Release);
    }

    pub fn install_ended(&self) {
        self.installing.store(false, Ordering::Release);
    }

    fn is_only_this_node(&self, membership: &Membership) -> bool {
        let mut voters = membership.voter_ids();
        voters.next() == Some(self.node.0) && voters.next().is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::type_config::LeaderId;
    use super::*;

    fn voters(nodes: &[u64]) -> Membership {
        Membership::new_with_defaults(vec![nodes.iter().copied().collect::<BTreeSet<_>>()], [])
    }

    fn log_id(node_id: u64, index: u64) -> LogId {
        LogId { leader_id: LeaderId { term: 1, node_id }, index }
    }

    fn member(index: u64, nodes: &[u64]) -> StoredMembership {
        StoredMembership::new(Some(log_id(1, index)), voters(nodes))
    }

    fn started(term: u64, membership_index: u64) -> ReadGate {
        let gate = ReadGate::new(NodeId(1));
        gate.started(LogStart { membership_index: Some(membership_index), term });
        gate
    }

    #[test]
    fn opens_for_the_only_voter_once_an_entry_of_its_own_is_applied() {
        let gate = started(0, 0);
        assert!(!gate.is_sole_voter(), "closed at the start");
        gate.applied(Some(&log_id(1, 6)), &member(0, &[2]));
        assert!(!gate.is_sole_voter(), "another node alone");
        gate.applied(Some(&log_id(1, 6)), &member(0, &[1]));
        assert!(gate.is_sole_voter());
    }

    #[test]
    fn what_this_node_proposed_in_an_earlier_run_opens_nothing_whenever_it_comes() {
        // It founded the group alone, voted for itself in term 1, left the group, and follows another leader into it again.
        let gate = ReadGate::new(NodeId(1));
        gate.started(LogStart { membership_index: None, term: 1 });
        gate.membership_appended(0, &voters(&[1]));
        gate.applied(Some(&log_id(1, 8)), &member(0, &[1]));
        assert!(!gate.is_sole_voter(), "others vote in what comes behind");
    }

    #[test]
    fn replaying_the_log_before_the_start_opens_nothing() {
        let gate = ReadGate::new(NodeId(1));
        gate.applied(Some(&log_id(1, 5)), &member(0, &[1]));
        assert!(!gate.is_sole_voter());
        // The log ends with a membership that is not applied yet.
        gate.started(LogStart { membership_index: Some(7), term: 0 });
        gate.applied(Some(&log_id(1, 8)), &member(0, &[1]));
        assert!(!gate.is_sole_voter());
    }

    #[test]
    fn closes_when_a_second_voter_is_appended_not_when_it_is_applied() {
        let gate = started(0, 0);
        gate.applied(Some(&log_id(1, 1)), &member(0, &[1]));
        assert!(gate.is_sole_voter());
        gate.membership_appended(7, &voters(&[1, 2]));
        assert!(!gate.is_sole_voter());
        // An older membership that is applied late must not open it again.
        gate.applied(Some(&log_id(1, 6)), &member(0, &[1]));
        assert!(!gate.is_sole_voter());
        gate.applied(Some(&log_id(1, 7)), &member(7, &[1, 2]));
        assert!(!gate.is_sole_voter());
        gate.membership_appended(9, &voters(&[1]));
        assert!(!gate.is_sole_voter(), "shrinking opens it only when applied");
        gate.applied(Some(&log_id(1, 9)), &member(9, &[1]));
        assert!(gate.is_sole_voter());
    }

    #[test]
    fn a_leader_that_shrank_the_group_to_this_node_may_acknowledge_until_this_node_leads() {
        let gate = started(0, 0);
        gate.membership_appended(9, &voters(&[1]));
        gate.applied(Some(&log_id(2, 9)), &member(9, &[1]));
        assert!(!gate.is_sole_voter(), "node 2 still leads");
        gate.applied(Some(&log_id(1, 10)), &member(9, &[1]));
        assert!(gate.is_sole_voter());
    }

    #[test]
    fn an_install_closes_it() {
        let gate = started(0, 0);
        gate.applied(Some(&log_id(1, 1)), &member(0, &[1]));
        gate.install_begins();
        assert!(gate.is_installing() && !gate.is_sole_voter());
        gate.install_ended();
        assert!(!gate.is_installing() && !gate.is_sole_voter());
    }
}
