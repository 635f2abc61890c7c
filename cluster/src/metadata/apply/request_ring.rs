//! Request ring: the requests that a group decided last, so that a retry is answered and not applied again.
//! Owns: which slot a request takes, and whether a retry can be told from a first attempt (docs/metadata.md, "Once").
//! Invariant: the index holds exactly the requests in the group's slots.

use std::collections::HashMap;
use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::RequestId;
use crate::metadata::command::Command;
use crate::metadata::key::{self, GroupKey, GroupSpace, Key};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{DecisionsRecord, RequestRecord};
use crate::metadata::view::{MetadataView, record};

/// How many requests a group remembers. A retry follows its first attempt after one election at most (seconds); the
/// ring covers that at some thousand decisions a second, and past it a retry is refused, never applied twice.
pub(super) const SLOTS: u32 = 4096;

pub(super) struct RequestRing {
    space: GroupSpace,
    slot_of: HashMap<RequestId, u32>,
}

impl RequestRing {
    pub(super) fn open(view: &dyn MetadataView, space: GroupSpace) -> Result<Self> {
        let mut rows = Vec::new();
        view.scan(space.requests().bounds(), &mut |key, value| {
            rows.push((key::parse(key), RequestRecord::from_bytes(value)));
            ControlFlow::Continue(())
        })?;
        let mut slot_of = HashMap::with_capacity(rows.len());
        for (key, row) in rows {
            match key? {
                Key::Group(_, GroupKey::Request { slot }) => slot_of.insert(row?.request, slot),
                other => return Err(key::out_of_place(&other)),
            };
        }
        Ok(Self { space, slot_of })
    }

    /// What was decided on this request before, or that this cannot be told any more. `None`: it is new.
    pub(super) fn answer(
        &self,
        view: &dyn MetadataView,
        command: &Command,
        decisions: &DecisionsRecord,
    ) -> Result<Option<Outcome>> {
        if let Some(slot) = self.slot_of.get(&command.request) {
            let remembered: Option<RequestRecord> = record(view, &self.space.request(*slot))?;
            if let Some(remembered) = remembered.filter(|remembered| remembered.request == command.request) {
                return Ok(Some(remembered.outcome));
            }
        }
        let may_be_forgotten = command.retry && command.time_ms <= decisions.forgotten_ms;
        Ok(may_be_forgotten.then_some(Outcome::Refused(Refusal::RequestTooOld)))
    }

    /// Remembers the outcome in place of the oldest one.
    pub(super) fn remember(
        &mut self,
        view: &dyn MetadataView,
        command: &Command,
        outcome: &Outcome,
        decisions: &mut DecisionsRecord,
    ) -> Result<(Vec<u8>, RequestRecord)> {
        let slot = (decisions.requests % u64::from(SLOTS)) as u32;
        let place = self.space.request(slot);
        if let Some(forgotten) = record::<RequestRecord>(view, &place)? {
            decisions.forgotten_ms = decisions.forgotten_ms.max(forgotten.time_ms);
            self.slot_of.remove(&forgotten.request);
        }
        decisions.requests += 1;
        self.slot_of.insert(command.request, slot);
        Ok((place, RequestRecord { request: command.request, time_ms: command.time_ms, outcome: outcome.clone() }))
    }
}
