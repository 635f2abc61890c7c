//! Director: decides where groups shall be, on the node that leads the system group.
//! Owns: when a node counts as gone; putting the planner's targets on record, a few at a time.
//! Does not own: what is a good place (`planner`), getting there (`carrier`), when so much is gone that it waits (`repair_hold`).
//! Invariant: two directors at once do no harm: a target counts only if the record that it was made from still stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::repair_hold;
use super::targets::targets;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::client::MetadataClient;
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{GroupRecord, NodeRecord};
use crate::peer::Peers;
use crate::placement::planner::{GroupView, NodeView};
use crate::placement::{Placement, PlacementView};
use crate::raft::GroupSet;

const INTERVAL: Duration = Duration::from_secs(1);
/// While nothing is moved because too much looks gone, that is said this often.
const HOLD_WARNING_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Groups that are on their way at once. Each brings its bytes along.
const MOVES_MAX: usize = 4;

type Targets = BTreeMap<GroupId, Vec<NodeId>>;

struct Planned {
    placement: Arc<Placement>,
    nodes: Vec<NodeView>,
    targets: Arc<Targets>,
}

pub struct Director {
    node: NodeId,
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
    peers: Peers,
    /// How long a node is away before its replicas are made again elsewhere.
    gone_after: Duration,
    /// Since when each node that is down has been down.
    down: BTreeMap<NodeId, Instant>,
    /// The last plan, and what it was made from: the same again is not planned again.
    planned: Option<Planned>,
    is_held: Arc<AtomicBool>,
    next_hold_warning: Option<Instant>,
}

impl Director {
    pub fn new(
        node: NodeId,
        groups: Arc<GroupSet>,
        placement: PlacementView,
        metadata: MetadataClient,
        peers: Peers,
        gone_after: Duration,
    ) -> Self {
        let (down, planned, is_held) = (BTreeMap::new(), None, Arc::default());
        let next_hold_warning = None;
        Self { node, groups, placement, metadata, peers, gone_after, down, planned, is_held, next_hold_warning }
    }

    /// Whether nothing is moved because too much looks gone. Always false on a node that does not direct.
    pub fn is_held(&self) -> Arc<AtomicBool> {
        self.is_held.clone()
    }

    /// Until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            if self.groups.system().is_leader() {
                let placement = self.placement.now();
                if let Err(error) = self.direct(&placement).await {
                    tracing::warn!(%error, "groups are not moved for now; trying again");
                }
            } else {
                // Whoever leads next looks for itself.
                self.down.clear();
                self.release();
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn direct(&mut self, placement: &Arc<Placement>) -> Result<()> {
        if !placement.is_on_record() || placement.nodes.is_empty() {
            return Ok(());
        }
        let nodes: Vec<NodeView> = placement.nodes.values().map(|record| self.look(record)).collect();
        let groups: Vec<GroupView> = placement.groups.values().map(GroupView::of).collect();
        if let Some(why) = repair_hold::reason(&nodes, &groups) {
            self.hold(&why);
            return Ok(());
        }
        self.release();
        let targets = self.plan(placement, nodes, groups).await?;

        let on_the_way = placement.groups.values().filter(|record| record.voters != record.target).count();
        let mut room = MOVES_MAX.saturating_sub(on_the_way);
        for (group, target) in targets.iter() {
            let Some(record) = placement.groups.get(group).filter(|record| record.target != *target) else { continue };
            // A group that is on its way already takes no more room when it is sent elsewhere.
            let starts = record.voters == record.target;
            if starts && room == 0 {
                continue;
            }
            room -= usize::from(starts);
            self.set_target(record, target.clone()).await?;
        }
        Ok(())
    }

    async fn plan(
        &mut self,
        placement: &Arc<Placement>,
        nodes: Vec<NodeView>,
        groups: Vec<GroupView>,
    ) -> Result<Arc<Targets>> {
        if let Some(known) = &self.planned
            && Arc::ptr_eq(&known.placement, placement)
            && known.nodes == nodes
        {
            return Ok(known.targets.clone());
        }
        let targets = Arc::new(targets(nodes.clone(), groups).await?);
        self.planned = Some(Planned { placement: placement.clone(), nodes, targets: targets.clone() });
        Ok(targets)
    }

    fn hold(&mut self, why: &str) {
        self.is_held.store(true, Ordering::Relaxed);
        let now = Instant::now();
        if self.next_hold_warning.is_none_or(|next| next <= now) {
            tracing::warn!(
                why,
                "no copies are made elsewhere and no group is moved: many nodes at once are taken for a failure that passes; drain \
                 those that will not come back"
            );
            self.next_hold_warning = Some(now + HOLD_WARNING_INTERVAL);
        }
    }

    fn release(&mut self) {
        if self.is_held.swap(false, Ordering::Relaxed) {
            tracing::info!("groups are moved again where that is due");
            self.next_hold_warning = None;
        }
    }

    async fn set_target(&self, record: &GroupRecord, target: Vec<NodeId>) -> Result<()> {
        tracing::info!(group = record.group.0, from = ?record.voters, to = ?target, "a group shall move");
        let expected_step = record.step;
        let record = GroupRecord { target, ..record.clone() };
        match self.metadata.commit(Change::System(SystemChange::SetGroup { record, expected_step })).await? {
            Outcome::Done | Outcome::Refused(Refusal::StaleGroup) => Ok(()),
            other => Err(Error::new(ErrorKind::Internal, format!("set the target of a group: {other:?}"))),
        }
    }

    fn look(&mut self, record: &NodeRecord) -> NodeView {
        let up = if record.node == self.node || self.peers.is_up(record.node) {
            self.down.remove(&record.node);
            true
        } else {
            self.down.entry(record.node).or_insert_with(Instant::now).elapsed() < self.gone_after
        };
        NodeView::of(record, up)
    }
}
