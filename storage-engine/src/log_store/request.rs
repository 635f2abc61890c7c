//! What callers put into the writer's queue.

use std::ops::Range;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::completion::Completion;
use crate::error::{Error, ErrorKind};

pub(super) enum Message {
    Request(Request),
    Stop,
}

pub(super) struct Request {
    pub group: u32,
    /// Ascending in a group; says which entries of the tail are in the database.
    pub sequence: u64,
    pub change: Option<Change>,
    pub completion: Completion,
    /// Given back when the request is done.
    pub _room: OwnedSemaphorePermit,
}

pub(super) enum Change {
    Append(Vec<(u64, Bytes)>),
    Vote(Bytes),
    Committed(Bytes),
    /// Entries to delete.
    Truncate(Range<u64>),
    /// Entries to delete, the last of them the one that `marker` stands for.
    Purge {
        entries: Range<u64>,
        marker: Bytes,
    },
    /// Entries to delete, and all else but the vote.
    Forget {
        entries: Range<u64>,
        promised: Option<Bytes>,
    },
}

impl Change {
    pub fn needs_sync(&self) -> bool {
        match self {
            Self::Append(_) | Self::Vote(_) | Self::Truncate(_) | Self::Forget { .. } => true,
            // Older values of these are safe: more is applied again, or purged again.
            Self::Committed(_) | Self::Purge { .. } => false,
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Self::Append(entries) => entries.iter().map(|(_, entry)| entry.len()).sum(),
            Self::Vote(value) | Self::Committed(value) | Self::Purge { marker: value, .. } => value.len(),
            Self::Truncate(_) | Self::Forget { .. } => 0,
        }
    }
}

pub(super) fn writer_stopped() -> Error {
    Error::new(ErrorKind::Internal, "log writer has stopped")
}
