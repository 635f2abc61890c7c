//! Draft: what one command will have changed, if it is not refused.
//! Owns: the command's own view of its changes, the clock, the effects on payloads.

use onggi_storage_engine::format::Record;

use super::Write;
use crate::error::Result;
use crate::id::{BlobId, RequestId, VersionId};
use crate::metadata::VoterSets;
use crate::metadata::command::Command;
use crate::metadata::view::{MetadataView, Overlay, record};

pub(super) struct Draft<'a> {
    records: Overlay<'a>,
    payloads: Vec<Write>,
    clock: u64,
    pub(super) time_ms: u64,
    pub(super) request: RequestId,
    /// Of the group, at the command's place in its log.
    pub(super) voters: &'a VoterSets,
}

impl<'a> Draft<'a> {
    pub(super) fn new(view: &'a dyn MetadataView, clock: u64, voters: &'a VoterSets, command: &Command) -> Self {
        Self {
            records: Overlay::new(view),
            payloads: Vec::new(),
            clock,
            time_ms: command.time_ms,
            request: command.request,
            voters,
        }
    }

    /// The state with this command's changes so far.
    pub(super) fn view(&self) -> &dyn MetadataView {
        &self.records
    }

    pub(super) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>> {
        record(&self.records, key)
    }

    pub(super) fn exists(&self, key: &[u8]) -> Result<bool> {
        Ok(self.records.get(key)?.is_some())
    }

    pub(super) fn put<R: Record>(&mut self, key: Vec<u8>, record: &R) {
        self.records.put(key, record.to_bytes());
    }

    /// An entry of an index: the key says it all.
    pub(super) fn put_mark(&mut self, key: Vec<u8>) {
        self.records.put(key, bytes::Bytes::new());
    }

    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.records.delete(key);
    }

    pub(super) fn put_inline(&mut self, blob: BlobId, payload: bytes::Bytes) {
        self.payloads.push(Write::PutInline { blob, payload });
    }

    pub(super) fn delete_inline(&mut self, blob: BlobId) {
        self.payloads.push(Write::DeleteInline { blob });
    }

    pub(super) fn name_blob(&mut self, blob: BlobId, bytes: u64, chunk_bytes: u32) {
        self.payloads.push(Write::NameBlob { blob, bytes, chunk_bytes });
    }

    pub(super) fn free_blob(&mut self, blob: BlobId) {
        self.payloads.push(Write::FreeBlob { blob });
    }

    /// Greater than every version that this group made before, whatever the proposers' clocks say.
    pub(super) fn next_version(&mut self, random: u64) -> VersionId {
        // 48 bits of milliseconds, and 16 bits to count within one of them.
        self.clock = (self.time_ms << 16).max(self.clock + 1);
        VersionId::new(self.clock, random)
    }

    pub(super) fn finish(self) -> (Vec<Write>, u64) {
        let records = self.records.into_changes().map(|(key, value)| match value {
            Some(value) => Write::Put { key, value },
            None => Write::Delete { key },
        });
        (records.chain(self.payloads).collect(), self.clock)
    }
}
