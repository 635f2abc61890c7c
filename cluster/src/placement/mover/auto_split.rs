//! Auto split: begins a split of a group that has grown too large, on the node that leads it.
//! Owns: when a group is too large, and when a split would help. Does not own: the split (`splitter`), nor that there is one at a time
//! (`apply`).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::id::GroupId;
use crate::placement::{GroupLoad, Surveyor};
use crate::raft::GroupSet;

/// A group grows by its limit in hours, at the fastest; looking costs a walk over its owners.
const INTERVAL: Duration = Duration::from_secs(60);
/// The smaller half must have this part of the limit: so a half has to grow much before it is split again, and a group in which one owner has
/// nearly everything is left alone.
const SMALLER_HALF_PART: u64 = 4;

pub struct AutoSplit {
    pub groups: Arc<GroupSet>,
    pub surveyor: Surveyor,
    /// Object versions, delete markers and uploads.
    pub entries_max: u64,
}

impl AutoSplit {
    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
            let led = self.groups.all().into_iter().filter(|group| group.is_leader() && group.id() != GroupId::SYSTEM);
            for group in led.map(|group| group.id()) {
                if let Err(error) = self.look(group).await {
                    tracing::debug!(group = group.0, %error, "it is not known whether a group is too large");
                }
            }
        }
    }

    async fn look(&self, group: GroupId) -> Result<()> {
        let load = self.surveyor.survey(group).await?.load;
        let Some(middle) = load.middle.filter(|_| should_split(&load, self.entries_max)) else { return Ok(()) };
        // Refused while another split is under way, or when the map has just changed: the next look comes.
        let begun = self.surveyor.begin_split(group, Some(middle.boundary)).await?;
        tracing::info!(group = group.0, entries = load.entries(), ?begun, "a group is too large");
        Ok(())
    }
}

fn should_split(load: &GroupLoad, entries_max: u64) -> bool {
    load.entries() > entries_max && load.smaller_half() >= entries_max / SMALLER_HALF_PART
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OwnerKey;
    use crate::metadata::record::Counters;
    use crate::placement::Middle;

    #[test]
    fn only_a_large_group_is_split_and_only_if_that_helps() {
        let load = |versions, below| GroupLoad {
            owners: 9,
            totals: Counters { versions, ..Counters::default() },
            middle: Some(Middle { boundary: OwnerKey(1), below }),
        };
        for (versions, below, expected) in
            [(100, 50, false), (101, 50, true), (101, 25, true), (101, 24, false), (101, 77, false), (1000, 990, false)]
        {
            assert_eq!(should_split(&load(versions, below), 100), expected, "{below} of {versions}");
        }
        assert!(!should_split(&GroupLoad { middle: None, ..load(1000, 0) }, 100));
    }
}
