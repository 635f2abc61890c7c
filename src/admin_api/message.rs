//! Messages of the admin API: what the server and the command line both read and write, as JSON.
//! Invariant: fields are added, never renamed; unknown fields of a request are refused.

mod cluster;
mod group;

use serde::{Deserialize, Serialize};

pub use cluster::{
    ClusterGroup, ClusterStatus, Copy, CreateToken, CreatedToken, Moves, Node, Nodes, Token, Tokens, UpdateNode,
};
pub use group::{GroupSplit, OwnersGroup, OwnersGroups, SplitGroup};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    pub name: String,
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub quota_bytes: Option<u64>,
    /// For the drive; without one the user cannot sign in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// What is not given stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    #[serde(default)]
    pub enabled: Option<bool>,
    #[serde(default)]
    pub quota_bytes: Option<u64>,
    #[serde(default)]
    pub remove_quota: bool,
    /// Ends every sign-in and app password of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    pub admin: bool,
    pub enabled: bool,
    pub quota_bytes: Option<u64>,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    pub users: Vec<User>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    #[serde(default)]
    pub description: String,
}

/// The only time that a secret leaves the node.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedKey {
    pub user: String,
    pub access_key: String,
    pub secret_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateKey {
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub access_key: String,
    pub enabled: bool,
    pub description: String,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub user: String,
    pub keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    pub name: String,
    pub owner: String,
    pub created_ms: u64,
    pub versioning: String,
    pub objects: u64,
    pub versions: u64,
    pub delete_markers: u64,
    pub uploads: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    pub buckets: Vec<Bucket>,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub error: FailureDetail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureDetail {
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub cluster: String,
    pub node: u64,
    pub uptime_seconds: u64,
    pub ready: bool,
    /// Why not, one sentence each.
    pub problems: Vec<String>,
    /// Drives that are not at work, one sentence each. The node may be ready all the same.
    #[serde(default)]
    pub failures: Vec<String>,
    /// The first one.
    pub data_dir: String,
    /// Of all drives together.
    pub drive: Drive,
    /// Of the drive that answers.
    pub groups: Vec<Group>,
    /// Of all drives together.
    pub chunks: Chunks,
    #[serde(default)]
    pub drives: Vec<LocalDrive>,
    #[serde(default)]
    pub repair: Repair,
    #[serde(default)]
    pub sweep: Sweep,
    /// Nothing is moved because too many nodes look gone at once; known to the node that leads the system group.
    #[serde(default)]
    pub repair_is_held: bool,
}

/// One drive of the process that answers: a node of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalDrive {
    pub node: u64,
    pub data_dir: String,
    /// Why it is not at work.
    pub failure: Option<String>,
    pub drive: Drive,
    pub groups: u64,
    pub groups_led: u64,
    pub chunks: Chunks,
}

/// Room on the drive: when it runs out, first new objects are refused, deletes last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drive {
    pub free_bytes: u64,
    pub takes_objects: bool,
    pub takes_deletes: bool,
}

/// One Raft group of this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: u32,
    pub leader: Option<u64>,
    pub term: u64,
    pub applied_index: Option<u64>,
    pub last_log_index: Option<u64>,
    pub failure: Option<String>,
}

/// The drive's chunk store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    pub extents: u64,
    pub chunks: u64,
    pub live_bytes: u64,
    pub dead_bytes: u64,
    pub damaged_chunks: u64,
}

/// Bringing what this node lacks from others. Counts since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// Blobs and chunks to be looked at.
    pub queued: u64,
    /// What the last comparisons of records with chunks found missing and was not brought yet.
    pub blobs_left: u64,
    pub bytes_left: u64,
    /// Over the last seconds.
    pub bytes_per_second: u64,
    pub repaired_chunks: u64,
    pub repaired_bytes: u64,
    /// Comparisons of all records of a group with the chunks here.
    pub passes: u64,
    /// Left to the next comparison after many tries.
    pub given_up: u64,
    /// Tries that found no good copy on any node.
    pub unrepairable: u64,
    /// Replicas that writes through this node did without.
    pub dropped_replicas: u64,
    pub bad_local_reads: u64,
}

/// Freeing what no object names any more. Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    pub freed: u64,
    pub orphans: u64,
    pub undecided: u64,
    /// Comparisons of all chunks here with the names that there are.
    #[serde(default)]
    pub passes: u64,
    /// Blobs that wait for the end of their grace period.
    pub waiting: u64,
}

/// The scrub that is running, or the last one; of all drives together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrub {
    pub running: bool,
    pub started_ms: u64,
    pub finished_ms: u64,
    pub extents_done: u64,
    pub extents_total: u64,
    pub bytes: u64,
    pub errors: u64,
}
