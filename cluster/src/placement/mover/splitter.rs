//! Splitter: takes a split that is under way through its steps, on the node that leads the group that is split.
//! Owns: their order: the log of the group first, then the map (docs/group-split.md). Does not own: opening the new group (`residents`).
//! Remembers nothing: whoever leads looks how far it is, and does the next step. Each of them may be done twice.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use crate::metadata::client::MetadataClient;
use crate::metadata::command::{Change, GroupChange, Split, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::SplitRecord;
use crate::placement::PlacementView;
use crate::raft::{Group, GroupSet};

/// Between two looks at whether a split is under way.
const INTERVAL: Duration = Duration::from_millis(50);

pub struct Splitter {
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
}

impl Splitter {
    pub fn new(groups: Arc<GroupSet>, placement: PlacementView, metadata: MetadataClient) -> Self {
        Self { groups, placement, metadata }
    }

    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Some(split) = self.placement.now().split_under_way()
                && let Some(parent) = self.groups.find(split.parent).filter(|parent| parent.is_leader())
                && let Err(error) = self.advance(&parent, split).await
            {
                tracing::warn!(group = split.parent.0, child = split.child.0, %error, "a split waits; trying again");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn advance(&self, parent: &Group, split: &SplitRecord) -> Result<()> {
        if !is_divided(parent, split) {
            self.divide(parent, split).await?;
        }
        // Not there: this node has not applied it yet, or another leader's proposal came first.
        match self.groups.voters_on_drive(split.child).await? {
            Some(voters) if is_divided(parent, split) => {
                let floor = parent.status().applied_index.unwrap_or(0);
                let voters = voters.into_iter().collect();
                self.publish(SystemChange::FinishSplit { child: split.child, voters, floor }, split).await
            }
            _ => Ok(()),
        }
    }

    async fn divide(&self, parent: &Group, split: &SplitRecord) -> Result<()> {
        tracing::info!(group = split.parent.0, child = split.child.0, boundary = split.boundary.0, "splitting a group");
        // The new group's first state is flushed before it is opened: now, while everybody is still served, for as much as is there.
        parent.flush().await?;
        let change = GroupChange::Split(Split { child: split.child, range: split.range, boundary: split.boundary });
        match self.metadata.commit(Change::Group { group: split.parent, change }).await? {
            // Refused: somebody else's proposal of the same came first.
            Outcome::Done | Outcome::Refused(Refusal::StaleSplit | Refusal::InvalidBoundary) => Ok(()),
            other => Err(Error::new(ErrorKind::Internal, format!("split group {}: {other:?}", split.parent.0))),
        }
    }

    async fn publish(&self, finish: SystemChange, split: &SplitRecord) -> Result<()> {
        match self.metadata.commit(Change::System(finish)).await? {
            Outcome::Done => {
                tracing::info!(group = split.parent.0, child = split.child.0, "a group was split");
                Ok(())
            }
            other => Err(Error::new(ErrorKind::Internal, format!("publish a split: {other:?}"))),
        }
    }
}

/// The parent's state here has the split behind it.
fn is_divided(parent: &Group, split: &SplitRecord) -> bool {
    parent.owners().is_some_and(|owners| !owners.contains(split.boundary))
}
