//! Overlay: the state as it will be once the writes collected so far are stored.
//! Owns: the collected puts and deletes of a batch of log entries, one per key however often it changed.
//! Invariant: a read through the overlay gives what a read of the base would give after the batch was written.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow, Range};

use bytes::Bytes;

use super::{MetadataView, Visit};
use crate::error::Result;

pub struct Overlay<'a> {
    base: &'a dyn MetadataView,
    /// `None`: deleted.
    changed: BTreeMap<Vec<u8>, Option<Bytes>>,
}

impl<'a> Overlay<'a> {
    pub fn new(base: &'a dyn MetadataView) -> Self {
        Self { base, changed: BTreeMap::new() }
    }

    pub fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.changed.insert(key, Some(value));
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.changed.insert(key, None);
    }

    /// What to write, in key order; `None` deletes.
    pub fn into_changes(self) -> impl Iterator<Item = (Vec<u8>, Option<Bytes>)> {
        self.changed.into_iter()
    }

    fn changed_in(&self, range: Range<&[u8]>) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Option<Bytes>)> {
        // BTreeMap panics on a range that ends before it begins.
        let to = range.end.max(range.start);
        self.changed.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(to)))
    }
}

impl MetadataView for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        match self.changed.get(key) {
            Some(changed) => Ok(changed.clone()),
            None => self.base.get(key),
        }
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        let changed = self.changed_in(range.clone()).peekable();
        let merge = Merge { changed, comes_first: |changed, base| changed < base };
        merge.run(|visit| self.base.scan(range, visit), visit)
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        let changed = self.changed_in(range.clone()).rev().peekable();
        let merge = Merge { changed, comes_first: |changed, base| changed > base };
        merge.run(|visit| self.base.scan_reverse(range, visit), visit)
    }
}

/// Merges the changes into a scan of the base, in either direction.
struct Merge<'a, I: Iterator<Item = (&'a Vec<u8>, &'a Option<Bytes>)>> {
    changed: std::iter::Peekable<I>,
    comes_first: fn(&[u8], &[u8]) -> bool,
}

impl<'a, I: Iterator<Item = (&'a Vec<u8>, &'a Option<Bytes>)>> Merge<'a, I> {
    fn run(mut self, scan_base: impl FnOnce(Visit<'_>) -> Result<()>, visit: Visit<'_>) -> Result<()> {
        let mut ended = false;
        scan_base(&mut |key, value| {
            let flow = self.base_record(key, value, visit);
            ended = flow.is_break();
            flow
        })?;
        if !ended {
            self.rest(visit);
        }
        Ok(())
    }

    fn base_record(&mut self, key: &[u8], value: &[u8], visit: Visit<'_>) -> ControlFlow<()> {
        let comes_first = self.comes_first;
        while let Some((changed_key, changed)) = self.changed.next_if(|(changed, _)| comes_first(changed, key)) {
            if let Some(value) = changed {
                visit(changed_key, value)?;
            }
        }
        match self.changed.next_if(|(changed, _)| changed.as_slice() == key) {
            Some((_, Some(value))) => visit(key, value),
            Some((_, None)) => ControlFlow::Continue(()),
            None => visit(key, value),
        }
    }

    fn rest(&mut self, visit: Visit<'_>) {
        let _ = self.changed.by_ref().try_for_each(|(key, changed)| match changed {
            Some(value) => visit(key, value),
            None => ControlFlow::Continue(()),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::MemoryView;
    use super::*;

    fn collect(view: &dyn MetadataView, range: Range<&[u8]>, reverse: bool, limit: usize) -> Vec<(Vec<u8>, Bytes)> {
        let mut seen = Vec::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            seen.push((key.to_vec(), Bytes::copy_from_slice(value)));
            if seen.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        if reverse { view.scan_reverse(range, &mut visit) } else { view.scan(range, &mut visit) }.unwrap();
        seen
    }

    proptest! {
        /// Every read through the overlay equals the read of a state that has the changes.
        #[test]
        fn reads_as_if_written(
            base in prop::collection::btree_map(0u8..20, any::<u8>(), 0..12),
            changes in prop::collection::vec((0u8..20, prop::option::of(any::<u8>())), 0..20),
            from in 0u8..20, to in 0u8..20, limit in 1usize..30,
        ) {
            let mut stored = MemoryView::default();
            for (key, value) in &base {
                stored.put(vec![*key], Bytes::from(vec![*value]));
            }
            let mut overlay = Overlay::new(&stored);
            let mut written = stored.clone();
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        overlay.put(vec![key], Bytes::from(vec![value]));
                        written.put(vec![key], Bytes::from(vec![value]));
                    }
                    None => {
                        overlay.delete(vec![key]);
                        written.delete(&[key]);
                    }
                }
            }
            let (from, to) = ([from], [to]);
            for reverse in [false, true] {
                prop_assert_eq!(collect(&overlay, &from..&to, reverse, limit), collect(&written, &from..&to, reverse, limit));
            }
            for key in 0..20 {
                prop_assert_eq!(overlay.get(&[key]).unwrap(), written.get(&[key]).unwrap());
            }
        }
    }
}
