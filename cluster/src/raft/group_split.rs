//! Group split: what a replica knows of the splits of its group, and what its leader must do for those that come later.
//! Owns: the range of the state that is applied here; the log that begins behind a split. Does not own: the split (`metadata::apply`), its
//! order (`placement::mover`).

use std::collections::BTreeSet;
use std::time::Duration;

use onggi_storage_engine::format::Record;
use onggi_storage_engine::log_store::LogStore;
use onggi_storage_engine::metadata_store::{MetadataSnapshot, MetadataStore};
use openraft::async_runtime::WatchReceiver;
use tokio::time::Instant;

use super::format::AppliedRecord;
use super::group::Group;
use super::group_keys::GroupKeys;
use super::group_set::GroupSet;
use super::type_config::{Entry, LogId};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::key::GroupSpace;
use crate::metadata::record::RangeRecord;

/// Between two looks at whether a purge or an election has come.
const POLL: Duration = Duration::from_millis(10);
/// The others open a new group within this time after its first replica; until then its first candidate asks again.
const FIRST_ELECTION_POLL: Duration = Duration::from_millis(20);
const FIRST_ELECTION_TIME_MAX: Duration = Duration::from_secs(2);

impl Group {
    /// Of the state that is applied here; `None` if the group was never split.
    pub fn owners(&self) -> Option<RangeRecord> {
        self.gate.owners()
    }

    pub(super) fn admit_entries(&self, behind: Option<&LogId>, entries: &[Entry]) -> Result<()> {
        // Asked for every append: hardly any group has a floor.
        if self.floor.is_set() { self.floor.admit_entries(self.applied_index(), behind, entries) } else { Ok(()) }
    }

    pub(super) fn admit_snapshot(&self, snapshot: Option<&LogId>) -> Result<()> {
        self.floor.admit_snapshot(self.applied_index(), snapshot)
    }

    fn applied_index(&self) -> Option<u64> {
        self.metrics.borrow_watched().last_applied.map(|log_id| log_id.index)
    }

    /// Of all groups of this node: they share the store.
    pub async fn flush(&self) -> Result<()> {
        Ok(self.store.flush().await?)
    }

    /// The log begins behind `floor` when this returns, so whoever has nothing gets a snapshot. `Unavailable` if that takes longer
    /// than `limit`; ask again.
    pub async fn purge_through(&self, floor: u64, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let is_behind = |index: Option<u64>| index.is_some_and(|index| index >= floor);
        while floor > 0 && !is_behind(self.status().purged_index) {
            let snapshot = self.metrics.borrow_watched().snapshot.map(|log_id| log_id.index);
            if is_behind(snapshot) {
                let purged = self.raft.trigger().purge_log(floor).await;
                purged.map_err(|fatal| self.internal("purge the log", fatal))?;
            } else {
                self.store.flush().await?;
                let taken = self.raft.trigger().snapshot().await;
                taken.map_err(|fatal| self.internal("purge the log", fatal))?;
            }
            if Instant::now() >= deadline {
                let context = self.context(&format!("the log still has entries up to {floor}: purge"));
                return Err(Error::new(ErrorKind::Unavailable, context));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// The state that a split of another group wrote is all that there is: nobody has led this group yet.
    pub fn is_new(&self) -> bool {
        self.status().term == 0
    }

    /// Stands for the first election of a group at once, and again until somebody leads: nobody has a leader to wait for.
    pub async fn stand_first(&self) {
        let deadline = Instant::now() + FIRST_ELECTION_TIME_MAX;
        while self.leader_hint().is_none() && Instant::now() < deadline {
            // Fails only when the group stops.
            if self.raft.trigger().elect(true).await.is_err() {
                return;
            }
            tokio::time::sleep(FIRST_ELECTION_POLL).await;
        }
    }
}

impl GroupSet {
    /// Who votes in a group according to the state that is on this drive; `None` if there is no state of it.
    pub async fn voters_on_drive(&self, group: GroupId) -> Result<Option<BTreeSet<NodeId>>> {
        let applied = self.metadata_store().get(&GroupSpace(group).applied()).await?;
        let Some(applied) = applied.map(|bytes| AppliedRecord::from_bytes(&bytes)).transpose()? else {
            return Ok(None);
        };
        Ok(Some(applied.membership.membership().voter_ids().map(NodeId).collect()))
    }

    /// Whether a group may be opened here: it has a state of its own on this drive, or a log, or none of `others` can write where
    /// its owners are.
    pub async fn has_room_for(&self, keys: &GroupKeys, others: impl IntoIterator<Item = GroupKeys>) -> Result<bool> {
        let (store, log_store) = (self.metadata_store().clone(), self.log_store().clone());
        let of_open = |others: GroupKeys| match self.find(others.group()) {
            Some(open) => (open.keys.as_ref().clone(), true),
            None => (others, false),
        };
        let others: Vec<(GroupKeys, bool)> =
            others.into_iter().filter(|others| others.group() != keys.group()).map(of_open).collect();
        let keys = keys.clone();
        let looked = onggi_storage_engine::env::spawn_blocking(move || {
            let drive = Drive { view: store.snapshot(), log_store };
            if drive.holds(&keys)? || drive.has_log(&keys)? {
                return Ok(true);
            }
            let Some(wanted) = keys.mapped() else { return Ok(false) };
            for (others, is_open) in others {
                if drive.reach(&others, is_open)?.is_some_and(|range| range.overlaps(&wanted)) {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        looked.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "look for room for a group", panic))?
    }
}

struct Drive {
    view: MetadataSnapshot,
    log_store: LogStore,
}

impl Drive {
    fn holds(&self, keys: &GroupKeys) -> Result<bool> {
        Ok(self.view.get(&keys.applied())?.is_some())
    }

    fn has_log(&self, keys: &GroupKeys) -> Result<bool> {
        let log = self.log_store.state(keys.group().0)?;
        Ok(log.last.is_some() || log.purged.is_some())
    }

    /// Where a group may write: what its state holds; without a state, what its log may make of it.
    fn reach(&self, keys: &GroupKeys, is_open: bool) -> Result<Option<RangeRecord>> {
        if self.holds(keys)? {
            return Ok(keys.held(&self.view)?);
        }
        Ok(match self.has_log(keys)? {
            true => keys.founded(),
            false if is_open => keys.mapped(),
            false => None,
        })
    }
}

/// A log must not begin behind a state that a crash could take back.
pub async fn flush_first_state(store: &MetadataStore, log_store: &LogStore, keys: &GroupKeys) -> Result<()> {
    let log = log_store.state(keys.group().0)?;
    let is_new = log.last.is_none() && log.purged.is_none();
    if is_new && store.get(&keys.applied()).await?.is_some() && store.persisted(&keys.applied()).await?.is_none() {
        store.flush().await?;
    }
    Ok(())
}
