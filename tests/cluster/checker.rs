//! Checker: whether what clients saw can have come from a store that does one operation after the other.
//! Owns: the judgement, key by key (linearizability is local: a history is linearizable if each key's part of it is).
//! Does not own: making histories. Nothing here knows of S3 or of time but for numbers.
//!
//! A listing counts as a read of each key that it covers, within the time that the request took: a key that it must have and
//! has not, or the other way round, is found as any stale read is.

mod history;
mod model;
mod search;
mod settle;

use std::collections::BTreeMap;
use std::fmt;

pub use history::{Action, Condition, History, Keeps, Listed, Listing, Operation, Reply, Value};
use search::Search;

/// Configurations that the search of one key may look at. Real histories need a few for each operation; only one with dozens of
/// unknown outcomes at once comes near.
const CONFIGURATIONS_MAX: usize = 500_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub keys: usize,
    /// Reads of a key by a listing among them.
    pub operations: usize,
    pub unknown: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Violation {
    /// No order of the operations explains what was seen of the key.
    NotLinearizable { key: String, why: String },
    /// A listing has a key that nobody wrote.
    Phantom { key: String },
    /// The search was given up: neither right nor wrong. A test that ends so must be made smaller.
    Undecided { key: String },
}

pub fn check(history: &History) -> Result<Checked, Violation> {
    let keys: BTreeMap<String, Vec<Operation>> = history.by_key().map_err(|key| Violation::Phantom { key })?;
    let mut checked = Checked { keys: keys.len(), ..Checked::default() };
    for (key, operations) in keys {
        checked.operations += operations.len();
        checked.unknown += operations.iter().filter(|operation| !operation.is_answered()).count();
        Search::new(history.keeps, operations).run(CONFIGURATIONS_MAX).map_err(|found| match found {
            search::Found::Stuck(why) => Violation::NotLinearizable { key: key.clone(), why },
            search::Found::GaveUp => Violation::Undecided { key: key.clone() },
        })?;
    }
    Ok(checked)
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinearizable { key, why } => write!(f, "{key}: not linearizable\n{why}"),
            Self::Phantom { key } => write!(f, "{key}: listed, but nobody wrote it"),
            Self::Undecided { key } => write!(f, "{key}: too many orders are possible to decide"),
        }
    }
}

#[cfg(test)]
mod planted_test;
#[cfg(test)]
mod random_test;
