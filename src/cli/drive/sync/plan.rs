//! Plan: from three trees to what shall be done (docs/drive-sync.md).
//! Owns: every decision. Pure: no disk, no network, no clock.
//! Invariant: whatever is planned, contents that stand on one side only are never removed from it.

mod decide;
mod moves;

#[cfg(test)]
mod plan_test;

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Trees, ancestors, below};
use decide::decide;

/// `key`: of the place where something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub key: String,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The drive's entry moved: what stands here at `key` follows.
    MoveLocal {
        to: String,
    },
    /// What stood here at `key` is at `to` now: the drive's entry follows.
    MoveRemote {
        to: String,
    },
    /// Both hold the same.
    Remember,
    /// Neither holds anything.
    Forget,
    MakeLocal,
    MakeRemote,
    /// Contents of both sides differ, and neither is what was synced: the drive's take the name.
    Resolve,
    /// What stands here goes out of the way, under a name of its own.
    SetAside,
    Download,
    /// `over`: the revision that it replaces.
    Upload {
        over: Option<String>,
    },
    RemoveLocal,
    RemoveRemote,
}

/// In this order: what a later stage needs, an earlier one has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Aside,
    Memory,
    Folders,
    Moves,
    Transfers,
    Removals,
}

impl Operation {
    pub fn stage(&self) -> Stage {
        match self.action {
            Action::SetAside => Stage::Aside,
            Action::Remember | Action::Forget => Stage::Memory,
            Action::MakeLocal | Action::MakeRemote => Stage::Folders,
            Action::MoveLocal { .. } | Action::MoveRemote { .. } => Stage::Moves,
            Action::Download | Action::Upload { .. } | Action::Resolve => Stage::Transfers,
            Action::RemoveLocal | Action::RemoveRemote => Stage::Removals,
        }
    }
}

/// What can be done next. Empty: both sides are the same, as far as they can be.
pub fn plan(trees: &Trees) -> Vec<Operation> {
    let moves = moves::plan(trees);
    if !moves.is_empty() {
        // Everything else looks different once they are done.
        return moves;
    }
    let mut operations: Vec<Operation> = Vec::new();
    // Folders of the drive that go whole, with all below.
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let keys: BTreeSet<&String> = trees.local.keys().chain(trees.remote.keys()).chain(trees.synced.keys()).collect();
    for key in keys {
        // Below what cannot be synced (a link to another folder, say) nothing is touched.
        if ancestors(key).any(|folder| gone.contains(folder) || trees.unsyncable.contains_key(folder)) {
            continue;
        }
        let Some(action) = decide(trees, key) else { continue };
        if action == Action::RemoveRemote {
            gone.insert(key.clone());
        }
        operations.push(Operation { key: key.clone(), action });
    }
    operations
}

/// In the order in which they can be done; those of one group side by side.
pub fn groups(operations: Vec<Operation>) -> Vec<Vec<Operation>> {
    let mut groups: BTreeMap<(Stage, usize), Vec<Operation>> = BTreeMap::new();
    for (at, operation) in operations.into_iter().enumerate() {
        let depth = operation.key.split('/').count();
        let rank = match operation.stage() {
            Stage::Folders => depth,
            // Deepest first.
            Stage::Removals => usize::MAX - depth,
            Stage::Moves => at,
            Stage::Aside | Stage::Memory | Stage::Transfers => 0,
        };
        groups.entry((operation.stage(), rank)).or_default().push(operation);
    }
    groups.into_values().collect()
}

/// Nothing below was changed here since it was synced, and nothing is there that cannot be synced.
fn is_untouched_here(trees: &Trees, folder: &str) -> bool {
    let as_synced = |(key, _): (&String, _)| !decide::is_changed_here(trees, key);
    below(&trees.local, folder).all(as_synced) && !trees.has_strangers(folder)
}

/// All below is on the drive as it was synced, and nothing of it is here.
fn is_gone_here(trees: &Trees, folder: &str) -> bool {
    below(&trees.local, folder).next().is_none()
        && !trees.has_strangers(folder)
        && below(&trees.remote, folder).all(|(key, _)| !decide::is_changed_there(trees, key))
}
