//! Residents: the groups that live on this node.
//! Owns: opening a group that this node shall hold, retiring one that it does not hold any more, also if a crash cut that short.
//! Invariant: the states of different groups on this node never overlap (docs/group-split.md). A group is retired only when it is settled elsewhere as of now: its voters are its target, and this node is not among them. A
//! picture that is behind is not enough: the group may be on its way back, with this node's promises in its log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::id::{GroupId, NodeId};
use crate::metadata::client::{MetadataClient, Route};
use crate::metadata::record::GroupRecord;
use crate::placement::{Placement, PlacementView};
use crate::raft::GroupSet;

/// What could not be opened or retired is tried again this often.
const RETRY: Duration = Duration::from_secs(1);
/// While a group is split, or waits for room, it is looked this often: nobody decides about its owners before it is open.
const WAITING: Duration = Duration::from_millis(20);

pub struct Residents {
    node: NodeId,
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
    /// Groups that are elsewhere, and of which nothing is left here.
    gone: BTreeSet<GroupId>,
}

impl Residents {
    pub fn new(node: NodeId, groups: Arc<GroupSet>, placement: PlacementView, metadata: MetadataClient) -> Self {
        Self { node, groups, placement, metadata, gone: BTreeSet::new() }
    }

    /// Until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let settled = match self.settle().await {
                Ok(settled) => self.finish_retirements().await.map(|()| settled),
                Err(error) => Err(error),
            };
            let pause = match settled {
                Ok(Settled::All) => RETRY,
                Ok(Settled::Waiting) => WAITING,
                Err(error) => {
                    tracing::warn!(%error, "a group could not be opened or retired here; trying again");
                    RETRY
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = self.placement.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Opens and retires what is due, all at once: the groups of a node that starts share the syncs of their elections.
    pub async fn settle(&self) -> Result<Settled> {
        let placement = self.placement.now();
        let of_owners = placement.known_groups().filter(|group| *group != GroupId::SYSTEM);
        // Each to its end, also when another one fails: a group that is dropped while it opens could be opened twice.
        let settled = join_all(of_owners.map(|group| self.settle_one(group, &placement))).await;
        let settled: Vec<Settled> = settled.into_iter().collect::<Result<_>>()?;
        Ok(settled.into_iter().find(|one| *one == Settled::Waiting).unwrap_or(Settled::All))
    }

    async fn settle_one(&self, group: GroupId, placement: &Placement) -> Result<Settled> {
        let is_open = self.groups.find(group).is_some();
        if !is_open && self.is_due(placement, group).await? {
            return self.open(group, placement).await;
        }
        if is_open && self.lives_elsewhere(placement, group) && self.lives_elsewhere_now(group).await? {
            self.groups.retire(placement.keys_of(group)).await?;
            tracing::info!(group = group.0, "a group moved away");
        }
        // A split that is not published, and not applied here.
        let comes_perhaps = !is_open && !placement.groups.contains_key(&group);
        Ok(if comes_perhaps { Settled::Waiting } else { Settled::All })
    }

    async fn open(&self, group: GroupId, placement: &Placement) -> Result<Settled> {
        let keys = placement.keys_of(group);
        // Where no group was ever split, none is in the way of another.
        let others = placement.known_groups().map(|other| placement.keys_of(other));
        if !placement.splits.is_empty() && !self.groups.has_room_for(&keys, others).await? {
            tracing::debug!(group = group.0, "a group waits for the one that it was split from");
            return Ok(Settled::Waiting);
        }
        let opened = self.groups.open_member(keys).await?;
        tracing::info!(group = group.0, "a group lives here now");
        let parent = placement.splits.get(&group).and_then(|split| self.groups.find(split.parent));
        if opened.is_new() && parent.is_some_and(|parent| parent.is_leader()) {
            tokio::spawn(async move { opened.stand_first().await });
        }
        Ok(Settled::All)
    }

    async fn is_due(&self, placement: &Placement, group: GroupId) -> Result<bool> {
        if placement.groups.contains_key(&group) {
            return Ok(self.belongs_here(placement, group));
        }
        // A split that is not published: the log of the parent says who the members are.
        let voters = self.groups.voters_on_drive(group).await?;
        Ok(voters.is_some_and(|voters| voters.contains(&self.node)))
    }

    /// Each group is looked at once after it went.
    async fn finish_retirements(&mut self) -> Result<()> {
        let placement = self.placement.now();
        let elsewhere: BTreeSet<GroupId> = placement
            .groups
            .keys()
            .copied()
            .filter(|group| *group != GroupId::SYSTEM && self.groups.find(*group).is_none())
            .filter(|group| self.lives_elsewhere(&placement, *group))
            .collect();
        self.gone.retain(|group| elsewhere.contains(group));
        for group in elsewhere {
            if self.gone.contains(&group) {
                continue;
            }
            if self.groups.has_leftovers(group).await? {
                if !self.lives_elsewhere_now(group).await? {
                    continue;
                }
                self.groups.retire(placement.keys_of(group)).await?;
                tracing::info!(group = group.0, "what a crash left of a group that moved away is deleted");
            }
            // A replica of its parent that lags may write the first state of it yet.
            if !placement.splits.contains_key(&group) {
                self.gone.insert(group);
            }
        }
        Ok(())
    }

    fn belongs_here(&self, placement: &Placement, group: GroupId) -> bool {
        placement.replicas(group).contains(&self.node)
    }

    fn lives_elsewhere(&self, placement: &Placement, group: GroupId) -> bool {
        // A group that is not on record yet is settled nowhere.
        let settled = |record: &GroupRecord| record.step > 0 && record.voters == record.target;
        placement.groups.get(&group).is_some_and(settled) && !self.belongs_here(placement, group)
    }

    async fn lives_elsewhere_now(&self, group: GroupId) -> Result<bool> {
        let placement = self.metadata.read(Route::System, |view| Placement::read(view)).await?;
        Ok(placement.is_some_and(|placement| self.lives_elsewhere(&placement, group)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    All,
    /// For a split.
    Waiting,
}
