//! Handing over: a leader that has told another node to take over takes no proposals any more in its term, and must not keep the others from
//! electing somebody, should the other node not come.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
pub struct HandingOver {
    /// 0 for none: the first term is 1.
    term: AtomicU64,
}

impl HandingOver {
    pub fn begins_in(&self, term: u64) {
        self.term.store(term, Ordering::Relaxed);
    }

    pub fn is_in(&self, term: u64) -> bool {
        term != 0 && self.term.load(Ordering::Relaxed) == term
    }
}
