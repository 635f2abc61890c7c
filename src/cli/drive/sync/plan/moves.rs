//! Moves: what is the same thing at another place, on either side.
//! Owns: that a move is planned only where nothing stands in its way; the others are a deletion and something new.

use std::collections::{BTreeSet, HashMap};

use super::{Action, Operation};
use crate::cli::drive::sync::tree::{Identity, Local, Remote, Trees, ancestors, is_below, key, name_of, parent_of};

/// Those of the drive first: while there are any, those of this machine wait.
pub(super) fn plan(trees: &Trees) -> Vec<Operation> {
    let here = Follower { folder: local_folder, is_taken: is_taken_here, make: Action::MakeLocal };
    let operations = here.follow(trees, moved_there(trees), |to| Action::MoveLocal { to });
    if !operations.is_empty() {
        return operations;
    }
    let there = Follower { folder: remote_folder, is_taken: is_taken_there, make: Action::MakeRemote };
    there.follow(trees, moved_here(trees), |to| Action::MoveRemote { to })
}

struct Moved {
    from: String,
    /// As it is spelled where it moved.
    to: String,
}

/// The side on which nothing moved yet.
struct Follower {
    /// How the folder with this key is spelled.
    folder: fn(&Trees, &str) -> Option<String>,
    is_taken: fn(&Trees, &str) -> bool,
    make: Action,
}

impl Follower {
    fn follow(&self, trees: &Trees, moved: Vec<Moved>, action: fn(String) -> Action) -> Vec<Operation> {
        let targets: BTreeSet<String> = moved.iter().map(|moved| key(&moved.to)).collect();
        let mut sources: BTreeSet<String> = BTreeSet::new();
        let (mut folders, mut moves) = (BTreeSet::new(), Vec::new());
        for Moved { from, to } in moved {
            // What is below comes along.
            if ancestors(&from).any(|folder| sources.contains(folder)) {
                continue;
            }
            let spelled = match parent_of(&to) {
                None => Some(to.clone()),
                Some(parent) => (self.folder)(trees, &key(parent)).map(|parent| format!("{parent}/{}", name_of(&to))),
            };
            if let Some(to) = spelled {
                moves.push(Operation { key: from.clone(), action: action(to) });
                sources.insert(from);
                continue;
            }
            // The topmost folder that is missing, unless that is on its way itself.
            let missing = ancestors(&to).map(key).take_while(|key| (self.folder)(trees, key).is_none());
            let top = missing.last().filter(|top| !targets.contains(top) && !(self.is_taken)(trees, top));
            folders.extend(top);
        }
        let folders = folders.into_iter().map(|key| Operation { key, action: self.make.clone() });
        folders.chain(moves).collect()
    }
}

fn local_folder(trees: &Trees, key: &str) -> Option<String> {
    trees.local.get(key).filter(|local| local.is_folder()).map(|local| local.path.clone())
}

fn remote_folder(trees: &Trees, key: &str) -> Option<String> {
    trees.remote.get(key).filter(|remote| remote.is_folder()).map(|remote| remote.path.clone())
}

fn is_taken_here(trees: &Trees, key: &str) -> bool {
    trees.local.contains_key(key) || trees.unsyncable.contains_key(key)
}

fn is_taken_there(trees: &Trees, key: &str) -> bool {
    trees.remote.contains_key(key)
}

fn moved_there(trees: &Trees) -> Vec<Moved> {
    let by_id: HashMap<&str, (&String, &Remote)> =
        trees.remote.iter().map(|(key, remote)| (remote.id.as_str(), (key, remote))).collect();
    let mut moved = Vec::new();
    for (from, synced) in &trees.synced {
        let Some(&(to, remote)) = by_id.get(synced.id.as_str()) else { continue };
        let Some(local) = trees.local.get(from) else { continue };
        if remote.is_folder() != synced.is_folder() || local.is_folder() != synced.is_folder() {
            continue;
        }
        let is_renamed = name_of(&remote.path) != name_of(&synced.remote_path);
        let is_respelled =
            to == from && is_renamed && name_of(&local.path) != name_of(&remote.path) && !trees.twins.contains(from);
        let is_elsewhere = to != from && !is_taken_here(trees, to) && !is_below(to, from);
        if is_respelled || is_elsewhere {
            moved.push(Moved { from: from.clone(), to: remote.path.clone() });
        }
    }
    moved
}

fn moved_here(trees: &Trees) -> Vec<Moved> {
    let by_identity: HashMap<Identity, (&String, &Local)> =
        trees.local.iter().filter_map(|(key, local)| Some((local.identity?, (key, local)))).collect();
    let mut moved = Vec::new();
    for (from, synced) in &trees.synced {
        let found = synced.identity.and_then(|identity| by_identity.get(&identity));
        let Some(&(to, local)) = found else { continue };
        let Some(remote) = trees.remote.get(from).filter(|remote| remote.id == synced.id) else { continue };
        if remote.is_folder() != synced.is_folder() || local.is_folder() != synced.is_folder() {
            continue;
        }
        let is_renamed = name_of(&local.path) != name_of(&synced.local_path);
        let is_respelled = to == from && is_renamed && name_of(&remote.path) != name_of(&local.path);
        // What was put in the place of something else is new contents of that.
        let is_new_place = !trees.synced.contains_key(to) && !is_taken_there(trees, to) && !is_below(to, from);
        if is_respelled || (to != from && is_new_place && !is_taken_here(trees, from)) {
            moved.push(Moved { from: from.clone(), to: local.path.clone() });
        }
    }
    moved
}
