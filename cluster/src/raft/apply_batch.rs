//! Apply batch: decides a run of committed entries and writes what they change, all at once.
//! Owns: entries → one write of records, inline payloads and the applied position. Blocking.
//! Invariant: an entry sees the changes of all entries before it, written or not.

use std::sync::Arc;

use onggi_storage_engine::format::Record;
use onggi_storage_engine::metadata_store::{MetadataBatch, MetadataStore};

use super::format::AppliedRecord;
use super::group_keys::GroupKeys;
use super::group_members::voter_sets;
use super::new_group;
use super::type_config::{Entry, Payload, StoredMembership};
use crate::data::BlobLayout;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::metadata::apply::{Applier, Write};
use crate::metadata::command::Command;
use crate::metadata::key::GroupSpace;
use crate::metadata::outcome::Outcome;
use crate::metadata::view::{Overlay, StoreView};

pub struct ApplyBatch {
    pub store: MetadataStore,
    pub keys: Arc<GroupKeys>,
    pub applied: AppliedRecord,
    /// `None` reads the group's memory of requests from the store.
    pub applier: Option<Applier>,
}

pub struct Decided {
    pub applier: Applier,
    pub applied: AppliedRecord,
    /// One for each entry; `None` for those that are no commands.
    pub outcomes: Vec<Option<Outcome>>,
    pub blobs: ChangedBlobs,
}

/// What the data path has to look after.
#[derive(Default)]
pub struct ChangedBlobs {
    pub named: Vec<BlobLayout>,
    pub freed: Vec<BlobId>,
}

impl ApplyBatch {
    pub fn run(self, entries: Vec<Entry>) -> Result<Decided> {
        let base = StoreView::new(self.store.snapshot());
        let applier = match self.applier {
            Some(applier) => applier,
            None => Applier::open(&base, self.keys.group())?,
        };
        let mut overlay = Overlay::new(&base);
        let mut batch = self.store.batch();
        let outcomes = Vec::with_capacity(entries.len());
        let mut decided = Decided { applier, applied: self.applied, outcomes, blobs: ChangedBlobs::default() };
        let mut voters = voter_sets(decided.applied.membership.membership());
        for entry in entries {
            let log_id = entry.log_id;
            if decided.applied.last_applied.is_some_and(|applied| log_id.index <= applied.index) {
                return Err(Error::new(ErrorKind::Internal, format!("apply entry {}: applied already", log_id.index)));
            }
            let outcome = match entry.payload {
                Payload::Blank => None,
                Payload::Membership(membership) => {
                    decided.applied.membership = StoredMembership::new(Some(log_id), membership);
                    voters = voter_sets(decided.applied.membership.membership());
                    None
                }
                Payload::Normal(command) => {
                    let command = Command::decode(&command.0)?;
                    let applied = decided.applier.apply(&overlay, &voters, &command)?;
                    for write in applied.writes {
                        take(write, &decided.applied, &mut overlay, &mut batch, &mut decided.blobs);
                    }
                    Some(applied.outcome)
                }
            };
            decided.outcomes.push(outcome);
            decided.applied.last_applied = Some(log_id);
        }
        for (key, value) in overlay.into_changes() {
            match value {
                Some(value) => batch.put(&key, &value),
                None => batch.delete(&key),
            }
        }
        batch.put(&self.keys.applied(), &decided.applied.to_bytes());
        self.store.apply(batch)?;
        Ok(decided)
    }
}

fn take(
    write: Write,
    applied: &AppliedRecord,
    overlay: &mut Overlay<'_>,
    batch: &mut MetadataBatch,
    blobs: &mut ChangedBlobs,
) {
    match write {
        Write::Put { key, value } => overlay.put(key, value),
        Write::Delete { key } => overlay.delete(key),
        Write::PutInline { blob, payload } => batch.put_inline(blob, &payload),
        Write::DeleteInline { blob } => batch.delete_inline(blob),
        Write::NameBlob { blob, bytes, chunk_bytes } => blobs.named.push(BlobLayout { blob, bytes, chunk_bytes }),
        Write::FreeBlob { blob } => blobs.freed.push(blob),
        Write::FoundGroup { group } => {
            let first = new_group::first_position(&applied.membership);
            overlay.put(GroupSpace(group).applied(), first.to_bytes());
        }
    }
}
