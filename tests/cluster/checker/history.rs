//! History: what clients asked for, when, and what they were told.
//! Invariants: each written value is unique, so that a read tells which write it saw; an operation that surely did not happen
//! (a 503) is not in it, one that may have happened is, as `Reply::Unknown`.

use std::collections::{BTreeMap, BTreeSet};

/// Stands for the bytes of one write, or for one delete marker.
pub type Value = u64;

/// What the bucket keeps of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    Latest,
    Versions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    None,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match` with the ETag of this value.
    Is(Value),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A put, or the completion of an upload.
    Put {
        value: Value,
        condition: Condition,
    },
    /// Where versions are kept, `marker` becomes the latest one.
    Delete {
        marker: Value,
    },
    DeleteVersion {
        of: Value,
    },
    /// A get, a head, or what a listing says of the key.
    Read,
    ReadVersion {
        of: Value,
    },
    /// All versions, in a listing of versions.
    ReadVersions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Done,
    /// 412
    Refused,
    /// 404
    Absent,
    Holds(Value),
    /// Newest first.
    Versions(Vec<Listed>),
    /// Whole or not at all, now or at any time later.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    Value(Value),
    /// `None`: of a delete that was never acknowledged, so nobody knows its version id.
    Marker(Option<Value>),
}

/// Of one key. Times are of one clock; where the reply is unknown, `replied` says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub client: u32,
    pub called: u64,
    pub replied: u64,
    pub action: Action,
    pub reply: Reply,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Listing {
    pub client: u32,
    pub called: u64,
    pub replied: u64,
    pub prefix: String,
    /// It covers what comes behind this key …
    pub after: Option<String>,
    /// … up to and with this one; `None`: to the end.
    pub until: Option<String>,
    pub found: BTreeMap<String, Value>,
}

#[derive(Clone, Debug)]
pub struct History {
    pub keeps: Keeps,
    pub operations: Vec<(String, Operation)>,
    pub listings: Vec<Listing>,
}

impl History {
    pub fn new(keeps: Keeps) -> Self {
        Self { keeps, operations: Vec::new(), listings: Vec::new() }
    }

    /// Every key's operations, listings taken apart. The error is a listed key that is in no operation.
    pub fn by_key(&self) -> Result<BTreeMap<String, Vec<Operation>>, String> {
        let mut keys: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
        for (key, operation) in &self.operations {
            // What a read without an answer saw binds nobody.
            let says_something = operation.is_answered() || !operation.action.is_read();
            let operations = keys.entry(key.clone()).or_default();
            operations.extend(says_something.then(|| operation.clone()));
        }
        let known: BTreeSet<String> = keys.keys().cloned().collect();
        for listing in &self.listings {
            if let Some(phantom) = listing.found.keys().find(|key| !known.contains(*key)) {
                return Err(phantom.clone());
            }
            for (key, operations) in keys.iter_mut().filter(|(key, _)| listing.covers(key)) {
                operations.push(listing.as_read_of(key));
            }
        }
        Ok(keys)
    }
}

impl Operation {
    pub fn is_answered(&self) -> bool {
        self.reply != Reply::Unknown
    }

    /// Until when it must have happened.
    pub fn deadline(&self) -> u64 {
        if self.is_answered() { self.replied } else { u64::MAX }
    }
}

impl Action {
    fn is_read(&self) -> bool {
        matches!(self, Self::Read | Self::ReadVersion { .. } | Self::ReadVersions)
    }
}

impl Listing {
    fn covers(&self, key: &str) -> bool {
        key.starts_with(&self.prefix)
            && self.after.as_deref().is_none_or(|after| key > after)
            && self.until.as_deref().is_none_or(|until| key <= until)
    }

    fn as_read_of(&self, key: &str) -> Operation {
        let reply = self.found.get(key).map_or(Reply::Absent, |value| Reply::Holds(*value));
        Operation { client: self.client, called: self.called, replied: self.replied, action: Action::Read, reply }
    }
}
