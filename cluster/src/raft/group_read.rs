//! Group reads: states that contain every change acknowledged before the read.
//! Owns: which of them need a majority, and how followers take part: the leader says up to where, the follower waits until it is there.

use std::time::Duration;

use openraft::errors::{Fatal, LinearizableReadError, RaftError};
use openraft::raft::linearizable_read::LinearizerOption;

use super::group::Group;
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::view::StoreView;

impl Group {
    /// A state that contains every change acknowledged before the call, on any node. `NotLeader` on a follower: ask the leader
    /// for its `read_index`, then `wait_applied`, then take the `local_view`.
    pub async fn linearizable_view(&self) -> Result<StoreView> {
        if !self.gate.is_sole_voter() {
            self.wait_for_majority_read().await?;
        }
        self.local_view()
    }

    /// What this node has applied.
    pub fn local_view(&self) -> Result<StoreView> {
        let snapshot = self.store.snapshot();
        // All groups of a node share its store. Asked after the snapshot was taken, too.
        let view = StoreView::of_owners(snapshot, self.gate.owners());
        // Asked after the view was taken: a view from before the first record was replaced is whole.
        if self.gate.is_installing() {
            return Err(Error::new(
                ErrorKind::Unavailable,
                self.context("the records are being replaced, or have left: read"),
            ));
        }
        Ok(view)
    }

    /// The index up to which a state must be applied to contain everything acknowledged before the call. Only the leader knows:
    /// it asks a majority whether it leads, once for all readers that wait.
    pub async fn read_index(&self) -> Result<u64> {
        let (raft, wait, context) = (self.raft.clone(), self.options.majority_limit, self.context("read"));
        let has_other_voters = self.has_other_voters();
        let ask = move || async move {
            let option = LinearizerOption::new(Some(Duration::ZERO), true).with_wait_timeout(wait);
            let linearizer = raft.get_read_linearizer(option).await.map_err(|error| {
                let kind = match &error {
                    RaftError::APIError(LinearizableReadError::ForwardToLeader(_)) => ErrorKind::NotLeader,
                    RaftError::APIError(LinearizableReadError::QuorumNotEnough(_)) => ErrorKind::Unavailable,
                    // The group left this node while it was asked: another one leads.
                    RaftError::Fatal(Fatal::Stopped) => ErrorKind::NotLeader,
                    // Its drive failed: another one leads, if there is one.
                    RaftError::Fatal(_) if has_other_voters => ErrorKind::NotLeader,
                    RaftError::Fatal(_) => ErrorKind::Internal,
                };
                Error::caused_by(kind, context, error)
            })?;
            Ok(linearizer.read_log_id().index())
        };
        self.reads.join(ask).await
    }

    /// `Unavailable` if the entry is not applied here within `limit`.
    pub async fn wait_applied(&self, index: u64, limit: Duration) -> Result<()> {
        let wait = self.raft.wait(Some(limit));
        match wait.applied_index_at_least(Some(index), "a read").await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::caused_by(ErrorKind::Unavailable, self.context("catch up for a read"), error)),
        }
    }

    /// Read-index: a majority confirms this leader, and everything committed until then is applied here.
    pub(super) async fn wait_for_majority_read(&self) -> Result<()> {
        let index = self.read_index().await?;
        self.wait_applied(index, self.options.commit_limit).await
    }
}
