//! Applier: applies the commands of one group, one after the other, each once.
//! Owns: the group's clock, its memory of requests and its range, which stand in the group's own records.
//! Invariant: equal logs give equal records, the group's own ones included.

use onggi_storage_engine::format::Record;

use super::request_ring::RequestRing;
use super::{Decided, Write, group_split};
use crate::error::Result;
use crate::id::GroupId;
use crate::metadata::VoterSets;
use crate::metadata::command::{Change, Command, GroupChange};
use crate::metadata::key::GroupSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{DecisionsRecord, RangeRecord};
use crate::metadata::view::{MetadataView, record};

pub struct Applier {
    space: GroupSpace,
    ring: RequestRing,
    /// `None` takes every owner: the group was never split.
    range: Option<RangeRecord>,
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
        Ok(Self { space, ring: RequestRing::open(view, space)?, range: record(view, &space.range())? })
    }

    /// `None`: the group was never split.
    pub fn range(&self) -> Option<RangeRecord> {
        self.range
    }

    /// `view` holds all writes of the commands before this one; `voters` are those of its place in the log.
    pub fn apply(&mut self, view: &dyn MetadataView, voters: &VoterSets, command: &Command) -> Result<Applied> {
        if self.is_elsewhere(&command.change) {
            // Neither remembered nor answered from memory: the group that decides about the owner now has a memory of its own, and
            // knows better what it has forgotten.
            return Ok(Applied { writes: Vec::new(), outcome: Outcome::Refused(Refusal::OwnerElsewhere) });
        }
        let mut decisions: DecisionsRecord = record(view, &self.space.decisions())?.unwrap_or_default();
        if let Some(outcome) = self.ring.answer(view, command, &decisions)? {
            return Ok(Applied { writes: Vec::new(), outcome });
        }
        let decided = match &command.change {
            Change::Group { group, change } if *group == self.space.0 => self.group_change(view, &decisions, change)?,
            _ => super::apply(view, decisions.clock, voters, command)?,
        };
        decisions.clock = decided.clock;
        let (place, remembered) = self.ring.remember(view, command, &decided.outcome, &mut decisions)?;
        let mut writes = decided.writes;
        writes.push(Write::Put { key: place, value: remembered.to_bytes() });
        writes.push(Write::Put { key: self.space.decisions(), value: decisions.to_bytes() });
        Ok(Applied { writes, outcome: decided.outcome })
    }

    fn is_elsewhere(&self, change: &Change) -> bool {
        match (change, self.range) {
            (Change::Owner { owner, .. }, Some(range)) => !range.contains(*owner),
            _ => false,
        }
    }

    fn group_change(
        &mut self,
        view: &dyn MetadataView,
        decisions: &DecisionsRecord,
        change: &GroupChange,
    ) -> Result<Decided> {
        let GroupChange::Split(split) = change;
        let clock = decisions.clock;
        Ok(match group_split::divide(view, self.space, self.range, decisions, split)? {
            Ok(divided) => {
                self.range = Some(divided.range);
                Decided { writes: divided.writes, outcome: Outcome::Done, clock }
            }
            Err(refusal) => Decided { writes: Vec::new(), outcome: Outcome::Refused(refusal), clock },
        })
    }
}
