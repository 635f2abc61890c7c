//! Consensus: one Raft group per partition, over the storage engine. The only place that says `openraft`.
//!
//! The contract with openraft (pinned exactly; its alpha releases change shape) and where it bites: docs/consensus.md.

mod append_budget;
mod append_message;
mod apply_batch;
mod floor;
mod format;
mod group;
mod group_keys;
mod group_members;
mod group_read;
mod group_set;
mod group_split;
mod handing_over;
mod linearizable;
mod log;
mod message;
mod network;
mod new_group;
mod options;
mod pacemaker;
mod patience;
mod peer_service;
mod promise;
mod pulse_message;
mod read_round;
mod replica_on_drive;
mod snapshot;
mod snapshot_file;
mod snapshot_install;
mod snapshot_receive;
mod snapshot_send;
mod state_machine;
mod type_config;

/// What of the library's log is worth reading. It narrates every step at `info`, and its front door calls each refusal an error, which its
/// callers get anyway.
pub const LOG_DIRECTIVES: &str = "openraft=error,openraft::raft=off";

pub use group::{Group, GroupStatus};
pub use group_keys::{GroupKeys, OwnersRange};
pub use group_set::{GroupSet, GroupSetOptions, Opening};
pub use options::RaftOptions;
pub use peer_service::serve_groups;
pub use replica_on_drive::{LogPosition, ReplicaOnDrive, TakeOver};
pub use snapshot_file::SnapshotFiles;

#[cfg(test)]
mod failed_drive_test;
#[cfg(test)]
mod group_test;
#[cfg(test)]
mod idle_test;
#[cfg(test)]
mod nodes_test;
#[cfg(test)]
mod suite_test;
#[cfg(test)]
mod take_over_test;
#[cfg(test)]
mod test_nodes;
