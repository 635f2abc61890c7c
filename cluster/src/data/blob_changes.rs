//! Blob changes: what `apply` tells the data path about the blobs of its group.
//! Owns: the one way in which the state machine speaks to the data path.
//! Does not own: durability. What is lost at a restart is found again by the passes over the index and over the records.

use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::env::Clock;

use super::blob_layout::BlobLayout;
use super::freed_blobs::{FreedBlobs, FreedQueue};
use super::passes::PassSchedule;
use super::repair::RepairQueue;
use crate::id::{BlobId, GroupId};

/// What the state machines of this node fill and its data path empties. Cheap to clone.
#[derive(Clone)]
pub struct BlobQueues {
    pub(super) freed: FreedQueue,
    pub(super) repairs: RepairQueue,
    pub(super) passes: PassSchedule,
}

/// The end that `apply` writes to. Replaying an entry says everything again, which is harmless: blob ids are never reused,
/// freeing twice is freeing once, and looking twice finds nothing missing.
#[derive(Clone)]
pub struct BlobChanges {
    freed: FreedBlobs,
    repairs: RepairQueue,
    passes: PassSchedule,
}

impl BlobQueues {
    pub fn new(clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self {
            freed: FreedQueue::new(clock.clone(), grace),
            repairs: RepairQueue::new(clock),
            passes: PassSchedule::new(),
        }
    }

    pub fn changes(&self) -> BlobChanges {
        BlobChanges { freed: self.freed.sender(), repairs: self.repairs.clone(), passes: self.passes.clone() }
    }
}

impl BlobChanges {
    /// Nothing names these any more.
    pub fn freed(&self, blobs: Vec<BlobId>) {
        self.freed.send(blobs);
    }

    /// These have got their first name, in a group of several nodes: each of them looks whether it has all chunks.
    pub fn named(&self, blobs: Vec<BlobLayout>) {
        if !blobs.is_empty() {
            self.repairs.add_named(blobs);
        }
    }

    /// The records of the group were replaced as a whole, by a snapshot: nobody knows what they name.
    pub fn replaced(&self, group: GroupId) {
        self.passes.request(group);
    }
}
