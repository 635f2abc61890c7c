//! Group members: who votes, who learns, who leads.
//! Owns: changes of them, each safe to ask for again. Does not own: who should be a member (`placement`).
//!
//! A node becomes a voter in two steps: as a learner it catches up without counting, then the voters change at once (joint
//! consensus). What a leader began and did not finish, the next one finishes when it is asked for the same voters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::impls::EmptyNode;
use openraft::{ChangeMembers, ServerState};
use tokio::time::Instant;

use super::group::{Group, GroupRaft};
use super::type_config::Membership;
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;
use crate::metadata::VoterSets;

const TRANSFER_POLL: Duration = Duration::from_millis(10);

impl Group {
    /// In the last membership of the log; of both sets while one replaces the other.
    pub fn voters(&self) -> BTreeSet<NodeId> {
        let metrics = self.metrics.borrow_watched();
        metrics.membership_config.membership().voter_ids().map(NodeId).collect()
    }

    pub fn learners(&self) -> BTreeSet<NodeId> {
        let metrics = self.metrics.borrow_watched();
        metrics.membership_config.membership().learner_ids().map(NodeId).collect()
    }

    /// The voters are one set, and that is committed: nothing is being changed.
    pub fn members_are_settled(&self) -> bool {
        let metrics = self.metrics.borrow_watched();
        let last = &metrics.membership_config;
        last.membership().get_joint_config().len() == 1 && last.log_id() == metrics.committed_membership_config.log_id()
    }

    /// The new voters of a change of which the first half is agreed and the second is not on its way, unless right now. Whoever asked for the
    /// change makes the second half; if it went away in between, somebody has to ask again.
    pub fn half_changed_voters(&self) -> Option<BTreeSet<NodeId>> {
        let metrics = self.metrics.borrow_watched();
        let last = &metrics.membership_config;
        let joint = last.membership().get_joint_config();
        let is_half = joint.len() > 1 && last.log_id() == metrics.committed_membership_config.log_id();
        joint.last().filter(|_| is_half).map(|voters| voters.iter().copied().map(NodeId).collect())
    }

    /// Until the group has stopped, or its drive has failed: then openraft says for ever what it was last, and a leader of an idle group does not
    /// even notice.
    fn is_at_work(&self) -> bool {
        self.metrics.borrow_watched().running_state.is_ok() && self.drive.poison().check().is_ok()
    }

    /// False where others shall go on without this node. The only voter serves reads for as long as it can.
    pub fn takes_part(&self) -> bool {
        self.is_at_work() || !self.has_other_voters()
    }

    pub(super) fn has_other_voters(&self) -> bool {
        self.metrics.borrow_watched().membership_config.membership().voter_ids().any(|voter| voter != self.node.0)
    }

    pub fn is_leader(&self) -> bool {
        let leads = self.metrics.borrow_watched().state == ServerState::Leader;
        leads && self.takes_part()
    }

    /// Who led when this node last heard of a leader.
    pub fn leader_hint(&self) -> Option<NodeId> {
        let leader = self.metrics.borrow_watched().current_leader.map(NodeId);
        leader.filter(|_| self.takes_part())
    }

    /// How many entries `node` lacks, as far as it has answered; `None` if this node does not lead or `node` is no member.
    pub fn entries_behind(&self, node: NodeId) -> Option<u64> {
        let metrics = self.metrics.borrow_watched();
        let matched = metrics.replication.as_ref()?.get(&node.0)?;
        let next = matched.as_ref().map_or(0, |log_id| log_id.index + 1);
        Some(metrics.last_log_index.map_or(0, |last| last + 1).saturating_sub(next))
    }

    /// Returns when it is agreed, not when the learner has caught up. A member is left as it is.
    pub async fn add_learner(&self, node: NodeId) -> Result<()> {
        if self.voters().contains(&node) || self.learners().contains(&node) {
            return self.only_if_leader("add a learner");
        }
        self.change(ChangeMembers::AddNodes(BTreeMap::from([(node.0, EmptyNode::new())]))).await
    }

    /// A voter must be made none by `change_voters` first.
    pub async fn remove_learner(&self, node: NodeId) -> Result<()> {
        if !self.learners().contains(&node) {
            return self.only_if_leader("remove a learner");
        }
        self.change(ChangeMembers::RemoveNodes(BTreeSet::from([node.0]))).await
    }

    /// `Conflict` if one of them is no learner yet, or another change is under way. Those that are left out are no members any more;
    /// a leader that is left out leads until that is agreed, then hands over.
    pub async fn change_voters(&self, voters: BTreeSet<NodeId>) -> Result<()> {
        if self.members_are_settled() && self.voters() == voters {
            return self.only_if_leader("change the voters");
        }
        self.change(ChangeMembers::ReplaceAllVoters(voters.into_iter().map(|node| node.0).collect())).await
    }

    /// Returns when this node knows that `to` leads. It takes no proposals meanwhile; after `limit`, `Unavailable`.
    pub async fn transfer_leader(&self, to: NodeId, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        if self.leader_hint() == Some(to) {
            return Ok(());
        }
        self.only_if_leader("hand over leadership")?;
        self.handing_over.begins_in(self.status().term);
        self.raft
            .trigger()
            .transfer_leader(to.0)
            .await
            .map_err(|fatal| self.internal("hand over leadership", fatal))?;
        while self.leader_hint() != Some(to) {
            if Instant::now() >= deadline {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    self.context("the other node did not take over leadership"),
                ));
            }
            tokio::time::sleep(TRANSFER_POLL).await;
        }
        Ok(())
    }

    /// As far as the peers are known, is there a majority in each set of voters?
    pub(super) fn majority_is_up(&self) -> bool {
        let metrics = self.metrics.borrow_watched();
        let is_up = |node: NodeId| node == self.node || self.network.peers.is_up(node);
        voter_sets(metrics.membership_config.membership()).have_majority(is_up)
    }

    async fn change(&self, change: ChangeMembers<u64, EmptyNode>) -> Result<()> {
        // A leader that is left out leads until somebody else does. openraft counts it as a learner, and takes it for a bug that a learner
        // changes the members.
        if !self.is_voter() {
            return Err(Error::new(ErrorKind::NotLeader, self.context("change the members")));
        }
        let append = |raft: GroupRaft| {
            let change = change.clone();
            async move { raft.change_membership(change, false).await }
        };
        let changed = self.write("change the members", append).await?;
        changed.map(|_| ()).map_err(|error| self.write_error("change the members", error))
    }

    /// Of any set, while one replaces another.
    fn is_voter(&self) -> bool {
        self.metrics.borrow_watched().membership_config.membership().voter_ids().any(|voter| voter == self.node.0)
    }

    fn only_if_leader(&self, verb: &str) -> Result<()> {
        if self.is_leader() { Ok(()) } else { Err(Error::new(ErrorKind::NotLeader, self.context(verb))) }
    }
}

pub(super) fn voter_sets(membership: &Membership) -> VoterSets {
    let sets = membership.get_joint_config();
    VoterSets::new(sets.iter().map(|voters| voters.iter().copied().map(NodeId).collect()))
}
