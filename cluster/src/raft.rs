//! Consensus: one Raft group per partition, over the storage engine. The only place that says `openraft`.
//!
//! The contract with openraft (pinned exactly; its alpha releases change shape) and where it bites: docs/consensus.md.

mod apply_batch;
mod format;
mod group;
mod group_keys;
mod group_set;
mod linearizable;
mod log;
mod network;
mod options;
mod snapshot;
mod snapshot_file;
mod snapshot_install;
mod state_machine;
mod type_config;

pub use group::{Group, GroupStatus};
pub use group_set::{GroupSet, GroupSetOptions};
pub use options::RaftOptions;
pub use snapshot_file::SnapshotFiles;

#[cfg(test)]
mod group_test;
#[cfg(test)]
mod suite_test;
