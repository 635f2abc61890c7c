//! Residents: the groups that live on this node.
//! Owns: opening a group that this node shall hold, retiring one that it does not hold any more, also if a crash cut that short.
//! Invariant: a group is retired only when it is settled elsewhere as of now: its voters are its target, and this node is not among them. A
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
use crate::raft::{GroupKeys, GroupSet};

/// What could not be opened or retired is tried again this often.
const RETRY: Duration = Duration::from_secs(1);

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
                Ok(()) => self.finish_retirements().await,
                Err(error) => Err(error),
            };
            if let Err(error) = settled {
                tracing::warn!(%error, "a group could not be opened or retired here; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = self.placement.changed() => {}
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    /// Opens and retires what is due, all at once: the groups of a node that starts share the syncs of their elections.
    pub async fn settle(&self) -> Result<()> {
        let placement = self.placement.now();
        let of_owners = placement.groups.keys().copied().filter(|group| *group != GroupId::SYSTEM);
        // Each to its end, also when another one fails: a group that is dropped while it opens could be opened twice.
        join_all(of_owners.map(|group| self.settle_one(group, &placement))).await.into_iter().collect()
    }

    async fn settle_one(&self, group: GroupId, placement: &Placement) -> Result<()> {
        let (is_open, is_due) = (self.groups.find(group).is_some(), self.belongs_here(placement, group));
        let keys = || GroupKeys::of_owners(group, &placement.map);
        if is_due && !is_open {
            self.groups.open_member(keys()).await?;
            tracing::info!(group = group.0, "a group lives here now");
        } else if is_open && self.lives_elsewhere(placement, group) && self.lives_elsewhere_now(group).await? {
            self.groups.retire(keys()).await?;
            tracing::info!(group = group.0, "a group moved away");
        }
        Ok(())
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
                self.groups.retire(GroupKeys::of_owners(group, &placement.map)).await?;
                tracing::info!(group = group.0, "what a crash left of a group that moved away is deleted");
            }
            self.gone.insert(group);
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
