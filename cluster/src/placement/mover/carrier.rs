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
use crate::placement::planner::{self, GroupView, NodeView};
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

type Leaders = Arc<BTreeMap<GroupId, NodeId>>;

pub struct Carrier {
    node: NodeId,
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
    has_bytes: HasBytes,
    peers: Peers,
    /// Who should lead what, for the placement that it was planned for.
    leaders: Option<(Arc<Placement>, Leaders)>,
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
        Self { node, groups, placement, metadata, has_bytes, peers, leaders: None }
    }

    /// Until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut next_spread = Instant::now() + SPREAD_INTERVAL;
        loop {
            let placement = self.placement.now();
            let led = self.groups.all().into_iter().filter(|group| group.is_leader());
            join_all(led.map(|group| self.carry(group, &placement))).await;
            if next_spread <= Instant::now() {
                if let Err(error) = self.spread_leaders(&placement).await {
                    tracing::debug!(%error, "a group was not handed over");
                }
                next_spread = Instant::now() + SPREAD_INTERVAL;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn carry(&self, group: Arc<Group>, placement: &Placement) {
        let Some(record) = placement.groups.get(&group.id()) else { return };
        let step = async {
            let seen = self.look(&group, record, placement).await;
            self.take(&group, next_step(record, &seen), record, placement.keys_of(group.id()).floor()).await
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

    /// Hands one group over that another node should lead. Every leader plans the same from what is on record, and so needs not know who
    /// leads the groups of others; whom the plan names may be down, then who leads goes on.
    async fn spread_leaders(&mut self, placement: &Arc<Placement>) -> Result<()> {
        if placement.groups.values().any(|record| record.voters != record.target) {
            return Ok(());
        }
        let planned = match &self.leaders {
            Some((known, planned)) if Arc::ptr_eq(known, placement) => planned.clone(),
            _ => plan_leaders(placement.clone()).await?,
        };
        self.leaders = Some((placement.clone(), planned.clone()));
        let due = self.groups.all().into_iter().find_map(|group| {
            let named = *planned.get(&group.id())?;
            let is_due = named != self.node && group.is_leader() && group.members_are_settled();
            let is_able = || group.voters().contains(&named) && self.peers.is_up(named);
            (is_due && is_able() && group.entries_behind(named) == Some(0)).then_some((group, named))
        });
        let Some((group, named)) = due else { return Ok(()) };
        group.transfer_leader(named, STEP_TIME_MAX).await?;
        tracing::info!(group = group.id().0, to = named.0, "handed a group over, to even out who leads");
        Ok(())
    }

    async fn take(&self, group: &Group, step: Step, record: &GroupRecord, floor: u64) -> Result<()> {
        if step != Step::Nothing && !matches!(step, Step::Wait(_)) {
            tracing::info!(group = group.id().0, ?step, "moving a group");
        }
        if matches!(step, Step::AddLearner(_) | Step::Wait(_)) {
            // So that a new member gets a snapshot: it takes no entries from before the last split.
            group.purge_through(floor, STEP_TIME_MAX).await?;
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

async fn plan_leaders(placement: Arc<Placement>) -> Result<Leaders> {
    let planned = onggi_storage_engine::env::spawn_blocking(move || {
        // As if all were up: what one node knows of another is not what a third one knows.
        let nodes: Vec<NodeView> = placement.nodes.values().map(|record| NodeView::of(record, true)).collect();
        let groups: Vec<GroupView> = placement.groups.values().map(GroupView::of).collect();
        Arc::new(planner::leaders(&nodes, &groups))
    });
    planned.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "plan who should lead", panic))
}

fn members(placement: &Placement) -> BTreeSet<NodeId> {
    let members = placement.nodes.values().filter(|record| record.state != NodeState::Removed);
    members.map(|record| record.node).collect()
}
