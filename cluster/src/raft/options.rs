//! Options: ours, and what they become for openraft.

use std::sync::Arc;
use std::time::Duration;

use openraft::{Config, SnapshotPolicy};

use crate::error::{Error, ErrorKind, Result};

#[derive(Clone, Debug)]
pub struct RaftOptions {
    /// 250 ms: 4 messages a second to each other node, for all groups together (`pacemaker`).
    pub heartbeat: Duration,
    /// A follower stands for election after 750 to 1500 ms without a word: at least 3 heartbeats must be lost (3 × 250 ms), and the
    /// spread of 750 ms is many round trips, so that two candidates seldom meet.
    pub election_min: Duration,
    pub election_max: Duration,
    /// How long an append to a follower may stay without an answer before it is sent again: many syncs of a loaded drive.
    pub append_limit: Duration,
    /// How long a read waits for the majority to confirm the leader; also how often a proposal that waits looks whether a
    /// majority is there at all. Two heartbeats: a lost one does not matter.
    pub majority_limit: Duration,
    /// How long a proposal waits for its commit while a majority is there.
    pub commit_limit: Duration,
    /// Entries kept behind a snapshot, so that a follower that was away for a moment catches up from the log.
    pub log_entries_kept: u64,
    /// A purge deletes a range and takes its turn in the log's queue: not for a handful of entries.
    pub purge_entries_min: u64,
    /// How often each group is asked whether its flushed state has moved, so that its log can be purged.
    pub purge_interval: Duration,
    /// How long `start` waits for every group to be readable. Replaying a log of one full memtable takes seconds.
    pub start_timeout: Duration,
}

impl Default for RaftOptions {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(250),
            election_min: Duration::from_millis(750),
            election_max: Duration::from_millis(1500),
            append_limit: Duration::from_secs(2),
            majority_limit: Duration::from_millis(500),
            commit_limit: Duration::from_secs(30),
            log_entries_kept: 1000,
            purge_entries_min: 256,
            purge_interval: Duration::from_secs(10),
            start_timeout: Duration::from_secs(120),
        }
    }
}

impl RaftOptions {
    pub(super) fn to_config(&self, cluster_name: &str) -> Result<Arc<Config>> {
        let config = Config {
            cluster_name: cluster_name.to_owned(),
            heartbeat_interval: self.heartbeat.as_millis() as u64,
            // openraft times nothing by itself: `pacemaker` does, for all groups at once.
            enable_tick: false,
            // What is left of these: a follower refuses votes for the longer time after an append, a candidate waits for votes for
            // the shorter one. Within the patience of followers, so that the one who stands first is not refused.
            election_timeout_min: self.election_min.as_millis() as u64 * 2 / 3,
            election_timeout_max: self.election_min.as_millis() as u64,
            enable_pre_vote: Some(true),
            // A restored leader does not append an entry of its own, so entries that were acknowledged just before a power
            // loss (in the log, but past the unsynced `committed`) would not be readable until the next write. An
            // election always commits a blank entry behind them.
            enable_leader_restore: Some(false),
            // Snapshots are asked for by `GroupSet`, when the flushed state has moved; see snapshot.rs.
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: self.log_entries_kept,
            purge_batch_size: self.purge_entries_min,
            // Bounded in bytes, too: by the log store's rounds, and by `Log` for what goes to a follower.
            max_append_entries: Some(512),
            max_payload_entries: 512,
            // Proposals in flight are bounded by the metadata client; these are the second line.
            api_channel_size: Some(8192),
            notification_channel_size: Some(8192),
            // Handing on at once: the log store groups the appends of all groups by itself.
            api_batch_linger_ms: 0,
            ..Config::default()
        };
        let config = config
            .validate()
            .map_err(|source| Error::caused_by(ErrorKind::Internal, "check the options of the Raft groups", source))?;
        Ok(Arc::new(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        RaftOptions::default().to_config("test").expect("openraft accepts them");
    }
}
