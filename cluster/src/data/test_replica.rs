//! Test replica: one node's state of a group, fed from a log that all nodes share, as consensus would do it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::metadata_store::MetadataStore;

use super::blob_layout::BlobLayout;
use super::{BlobChanges, GroupState, GroupStates};
use crate::error::{Error, ErrorKind, Result};
use crate::id::GroupId;
use crate::metadata::VoterSets;
use crate::metadata::apply::{Applier, Write};
use crate::metadata::command::Command;
use crate::metadata::key::GroupSpace;
use crate::metadata::view::{MetadataView, Overlay, StoreView};

/// What a majority has agreed on.
#[derive(Clone, Default)]
pub struct TestLog(Arc<Mutex<Vec<Bytes>>>);

impl TestLog {
    pub fn append(&self, command: &Command) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(command.encode());
    }

    pub fn entries(&self) -> Vec<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone)]
pub struct TestReplica {
    pub group: GroupId,
    pub log: TestLog,
    pub metadata: MetadataStore,
    pub changes: BlobChanges,
    /// Reaches no majority: it cannot know what was agreed on.
    pub cut_off: Arc<AtomicBool>,
}

impl TestReplica {
    /// Entries applied here; after a crash, those that were flushed.
    pub fn applied(&self) -> usize {
        let view = StoreView::new(self.metadata.snapshot());
        let stored = view.get(&GroupSpace(self.group).applied()).expect("reads");
        stored.map_or(0, |count| u64::from_be_bytes(count.as_ref().try_into().expect("8 bytes")) as usize)
    }

    /// Applies at most `limit` more entries, as the state machine does.
    pub fn apply(&self, limit: usize) {
        let (entries, applied) = (self.log.entries(), self.applied());
        let through = entries.len().min(applied.saturating_add(limit));
        if through == applied {
            return;
        }
        let base = StoreView::new(self.metadata.snapshot());
        let mut applier = Applier::open(&base, self.group).expect("opens");
        let mut overlay = Overlay::new(&base);
        // Whose copies count is the business of a real log, which has its members in it.
        let voters = VoterSets::default();
        let (mut batch, mut named, mut freed) = (self.metadata.batch(), Vec::new(), Vec::new());
        for entry in &entries[applied..through] {
            let command = Command::decode(entry).expect("decodes");
            for write in applier.apply(&overlay, &voters, &command).expect("applies").writes {
                match write {
                    Write::Put { key, value } => overlay.put(key, value),
                    Write::Delete { key } => overlay.delete(key),
                    Write::PutInline { blob, payload } => batch.put_inline(blob, &payload),
                    Write::DeleteInline { blob } => batch.delete_inline(blob),
                    Write::NameBlob { blob, bytes, chunk_bytes } => named.push(BlobLayout { blob, bytes, chunk_bytes }),
                    Write::FreeBlob { blob } => freed.push(blob),
                    Write::FoundGroup { group } => panic!("group {} comes of a split", group.0),
                }
            }
        }
        for (key, value) in overlay.into_changes() {
            match value {
                Some(value) => batch.put(&key, &value),
                None => batch.delete(&key),
            }
        }
        batch.put(&GroupSpace(self.group).applied(), &(through as u64).to_be_bytes());
        self.metadata.apply(batch).expect("writes");
        self.changes.freed(freed);
        self.changes.named(named);
    }
}

impl GroupStates for TestReplica {
    fn current(&self, _group: GroupId) -> BoxFuture<'static, Result<GroupState>> {
        let replica = self.clone();
        Box::pin(async move {
            if replica.cut_off.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Unavailable, "no majority is reached"));
            }
            replica.apply(usize::MAX);
            Ok(GroupState::Here(Box::new(StoreView::new(replica.metadata.snapshot()))))
        })
    }

    fn applied(&self, _group: GroupId) -> Option<u64> {
        Some(TestReplica::applied(self) as u64)
    }
}
