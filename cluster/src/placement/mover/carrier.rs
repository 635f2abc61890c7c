//! Carrier: does the next step for each group that this node leads.
//! Owns: seeing how far a group is, and acting on it; one step at a time for each group.
//! Does not own: which step is next (`step`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::step::{Progress, Seen, Step, next_step};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::client::MetadataClient;
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{GroupRecord, NodeState};
use crate::peer::Peers;
use crate::placement::{Placement, PlacementView};
use crate::raft::{Group, GroupSet};

/// Between two looks at the groups that this node leads.
const INTERVAL: Duration = Duration::from_millis(100);
/// Leaders are evened out this often, one group at a time: each hand-over is a short pause of its group.
const SPREAD_INTERVAL: Duration = Duration::from_secs(5);
/// A step that takes longer is looked at anew: members and leader may have changed.
const STEP_TIME_MAX: Duration = Duration::from_secs(5);

/// Tells whether a node has every byte that a group's records name.
pub type HasBytes = Arc<dyn Fn(NodeId, GroupId) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

#[derive(Clone)]
pub struct Carrier {
    node: NodeId,
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
    has_bytes: HasBytes,
    peers: Peers,
}

impl Carrier {
    pub fn new(
        node: NodeId,
        groups: Arc<GroupSet>,
        placement: PlacementView,
        metadata: MetadataClient,
        has_bytes: HasBytes,
        peers: Peers,
    ) -> Self {
        Self { node, groups, placement, metadata, has_bytes, peers }
    }

    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut next_spread = Instant::now() + SPREAD_INTERVAL;
        loop {
            let placement = self.placement.now();
            let led = self.groups.all().into_iter().filter(|group| group.is_leader());
            join_all(led.map(|group| self.carry(group, &placement))).await;
            if next_spread <= Instant::now() {
                self.spread_leaders(&placement).await;
                next_spread = Instant::now() + SPREAD_INTERVAL;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn carry(&self, group: Arc<Group>, placement: &Placement) {
        let Some(record) = placement.groups.get(&group.id()) else { return };
        let step = async {
            let seen = self.look(&group, record, placement).await;
            self.take(&group, next_step(record, &seen), record).await
        };
        match tokio::time::timeout(STEP_TIME_MAX, step).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(group = group.id().0, %error, "a move of a group waits"),
            Err(_elapsed) => tracing::debug!(group = group.id().0, "a step of a move takes long; looking again"),
        }
    }

    async fn look(&self, group: &Group, record: &GroupRecord, placement: &Placement) -> Seen {
        let voters = group.voters();
        let audience = if group.id() == GroupId::SYSTEM { members(placement) } else { BTreeSet::new() };
        let mut progress = BTreeMap::new();
        for node in record.target.iter().filter(|node| !voters.contains(node)) {
            // No answer: the node is not up, or the group is not open there yet.
            let has_bytes = (self.has_bytes)(*node, group.id()).await.unwrap_or_default();
            progress.insert(*node, Progress { entries_behind: group.entries_behind(*node), has_bytes });
        }
        Seen {
            leader: self.node,
            voters,
            learners: group.learners(),
            settled: group.members_are_settled(),
            half_changed: group.half_changed_voters(),
            progress,
            audience,
        }
    }

    /// Hands one group over if this node leads two more than another one that could lead it. Only a node that holds all groups
    /// can tell who leads how many; elsewhere leaders stay where elections and moves put them.
    async fn spread_leaders(&self, placement: &Placement) {
        let groups = self.groups.all();
        if groups.len() != placement.groups.len() {
            return;
        }
        let leads = |node: NodeId| groups.iter().filter(|group| group.leader_hint() == Some(node)).count();
        let candidates = groups.iter().filter(|group| group.is_leader() && group.members_are_settled());
        let least = candidates
            .flat_map(|group| group.voters().into_iter().map(move |voter| (group, voter)))
            .filter(|(group, voter)| {
                self.peers.is_up(*voter) && group.entries_behind(*voter).is_some_and(|behind| behind == 0)
            })
            .min_by_key(|(_, voter)| leads(*voter));
        let Some((group, voter)) = least.filter(|(_, voter)| leads(*voter) + 1 < leads(self.node)) else { return };
        match group.transfer_leader(voter, STEP_TIME_MAX).await {
            Ok(()) => tracing::info!(group = group.id().0, to = voter.0, "handed a group over, to even out who leads"),
            Err(error) => tracing::debug!(group = group.id().0, %error, "a group was not handed over"),
        }
    }

    async fn take(&self, group: &Group, step: Step, record: &GroupRecord) -> Result<()> {
        if step != Step::Nothing && !matches!(step, Step::Wait(_)) {
            tracing::info!(group = group.id().0, ?step, "moving a group");
        }
        match step {
            Step::Nothing | Step::Wait(_) => Ok(()),
            Step::AddLearner(node) => group.add_learner(node).await,
            Step::RemoveLearner(node) => group.remove_learner(node).await,
            Step::ChangeVoters(voters) => group.change_voters(voters).await,
            Step::TransferLeader(node) => group.transfer_leader(node, STEP_TIME_MAX).await,
            Step::Record(new) => self.record(new, record.step).await,
        }
    }

    async fn record(&self, record: GroupRecord, expected_step: u64) -> Result<()> {
        match self.metadata.commit(Change::System(SystemChange::SetGroup { record, expected_step })).await? {
            // Stale: the target was changed meanwhile; the next look sees it.
            Outcome::Done | Outcome::Refused(Refusal::StaleGroup) => Ok(()),
            other => Err(Error::new(ErrorKind::Internal, format!("record where a group is: {other:?}"))),
        }
    }
}

fn members(placement: &Placement) -> BTreeSet<NodeId> {
    let members = placement.nodes.values().filter(|record| record.state != NodeState::Removed);
    members.map(|record| record.node).collect()
}
