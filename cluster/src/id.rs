//! Ids of the cluster: users, buckets, versions, uploads, groups, nodes. Newtypes, so that they never meet unconverted.
//! Owns: their byte form in keys and their text form on the wire (docs/data-layout.md).

use std::fmt;

pub use onggi_storage_engine::drive::{ClusterId, DriveId};
pub use onggi_storage_engine::id::{BlobId, ChunkId, OwnerKey};

/// A user's number, given out by the system group from 1 on and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

impl UserId {
    pub const ROOT: UserId = UserId(1);

    pub fn owner_key(self) -> OwnerKey {
        OwnerKey::of_user(self.0)
    }
}

/// A bucket within its owner's key space, from 1 on and never reused. 0 in a key means "the owner as a whole".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketId(pub u64);

/// A Raft group. 0 is the system group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

impl GroupId {
    pub const SYSTEM: GroupId = GroupId(0);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The node that the cluster began with.
    pub const FOUNDER: NodeId = NodeId(1);
}

/// The nodes of one process, each with a drive of its own, that are lost together: the number of the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u64);

impl HostId {
    /// A node that came by itself is the first of a host.
    pub fn begun_by(node: NodeId) -> Self {
        Self(node.0)
    }
}

/// A file or folder within its tree, from 1 on and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    /// The folder that every path begins at.
    pub const ROOT: EntryId = EntryId(1);
    /// What the root stands in.
    pub const NONE: EntryId = EntryId(0);
}

/// A sign-in, app password or authorization code of a user. Random, and no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(pub u64);

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// 32 lower-case hex digits.
            pub fn parse(text: &str) -> Option<Self> {
                let text = text.as_bytes();
                if text.len() != 32 {
                    return None;
                }
                let mut bytes = [0; 16];
                for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
                    *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

opaque_id!(
    /// Hybrid logical clock (8) ‖ random (8): a later write of a key has a greater id.
    VersionId
);
opaque_id!(
    /// Unix ms (6) ‖ random (10): a multipart upload, later the manifest of the object it became.
    UploadId
);
opaque_id!(
    /// Unix ms (6) ‖ random (10): a command with the same id is applied once.
    RequestId
);
opaque_id!(
    /// Random: a join token. It names the token in records and certificates and is no secret; the token's key is.
    TokenId
);

opaque_id!(
    /// Random: a share link. It names the link's record and is no secret; the rest of the link's address is.
    LinkId
);

impl VersionId {
    pub fn new(clock: u64, random: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&clock.to_be_bytes());
        bytes[8..].copy_from_slice(&random.to_be_bytes());
        Self(bytes)
    }

    /// Of a tree's file: through S3, revisions are versions.
    pub fn of_revision(rev: u64, entry: EntryId) -> Self {
        Self::new(rev, entry.0)
    }

    /// Which revision of which entry it names, if it is one of a tree.
    pub fn revision(self) -> (u64, EntryId) {
        let number = u128::from_be_bytes(self.0);
        ((number >> 64) as u64, EntryId(number as u64))
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_comes_back_and_nothing_else_parses() {
        let id = VersionId::new(0x0123_4567_89ab_cdef, 7);
        assert_eq!(VersionId::parse(&id.to_string()), Some(id));
        for bad in ["", "null", "0123", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
            assert_eq!(VersionId::parse(bad), None, "{bad}");
        }
    }
}
