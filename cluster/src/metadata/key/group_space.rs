//! Group-local keys: `0x01 ‖ group (4) ‖ table`.

use super::{join, space, table};
use crate::id::GroupId;
use crate::metadata::view::KeyRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSpace(pub GroupId);

impl GroupSpace {
    /// Written with every batch: how far the log is applied.
    pub fn applied(self) -> Vec<u8> {
        self.table(table::APPLIED, &[])
    }

    /// `DecisionsRecord`: the clock, and how many requests were decided.
    pub fn decisions(self) -> Vec<u8> {
        self.table(table::DECISIONS, &[])
    }

    /// `RequestRecord` of one slot of the ring.
    pub fn request(self, slot: u32) -> Vec<u8> {
        self.table(table::REQUEST, &slot.to_be_bytes())
    }

    /// `RangeRecord`: of a group that was split, or came of a split.
    pub fn range(self) -> Vec<u8> {
        self.table(table::RANGE, &[])
    }

    pub fn requests(self) -> KeyRange {
        KeyRange::of_prefix(self.table(table::REQUEST, &[]))
    }

    /// Everything this group keeps about itself.
    pub fn all(self) -> KeyRange {
        KeyRange::of_prefix(join(&[&[space::GROUP], &self.0.0.to_be_bytes()]))
    }

    fn table(self, table: u8, rest: &[u8]) -> Vec<u8> {
        join(&[&[space::GROUP], &self.0.0.to_be_bytes(), &[table], rest])
    }
}
