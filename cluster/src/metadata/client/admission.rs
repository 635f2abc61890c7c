//! Admission: whether the drive has room for a change.
//! Invariant: asked where the change enters the log, on the node that leads, and before the log has it: a full disk in the middle of a
//! write would fail the drive. Followers are not asked: one that is full does not stop a group.

use std::sync::Arc;

use onggi_storage_engine::drive::{Health, WriteFor};

use crate::error::Result;
use crate::metadata::command::{Change, OwnerChange};
use crate::raft::Group;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admission {
    drive: Arc<Health>,
}

impl Admission {
    pub fn new(drive: Arc<Health>) -> Self {
        Self { drive }
    }

    /// `Full`, or why the drive takes nothing any more.
    pub fn check(&self, group: &Group, change: &Change) -> Result<()> {
        if group.is_leader() {
            self.drive.admit(write_for(change))?;
        }
        Ok(())
    }
}

/// Everything but what adds bytes of users goes on while the drive is full, deletes above all.
fn write_for(change: &Change) -> WriteFor {
    match change {
        Change::Owner {
            change:
                OwnerChange::PutObject(_)
                | OwnerChange::CopyObject(_)
                | OwnerChange::PutPart { .. }
                | OwnerChange::CreateUpload { .. },
            ..
        } => WriteFor::Storing,
        Change::Owner { .. } | Change::System(_) | Change::Group { .. } => WriteFor::Changing,
    }
}
