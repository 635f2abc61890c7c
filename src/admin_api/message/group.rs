//! Messages about groups: who decides about which users, and how much that is.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnersGroup {
    pub id: u32,
    /// Keys of its first and its last owner, 16 hex digits each. A key is made of the user's number, and spreads users evenly.
    pub first: String,
    pub last: String,
    pub voters: Vec<u64>,
    pub target: Vec<u64>,
    /// As far as the node that was asked knows; null: nobody leads, or no node that has the group could be asked.
    pub leader: Option<u64>,
    /// Null: no node that has the group could be asked; the same for the next ones.
    pub users: Option<u64>,
    pub objects: Option<u64>,
    /// Object versions, delete markers and uploads.
    pub entries: Option<u64>,
    pub bytes: Option<u64>,
    /// The group that is being split off it.
    pub splitting_off: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnersGroups {
    pub groups: Vec<OwnersGroup>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitGroup {
    /// The first user of the new group; the middle, if not given.
    #[serde(default)]
    pub at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSplit {
    pub id: u32,
    pub new_group: u32,
}
