//! Cursor: walks a range of records and skips ahead.
//! Owns: how many records are read at a time. A skip is a new scan from the target, so that a listing which folds a
//! million keys into one common prefix costs one seek and not a million reads.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use bytes::Bytes;

use crate::error::Result;
use crate::metadata::view::{KeyRange, MetadataView};

/// What is read at first, and again after a skip: little is wasted if the next step is a skip too.
const RECORDS_FIRST: usize = 4;
const RECORDS_MAX: usize = 1024;

pub(super) struct Cursor<'a> {
    view: &'a dyn MetadataView,
    /// What is not read yet.
    rest: KeyRange,
    read: VecDeque<(Vec<u8>, Bytes)>,
    records_next: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(view: &'a dyn MetadataView, range: KeyRange) -> Self {
        Self { view, rest: range, read: VecDeque::new(), records_next: RECORDS_FIRST }
    }

    pub(super) fn peek(&mut self) -> Result<Option<(&[u8], &Bytes)>> {
        if self.read.is_empty() {
            self.read_more()?;
        }
        Ok(self.read.front().map(|(key, value)| (key.as_slice(), value)))
    }

    pub(super) fn advance(&mut self) {
        self.read.pop_front();
    }

    /// Goes forward to the first record at or after `target`; stays if it is there already.
    pub(super) fn skip_to(&mut self, target: Vec<u8>) {
        while self.read.front().is_some_and(|(key, _)| *key < target) {
            self.read.pop_front();
        }
        if self.read.is_empty() {
            self.rest = KeyRange { from: target.max(std::mem::take(&mut self.rest.from)), to: self.rest.to.clone() };
            self.records_next = RECORDS_FIRST;
        }
    }

    /// Goes forward past `key` and everything that begins with it.
    pub(super) fn skip_prefix(&mut self, prefix: Vec<u8>) {
        self.skip_to(KeyRange::of_prefix(prefix).to);
    }

    /// Goes forward past `key`.
    pub(super) fn skip_past(&mut self, mut key: Vec<u8>) {
        key.push(0);
        self.skip_to(key);
    }

    fn read_more(&mut self) -> Result<()> {
        if self.rest.from >= self.rest.to {
            return Ok(());
        }
        let read = &mut self.read;
        let wanted = self.records_next;
        self.view.scan(self.rest.bounds(), &mut |key, value| {
            read.push_back((key.to_vec(), Bytes::copy_from_slice(value)));
            if read.len() == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        self.rest.from = match self.read.back() {
            Some((last, _)) if self.read.len() == wanted => [last.as_slice(), &[0]].concat(),
            _ => self.rest.to.clone(),
        };
        self.records_next = (self.records_next * 4).min(RECORDS_MAX);
        Ok(())
    }
}
