//! Departed groups: since when each group is not on this node, as far as this node knows.
//! Does not own: whether that is true now, which the sweep asks the system group.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use onggi_storage_engine::env::Clock;

use crate::id::GroupId;

/// Cheap to clone.
#[derive(Clone)]
pub struct DepartedGroups {
    clock: Arc<dyn Clock>,
    grace: Duration,
    since: Arc<Mutex<BTreeMap<GroupId, Instant>>>,
}

impl DepartedGroups {
    pub fn new(clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { clock, grace, since: Arc::default() }
    }

    /// Takes note of where the groups are. True if one has left since the last look, or was never here.
    pub fn look(&self, all: impl Iterator<Item = GroupId>, here: &[GroupId]) -> bool {
        let now = self.clock.now();
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|group, _| !here.contains(group));
        let known = since.len();
        all.filter(|group| !here.contains(group)).for_each(|group| {
            since.entry(group).or_insert(now);
        });
        since.len() > known
    }

    /// Gone for a grace period.
    pub fn is_long_gone(&self, group: GroupId) -> bool {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.get(&group).is_some_and(|since| self.clock.now().saturating_duration_since(*since) >= self.grace)
    }
}
