//! Applier: applies the commands of one group, one after the other, each once.
//! Owns: the group's clock and its memory of requests, which stand in the group's own records.
//! Invariant: equal logs give equal records, the group's own ones included.

use onggi_storage_engine::format::Record;

use super::Write;
use super::request_ring::RequestRing;
use crate::error::Result;
use crate::id::GroupId;
use crate::metadata::command::Command;
use crate::metadata::key::GroupSpace;
use crate::metadata::outcome::Outcome;
use crate::metadata::record::DecisionsRecord;
use crate::metadata::view::{MetadataView, record};

pub struct Applier {
    space: GroupSpace,
    ring: RequestRing,
}

/// What to write, and what to answer once it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    pub writes: Vec<Write>,
    pub outcome: Outcome,
}

impl Applier {
    /// Reads the memory of requests. Open it again when the records were replaced (a snapshot was installed), or when
    /// writes that it gave were not stored.
    pub fn open(view: &dyn MetadataView, group: GroupId) -> Result<Self> {
        let space = GroupSpace(group);
        Ok(Self { space, ring: RequestRing::open(view, space)? })
    }

    /// `view` holds all writes of the commands before this one.
    pub fn apply(&mut self, view: &dyn MetadataView, command: &Command) -> Result<Applied> {
        let mut decisions: DecisionsRecord = record(view, &self.space.decisions())?.unwrap_or_default();
        if let Some(outcome) = self.ring.answer(view, command, &decisions)? {
            return Ok(Applied { writes: Vec::new(), outcome });
        }
        let decided = super::apply(view, decisions.clock, command)?;
        decisions.clock = decided.clock;
        let (place, remembered) = self.ring.remember(view, command, &decided.outcome, &mut decisions)?;
        let mut writes = decided.writes;
        writes.push(Write::Put { key: place, value: remembered.to_bytes() });
        writes.push(Write::Put { key: self.space.decisions(), value: decisions.to_bytes() });
        Ok(Applied { writes, outcome: decided.outcome })
    }
}
