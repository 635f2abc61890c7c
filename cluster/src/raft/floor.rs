//! Floor: a replica that begins with nothing takes nothing from before the last split of its group.
//! What the group wrote then may belong to another group by now, which may have records on this node (docs/group-split.md).
//! Invariant: it refuses until a snapshot from behind the floor is applied; a replica that has a state, or a log, is not concerned.

use super::type_config::{Entry, LogId};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;

#[derive(Clone, Copy, Debug)]
pub struct Floor {
    group: GroupId,
    /// 0: none.
    index: u64,
}

impl Floor {
    pub fn new(group: GroupId, index: u64, begins_with_nothing: bool) -> Self {
        Self { group, index: if begins_with_nothing { index } else { 0 } }
    }

    pub fn is_set(&self) -> bool {
        self.index > 0
    }

    /// An error ends what the leader has on its way; it has purged its log, or will, and sends a snapshot then. Entries behind one
    /// that is not here are written by nobody: openraft must say so, or the leader never learns that a snapshot is needed.
    pub fn admit_entries(&self, applied: Option<u64>, behind: Option<&LogId>, entries: &[Entry]) -> Result<()> {
        let first = entries.first().map(|entry| entry.log_id.index);
        let is_gap = applied.is_none() && behind.is_some();
        let is_allowed = self.is_passed(applied) || is_gap || first.is_none_or(|first| first > self.index);
        if is_allowed { Ok(()) } else { self.refuse() }
    }

    /// `snapshot`: its position.
    pub fn admit_snapshot(&self, applied: Option<u64>, snapshot: Option<&LogId>) -> Result<()> {
        let is_behind = snapshot.is_some_and(|snapshot| snapshot.index >= self.index);
        if self.is_passed(applied) || is_behind { Ok(()) } else { self.refuse() }
    }

    fn is_passed(&self, applied: Option<u64>) -> bool {
        applied.unwrap_or(0) >= self.index
    }

    fn refuse(&self) -> Result<()> {
        let context = format!("group {} begins here behind entry {}, with a snapshot", self.group.0, self.index);
        Err(Error::new(ErrorKind::Unavailable, context))
    }
}

#[cfg(test)]
mod tests {
    use super::super::type_config::{LeaderId, Payload};
    use super::*;

    fn log_id(index: u64) -> LogId {
        LogId { leader_id: LeaderId { term: 1, node_id: 1 }, index }
    }

    fn entries(first: u64) -> Vec<Entry> {
        vec![Entry { log_id: log_id(first), payload: Payload::Blank }]
    }

    #[test]
    fn who_begins_with_nothing_takes_only_what_is_behind_it() {
        let floor = Floor::new(GroupId(3), 7, true);
        assert!(floor.admit_entries(None, None, &entries(0)).is_err());
        assert!(floor.admit_entries(None, None, &entries(7)).is_err());
        assert!(floor.admit_entries(None, None, &entries(8)).is_ok() && floor.admit_entries(None, None, &[]).is_ok());
        assert!(floor.admit_snapshot(None, Some(&log_id(6))).is_err() && floor.admit_snapshot(None, None).is_err());
        assert!(floor.admit_snapshot(None, Some(&log_id(7))).is_ok());
        assert!(floor.admit_entries(Some(7), None, &entries(5)).is_ok(), "a snapshot from behind it was applied");
        for free in [Floor::new(GroupId(3), 7, false), Floor::new(GroupId(3), 0, true)] {
            assert!(!free.is_set() && free.admit_entries(None, None, &entries(0)).is_ok());
            assert!(free.admit_snapshot(None, Some(&log_id(0))).is_ok());
        }
    }

    #[test]
    fn a_leader_that_looks_for_what_is_here_learns_that_nothing_is() {
        let floor = Floor::new(GroupId(3), 7, true);
        assert!(floor.admit_entries(None, Some(&log_id(4)), &entries(5)).is_ok());
    }
}
