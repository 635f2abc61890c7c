//! Search: an order of one key's operations that explains every reply.
//!
//! Wing and Gong's search ("Testing and verifying concurrent objects", 1993): an operation may come next if it was called before
//! any of those that are left was answered. With Lowe's memory ("Testing for linearizability", 2017): the same operations
//! done with the same state in the end are never tried twice. One of unknown outcome is never answered, and need not come at all.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::history::{Action, Keeps, Listed, Operation, Reply, Value};
use super::model::{KeyState, agrees};
use super::settle::{is_unseen, settle};

pub struct Search {
    keeps: Keeps,
    /// In the order of their calls.
    operations: Vec<Operation>,
    /// Those that read all versions.
    version_reads: Vec<usize>,
    /// A listing has a marker whose delete is not known.
    sees_strange_markers: bool,
    /// Values whose version was asked to be deleted: what lies below may become the latest again.
    deleted: Vec<Value>,
}

pub enum Found {
    /// No order explains the replies; which operations could not be placed, as text.
    Stuck(String),
    GaveUp,
}

/// Operations by their number, as bits.
type Set = Vec<u64>;

/// The answered operations that were placed and what all lead to; for each, the sets of the others with which that was tried.
type Tried = HashMap<(Set, KeyState), Vec<Set>>;

/// One operation placed, and what else could have been.
struct Frame {
    before: KeyState,
    placed: usize,
    /// Next best last.
    others: Vec<usize>,
}

impl Search {
    pub fn new(keeps: Keeps, operations: Vec<Operation>) -> Self {
        let mut operations = settle(operations);
        operations.sort_by_key(|operation| operation.called);
        let is_version_read = |at: &usize| matches!(operations[*at].reply, Reply::Versions(_));
        let version_reads = (0..operations.len()).filter(is_version_read).collect();
        let is_strange = |reply: &Reply| match reply {
            Reply::Versions(versions) => versions.contains(&Listed::Marker(None)),
            _ => false,
        };
        let sees_strange_markers = operations.iter().any(|operation| is_strange(&operation.reply));
        let deleted = |operation: &Operation| match operation.action {
            Action::DeleteVersion { of } => Some(of),
            _ => None,
        };
        let deleted = operations.iter().filter_map(deleted).collect();
        Self { keeps, operations, version_reads, sees_strange_markers, deleted }
    }

    pub fn run(&self, configurations_max: usize) -> Result<(), Found> {
        let empty = vec![0_u64; self.operations.len().div_ceil(64)];
        let (mut placed, mut unanswered) = (empty.clone(), empty);
        let mut state = KeyState::default();
        let mut tried = Tried::new();
        let mut path: Vec<Frame> = Vec::new();
        let mut candidates = self.candidates(&placed, &unanswered);
        let mut left = self.operations.iter().filter(|operation| operation.is_answered()).count();
        let mut fewest = (left, placed.clone(), state.clone());
        let mut configurations = 0;
        while left > 0 {
            if let Some(at) = candidates.pop() {
                let Some(after) = self.place(at, &mut placed, &mut unanswered, &state, &mut tried) else { continue };
                let before = std::mem::replace(&mut state, after);
                path.push(Frame { before, placed: at, others: std::mem::take(&mut candidates) });
                candidates = self.candidates(&placed, &unanswered);
                left -= usize::from(self.operations[at].is_answered());
                if left < fewest.0 {
                    fewest = (left, placed.clone(), state.clone());
                }
                configurations += 1;
            } else if let Some(frame) = path.pop() {
                self.flip(frame.placed, &mut placed, &mut unanswered);
                left += usize::from(self.operations[frame.placed].is_answered());
                (state, candidates) = (frame.before, frame.others);
            } else {
                return Err(Found::Stuck(self.explain(&fewest.1, &fewest.2)));
            }
            if configurations > configurations_max {
                return Err(Found::GaveUp);
            }
        }
        Ok(())
    }

