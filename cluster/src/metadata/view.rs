//! Metadata view: the one way in which `apply` and the queries see the records.
//! Owns: the trait, and the range of keys that a scan walks.
//! Does not own: who stores the records (the storage engine), or what they mean (`record`, `key`).

use std::ops::{ControlFlow, Range};

use bytes::Bytes;
use onggi_storage_engine::format::Record;

use crate::error::Result;

mod in_memory;
mod memory;
mod overlay;
mod store;

pub use in_memory::InMemoryView;
pub use memory::MemoryView;
pub use overlay::Overlay;
pub use store::StoreView;

/// Called for each record of a scan, in order; `Break` ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// A consistent set of records, ordered by the unsigned bytes of their keys. Reads may block on the disk.
pub trait MetadataView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>>;

    /// Visits the keys of `range` in ascending order until the visitor breaks.
    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()>;

    /// Visits the keys of `range` in descending order until the visitor breaks.
    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()>;
}

/// The record under `key`.
pub fn record<R: Record>(view: &dyn MetadataView, key: &[u8]) -> Result<Option<R>> {
    match view.get(key)? {
        Some(value) => Ok(Some(R::from_bytes(&value)?)),
        None => Ok(None),
    }
}

/// Keys `from ≤ key < to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

impl KeyRange {
    /// All keys that begin with `prefix`.
    pub fn of_prefix(prefix: Vec<u8>) -> Self {
        // No key begins with 0xFF (docs/data-layout.md), so every prefix has an upper bound.
        let to = after_prefix(&prefix).unwrap_or_default();
        Self { from: prefix, to }
    }

    /// The same end, but not before `from`.
    #[must_use]
    pub fn starting_at(mut self, from: Vec<u8>) -> Self {
        if from > self.from {
            self.from = from;
        }
        self
    }

    pub fn bounds(&self) -> Range<&[u8]> {
        &self.from..&self.to
    }
}

/// The least key greater than every key that begins with `prefix`; none if `prefix` is all `0xFF`.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last_below_max = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut after = prefix[..=last_below_max].to_vec();
    after[last_below_max] += 1;
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_prefix_is_the_least_upper_bound() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 0xFF, 0xFF]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xFF]), None);
        assert_eq!(after_prefix(b""), None);
    }
}
