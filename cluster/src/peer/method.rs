//! Method: what can be called on a peer.
//! Owns: the numbers, which never change their meaning, and which connections carry which method.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(pub u16);

/// Connections are of a class, so that bytes of bodies never stand before a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Small and urgent: agreement, proposals, pings.
    Control,
    /// Large: chunks, snapshots, views.
    Bulk,
}

macro_rules! methods {
    ($($name:ident = $number:literal $class:ident),* $(,)?) => {
        impl Method {
            $(pub const $name: Method = Method($number);)*

            /// A number that this release does not know counts as large.
            pub fn class(self) -> Class {
                match self.0 {
                    $($number => Class::$class,)*
                    _ => Class::Bulk,
                }
            }

            fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

methods! {
    PING = 1 Control,
    JOIN = 2 Control,
    ANNOUNCE = 3 Control,
    RAFT_APPEND = 16 Control,
    RAFT_VOTE = 17 Control,
    RAFT_PRE_VOTE = 18 Control,
    RAFT_TRANSFER_LEADER = 19 Control,
    RAFT_PULSE = 20 Control,
    RAFT_SNAPSHOT_BEGIN = 24 Bulk,
    RAFT_SNAPSHOT_BLOCK = 25 Bulk,
    RAFT_SNAPSHOT_END = 26 Bulk,
    PROPOSE = 32 Control,
    READ_INDEX = 33 Control,
    VIEW_OPEN = 40 Bulk,
    VIEW_GET = 41 Bulk,
    VIEW_SCAN = 42 Bulk,
    VIEW_CLOSE = 43 Bulk,
    CHUNK_APPEND = 48 Bulk,
    CHUNK_SYNC = 49 Bulk,
    CHUNK_READ = 50 Bulk,
    INLINE_READ = 51 Bulk,
    BLOB_MISSING = 52 Bulk,
    GROUP_STATUS = 64 Control,
    GROUP_SURVEY = 66 Control,
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "method {}", self.0),
        }
    }
}
