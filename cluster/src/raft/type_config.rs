//! Type config: the types that openraft is instantiated with, and short names for them.

use std::fmt;

use bytes::Bytes;
use openraft::impls::EmptyNode;

use crate::metadata::outcome::Outcome;

openraft::declare_raft_types!(
    pub TypeConfig:
        D = EncodedCommand,
        R = Applied,
        NodeId = u64,
        // Where a node is reached stands in the system group, in one place: an address changes without a membership change.
        Node = EmptyNode,
);

pub type LeaderId = openraft::type_config::alias::LeaderIdOf<TypeConfig>;
pub type LogId = openraft::type_config::alias::LogIdOf<TypeConfig>;
pub type Vote = openraft::type_config::alias::VoteOf<TypeConfig>;
pub type Entry = openraft::type_config::alias::EntryOf<TypeConfig>;
pub type Payload = openraft::EntryPayload<EncodedCommand, u64, EmptyNode>;
pub type Membership = openraft::Membership<u64, EmptyNode>;
pub type StoredMembership = openraft::type_config::alias::StoredMembershipOf<TypeConfig>;
pub type SnapshotMeta = openraft::type_config::alias::SnapshotMetaOf<TypeConfig>;

/// A command as its bytes: encoded once by the proposer, decoded once by `apply`.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedCommand(pub Bytes);

impl fmt::Debug for EncodedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command of {} bytes", self.0.len())
    }
}

impl fmt::Display for EncodedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What applying an entry gave. `None` for entries that are no commands (blank, membership).
#[derive(Clone, Debug, PartialEq)]
pub struct Applied(pub Option<Outcome>);
