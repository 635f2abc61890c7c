//! Membership: how a node becomes a member of a cluster.
//! Owns: join tokens, the call by which an invited node joins, what the founder puts on record.
//! Does not own: the records and their rules (`metadata`), certificates (`peer::authority`), files on the drive (the node).

mod join_token;

pub use join_token::JoinToken;
