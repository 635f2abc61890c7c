//! Promise: what a replica that left a group and deleted its log still owes it: no vote for a log that has less than it had.
//! Whoever acknowledged entries and then forgets them must not help a replica to lead that never got them: one that lags so far behind
//! that it takes the old voters, this node among them, for those of today.
//! Invariant: a replica that comes back votes as if it still had the log that it left with. It is a voter again only once it has caught up,
//! and then what it owes is less than what its own log asks for.

use bytes::Bytes;
use onggi_storage_engine::format::Record;
use onggi_storage_engine::log_store::{LogState, LogStore};

use super::format::LogIdRecord;
use super::log::end_of_log;
use super::type_config::LogId;
use crate::error::Result;
use crate::id::GroupId;

/// The last entry that the replica ever left with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Promise(Option<LogId>);

impl Promise {
    pub fn of(state: &LogState) -> Result<Self> {
        Ok(Self(decoded(state.promised.as_ref())?))
    }

    /// What to keep when the log is deleted now: a log that was never filled again does not end what is owed for the one before.
    pub async fn on_leaving(store: &LogStore, group: GroupId) -> Result<Option<Bytes>> {
        let (state, last) = (store.state(group.0)?, end_of_log(store, group).await?);
        let Self(before) = Self::of(&state)?;
        Ok(before.max(last).map(|log_id| LogIdRecord(log_id).to_bytes()))
    }

    /// A candidate whose log ends at `last`.
    pub fn forbids(&self, last: Option<&LogId>) -> bool {
        last < self.0.as_ref()
    }

    pub fn log_id(&self) -> Option<LogId> {
        self.0
    }
}

fn decoded(bytes: Option<&Bytes>) -> Result<Option<LogId>> {
    let record = bytes.map(|bytes| LogIdRecord::from_bytes(bytes)).transpose()?;
    Ok(record.map(|record| record.0))
}

#[cfg(test)]
mod tests {
    use super::super::type_config::LeaderId;
    use super::*;

    #[test]
    fn a_log_that_has_less_gets_no_vote() {
        let log_id = |term, index| LogId { leader_id: LeaderId { term, node_id: 1 }, index };
        let promise = Promise(Some(log_id(3, 20)));
        for less in [None, Some(log_id(3, 19)), Some(log_id(2, 90))] {
            assert!(promise.forbids(less.as_ref()), "{less:?}");
        }
        for enough in [log_id(3, 20), log_id(3, 21), log_id(4, 7)] {
            assert!(!promise.forbids(Some(&enough)), "{enough:?}");
        }
        assert!(!Promise::default().forbids(None), "who never left owes nothing");
    }
}
