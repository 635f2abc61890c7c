//! In-memory view: what a store view can answer at once, on an async thread.
//! Owns: when to give up: at the first record that is not in memory, or after as many as a look-up needs. Most requests look up a
//! few records that were just used, and a hop to a blocking thread and back costs more than all of them.
//! Invariant: what was read before it gave up is not used: the caller reads again, with the view that waits.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use bytes::Bytes;

use super::{MetadataView, StoreView, Visit};
use crate::error::{Error, ErrorKind, Result};

/// Records that are visited at once, some 20 µs. A page of a listing is longer, and is read on a blocking thread.
const VISITS_MAX: u32 = 32;

pub struct InMemoryView {
    view: StoreView,
    visits_left: Cell<u32>,
    gave_up: Cell<bool>,
}

impl InMemoryView {
    pub fn new(mut view: StoreView) -> Self {
        view.only_in_memory(true);
        Self { view, visits_left: Cell::new(VISITS_MAX), gave_up: Cell::new(false) }
    }

    /// The answer of a query to this view, or the view to ask again from where it may block.
    pub fn answer<T>(
        self,
        query: impl FnOnce(&dyn MetadataView) -> Result<T>,
    ) -> std::result::Result<Result<T>, StoreView> {
        let answer = query(&self);
        if !self.gave_up.get() {
            return Ok(answer);
        }
        let mut view = self.view;
        view.only_in_memory(false);
        Err(view)
    }

    /// A real error gives up, too: the read that may block meets it again and reports it.
    fn or_give_up<T>(&self, read: Result<T>) -> Result<T> {
        self.gave_up.set(self.gave_up.get() || read.is_err());
        read
    }

    fn visit_some(&self, visit: Visit<'_>, scan: impl FnOnce(Visit<'_>) -> Result<()>) -> Result<()> {
        let scanned = scan(&mut |key, value| {
            let Some(left) = self.visits_left.get().checked_sub(1) else {
                self.gave_up.set(true);
                return ControlFlow::Break(());
            };
            self.visits_left.set(left);
            visit(key, value)
        });
        self.or_give_up(scanned)?;
        if self.gave_up.get() {
            return Err(Error::new(ErrorKind::Internal, "a scan that is too long for an async thread"));
        }
        Ok(())
    }
}

impl MetadataView for InMemoryView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.or_give_up(self.view.get(key))
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.visit_some(visit, |visit| self.view.scan(range, visit))
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.visit_some(visit, |visit| self.view.scan_reverse(range, visit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OwnerKey;
    use crate::metadata::key::OwnerSpace;
    use crate::testing::TestEngine;

    const OWNERS: u64 = 40;

    fn first(view: &dyn MetadataView) -> Result<Option<Bytes>> {
        view.get(&OwnerSpace(OwnerKey(0)).owner())
    }

    fn count(view: &dyn MetadataView, owners: u64) -> Result<u64> {
        let mut visited = 0;
        view.scan(OwnerSpace::of_range(OwnerKey(0), OwnerKey(owners - 1)).bounds(), &mut |_, _| {
            visited += 1;
            ControlFlow::Continue(())
        })?;
        Ok(visited)
    }

    #[tokio::test]
    async fn gives_up_at_a_long_scan_and_at_what_is_on_the_drive_only() {
        let directory = TestEngine::new();
        {
            let engine = directory.open().await;
            let mut batch = engine.metadata_store().batch();
            (0..OWNERS).for_each(|owner| batch.put(&OwnerSpace(OwnerKey(owner)).owner(), b"x"));
            engine.metadata_store().apply(batch).unwrap();
            let view = || InMemoryView::new(StoreView::new(engine.metadata_store().snapshot()));
            assert_eq!(view().answer(first).ok().unwrap().unwrap(), Some("x".into()));
            let short = u64::from(VISITS_MAX);
            assert_eq!(view().answer(|view| count(view, short)).ok().unwrap().unwrap(), short);
            // Also if the query makes nothing of the error.
            let waiting = view().answer(|view| Ok(count(view, OWNERS).unwrap_or(0))).expect_err("gives up");
            assert_eq!(count(&waiting, OWNERS).unwrap(), OWNERS);
            engine.close().await.unwrap();
        }
        let engine = directory.open().await;
        let view = InMemoryView::new(StoreView::new(engine.metadata_store().snapshot()));
        let waiting = view.answer(first).expect_err("no block is in memory yet");
        assert_eq!(first(&waiting).unwrap(), Some("x".into()));
    }
}
