//! Messages about the cluster: nodes, join tokens, where groups are.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// One hour, if not given.
    #[serde(default)]
    pub lifetime_seconds: Option<u64>,
    #[serde(default)]
    pub zone: Option<String>,
}

/// The only time that a token leaves the node.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedToken {
    pub id: String,
    pub token: String,
    pub expires_ms: u64,
    pub zone: Option<String>,
    /// Where the node that answers is reached by one that joins.
    pub join: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: String,
    /// `unused`, `used` or `expired`.
    pub state: String,
    pub created_ms: u64,
    pub expires_ms: u64,
    pub zone: Option<String>,
    pub used_by: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub tokens: Vec<Token>,
}

/// What is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateNode {
    #[serde(default)]
    pub zone: Option<String>,
    #[serde(default)]
    pub weight: Option<u32>,
    /// `active`, `draining` or `removed`.
    #[serde(default)]
    pub state: Option<String>,
    /// All nodes of its host, or none of them.
    #[serde(default)]
    pub whole_host: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// One drive.
    pub id: u64,
    /// Nodes of one host are drives of one process; copies of a group are on different hosts.
    pub host: u64,
    pub state: String,
    /// As the node that answers sees it.
    pub up: bool,
    pub zone: String,
    pub weight: u32,
    pub release: String,
    pub peer_address: String,
    pub web_address: String,
    pub s3_address: String,
    pub drive: String,
    pub joined_ms: u64,
    /// Groups that have a copy on it.
    pub groups: u64,
    /// Groups of which it shall have a copy, and has none yet.
    pub groups_to_come: u64,
    /// Groups of which it has a copy, and shall have none.
    pub groups_to_go: u64,
    /// What it has to fetch for the former; not known yet, if null.
    #[serde(default)]
    pub bytes_to_come: Option<u64>,
    /// What others have to fetch before it can let go of the latter.
    #[serde(default)]
    pub bytes_to_go: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    pub nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    pub name: String,
    pub nodes: Vec<Node>,
    /// 0 is the system group.
    pub groups: Vec<ClusterGroup>,
    pub moves: Moves,
}

/// Which nodes hold a group, and which shall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterGroup {
    pub id: u32,
    pub voters: Vec<u64>,
    pub target: Vec<u64>,
    pub moving: bool,
    /// Copies on nodes that are up.
    pub up: u64,
    /// More than half of the copies are on nodes that are up.
    pub available: bool,
    /// Copies that are being made or wait for their turn.
    #[serde(default)]
    pub copies: Vec<Copy>,
}

/// A copy of a group that is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub node: u64,
    /// Of the whole copy, and what is left of it; not known yet, if null.
    pub bytes: Option<u64>,
    pub bytes_left: Option<u64>,
}

/// What is still to be moved, on its way or waiting for its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    pub groups_left: u64,
    /// Not known yet, if null; the same for the others.
    pub bytes_left: Option<u64>,
    pub seconds_left: Option<u64>,
    /// Of all copies that are not complete.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// What all nodes fetch together.
    #[serde(default)]
    pub bytes_per_second: u64,
}