    /// The state behind the operation, if its reply allows it here and it leads to something new.
    fn place(
        &self,
        at: usize,
        placed: &mut Set,
        unanswered: &mut Set,
        state: &KeyState,
        tried: &mut Tried,
    ) -> Option<KeyState> {
        let operation = &self.operations[at];
        let (after, reply) = state.apply(self.keeps, &operation.action);
        if !agrees(&reply, &operation.reply) {
            return None;
        }
        self.flip(at, placed, unanswered);
        if !operation.is_answered() && !self.is_needed(at, state, &after, placed, unanswered) {
            self.flip(at, placed, unanswered);
            return None;
        }
        let before = tried.entry((placed.clone(), after.clone())).or_default();
        let is_part = |part: &Set| part.iter().zip(&*unanswered).all(|(part, whole)| part & !whole == 0);
        if before.iter().any(is_part) {
            self.flip(at, placed, unanswered);
            return None;
        }
        before.push(unanswered.clone());
        Some(after)
    }

    /// Whether a write that may be left out is good for anything right here. If what follows it goes without it, the two can
    /// change places, or the write is buried for good and can be left out. Buried is not for good if what lies above is deleted.
    fn is_needed(&self, at: usize, before: &KeyState, after: &KeyState, placed: &Set, unanswered: &Set) -> bool {
        let write = &self.operations[at].action;
        let is_read = |at: &usize| placed[at / 64] >> (at % 64) & 1 == 1;
        let will_be_listed = !self.version_reads.iter().all(is_read);
        if after == before || (will_be_listed && is_unseen(write) && !self.sees_strange_markers) {
            return false;
        }
        self.candidates(placed, unanswered).into_iter().any(|next| {
            let Operation { action, reply: told, .. } = &self.operations[next];
            let ((without, reply_without), (with, reply_with)) =
                (before.apply(self.keeps, action), after.apply(self.keeps, action));
            let enables = match told {
                Reply::Unknown => without == *before && with != *after,
                told => agrees(&reply_with, told) && !agrees(&reply_without, told),
            };
            enables || self.may_come_off(action)
        })
    }

    /// A write above which others may come to light again, or that may be among strange markers.
    fn may_come_off(&self, action: &Action) -> bool {
        match action {
            Action::Put { value, .. } | Action::Delete { marker: value } => {
                self.keeps == Keeps::Versions && (self.sees_strange_markers || self.deleted.contains(value))
            }
            _ => false,
        }
    }

    fn flip(&self, at: usize, placed: &mut Set, unanswered: &mut Set) {
        let set = if self.operations[at].is_answered() { placed } else { unanswered };
        set[at / 64] ^= 1 << (at % 64);
    }

    /// What may come next: those first that were answered first, those of unknown outcome only when nothing else helps.
    fn candidates(&self, placed: &[u64], unanswered: &[u64]) -> Vec<usize> {
        let is_left = |at: &usize| (placed[at / 64] | unanswered[at / 64]) >> (at % 64) & 1 == 0;
        let whole_words = placed.iter().zip(unanswered).take_while(|(one, other)| **one | **other == u64::MAX).count();
        let mut first_reply = u64::MAX;
        let mut candidates = Vec::new();
        for at in (whole_words * 64..self.operations.len()).filter(is_left) {
            if self.operations[at].called > first_reply {
                break;
            }
            let operation = &self.operations[at];
            first_reply = first_reply.min(operation.deadline());
            let does_the_same = |other: &&usize| {
                let other = &self.operations[**other];
                !other.is_answered() && other.action == operation.action
            };
            if operation.is_answered() || candidates.iter().find(does_the_same).is_none() {
                candidates.push(at);
            }
        }
        candidates.sort_by_key(|at| std::cmp::Reverse(self.operations[*at].deadline()));
        candidates
    }

    /// Where the longest order that was found ends, and what could not follow.
    fn explain(&self, placed: &[u64], state: &KeyState) -> String {
        let (count, all) = (placed.iter().map(|word| word.count_ones()).sum::<u32>(), self.operations.len());
        let mut text = format!("after {count} of {all} operations the key is {state:?}; next would be one of\n");
        for at in self.candidates(placed, &vec![0; placed.len()]).into_iter().rev() {
            let Operation { client, called, replied, action, reply } = &self.operations[at];
            let until = if *reply == Reply::Unknown { "…".to_owned() } else { replied.to_string() };
            let _ = writeln!(text, "  client {client} at {called}–{until}: {action:?} → {reply:?}");
        }
        text
    }
}
