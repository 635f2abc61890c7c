//! The plan, carried out by machines that are edited, interrupted and killed meanwhile: they converge, and nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Action, Operation, groups, plan};
use crate::cli::drive::sync::tree::{
    Identity, Local, LocalFile, LocalItem, Remote, RemoteFile, RemoteItem, Stamp, Synced, Trees, ancestors, below,
    is_below, key, name_of, parent_of,
};

const ROUNDS_MAX: usize = 100;

/// Contents are numbers; each is written once.
type Contents = u32;

/// The drive, with as much of its rules as the sync relies on.
#[derive(Default)]
struct Drive {
    entries: BTreeMap<String, Remote>,
    last: u32,
    /// All that ever was a revision: it can be brought back.
    kept: BTreeSet<String>,
}

impl Drive {
    fn next(&mut self) -> String {
        self.last += 1;
        self.last.to_string()
    }

    fn make_parents(&mut self, path: &str) -> Option<()> {
        let parents: Vec<&str> = ancestors(path).collect();
        parents.into_iter().rev().try_for_each(|parent| self.make_folder(parent))
    }

    fn make_folder(&mut self, path: &str) -> Option<()> {
        match self.entries.get(&key(path)) {
            Some(entry) => entry.is_folder().then_some(()),
            None => {
                self.make_parents(path)?;
                let id = self.next();
                self.entries.insert(key(path), Remote { path: path.to_owned(), id, item: RemoteItem::Folder });
                Some(())
            }
        }
    }

    /// `over`: as of `update`; else as of `add`.
    fn put(&mut self, path: &str, hash: &str, over: Option<&str>) -> Option<Remote> {
        let standing = self.entries.get(&key(path)).cloned();
        let head = standing.as_ref().and_then(Remote::file);
        let is_same = head.is_some_and(|file| file.hash.as_deref() == Some(hash));
        let is_expected = match over {
            Some(rev) => head.is_some_and(|file| file.rev == rev),
            None => standing.is_none(),
        };
        if is_same {
            return standing;
        }
        if !is_expected {
            return None;
        }
        self.make_parents(path)?;
        let (rev, id) = (self.next(), standing.map_or_else(|| self.next(), |standing| standing.id));
        self.kept.insert(hash.to_owned());
        let file = RemoteFile { rev, bytes: 1, hash: Some(hash.to_owned()), client_modified_ms: None };
        let entry = Remote { path: path.to_owned(), id, item: RemoteItem::File(file) };
        self.entries.insert(key(path), entry.clone());
        Some(entry)
    }

    fn relocate(&mut self, id: &str, to: &str) -> Option<()> {
        let from = self.entries.iter().find(|(_, entry)| entry.id == id).map(|(key, _)| key.clone())?;
        let target = key(to);
        if is_below(&target, &from) || (target != from && self.entries.contains_key(&target)) {
            return None;
        }
        self.make_parents(to)?;
        let root = self.entries[&from].path.clone();
        let moving: Vec<String> =
            std::iter::once(from.clone()).chain(below(&self.entries, &from).map(|(key, _)| key.clone())).collect();
        for old in moving {
            let mut entry = self.entries.remove(&old)?;
            entry.path = format!("{to}{}", &entry.path[root.len()..]);
            self.entries.insert(key(&entry.path), entry);
        }
        Some(())
    }

    fn remove(&mut self, key: &str) {
        self.entries.remove(key);
        self.entries.retain(|other, _| !is_below(other, key));
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    inode: u64,
    /// `None`: a folder.
    contents: Option<Contents>,
}

/// A computer with a synced folder.
#[derive(Default)]
struct Machine {
    /// By path: this disk knows no folding.
    disk: BTreeMap<String, Node>,
    trees: Trees,
    pending: Vec<Operation>,
}

impl Machine {
    fn look(&mut self, drive: &Drive) {
        self.trees.remote = drive.entries.clone();
        self.trees.local.clear();
        self.trees.unsyncable.clear();
        self.trees.twins.clear();
        let mut paths: Vec<&String> = self.disk.keys().collect();
        paths.sort_by_key(|path| path.split('/').count());
        for path in paths {
            let key = key(path);
            let stands = |path: &str| {
                self.trees.local.get(&crate::cli::drive::sync::tree::key(path)).is_some_and(|local| local.path == path)
            };
            if !parent_of(path).is_none_or(stands) {
                continue;
            }
            if self.trees.local.contains_key(&key) {
                self.trees.twins.insert(key.clone());
                if self.trees.synced.get(&key).is_none_or(|synced| synced.local_path != *path) {
                    continue;
                }
            }
            self.trees.local.insert(key, local(path, &self.disk[path]));
        }
    }

    fn stands(&self, path: &str) -> Option<Local> {
        self.disk.get(path).map(|node| local(path, node))
    }

    fn can_make(&self, path: &str) -> bool {
        !self.disk.contains_key(path)
            && ancestors(path).all(|parent| self.disk.get(parent).is_some_and(|node| node.contents.is_none()))
    }

    /// Where an entry of the drive stands here.
    fn local_path(&self, remote: &Remote) -> String {
        let parent = parent_of(&remote.path).and_then(|parent| self.trees.local.get(&key(parent)));
        parent.map_or(remote.path.clone(), |parent| format!("{}/{}", parent.path, name_of(&remote.path)))
    }

    fn rename(&mut self, from: &str, to: &str) {
        let moving: Vec<String> =
            self.disk.keys().filter(|path| *path == from || is_below(path, from)).cloned().collect();
        for old in moving {
            let node = self.disk.remove(&old).unwrap();
            self.disk.insert(format!("{to}{}", &old[from.len()..]), node);
        }
    }

    fn is_empty_folder(&self, path: &str) -> bool {
        !self.disk.keys().any(|other| is_below(other, path))
    }

    /// What is planned is done as the real one does it: nothing that is not as it was seen is touched.
    fn step(&mut self, drive: &mut Drive, operation: &Operation, fresh: &mut u64, remembers: bool) {
        let place = &operation.key;
        let (seen_here, seen_there) = (self.trees.local.get(place).cloned(), self.trees.remote.get(place).cloned());
        let as_seen = seen_here.as_ref().is_none_or(|seen| self.stands(&seen.path).as_ref() == Some(seen));
        let mut remember: Option<(Local, Remote)> = None;
        let mut forget = false;
        match (&operation.action, seen_here, seen_there) {
            (Action::MoveLocal { to }, Some(seen), _) => {
                let is_free = self.can_make(to) && !is_below(to, &seen.path);
                if as_seen && is_free {
                    self.rename(&seen.path, to);
                    let remote = drive_path(&self.trees, place);
                    if remembers {
                        rekey(&mut self.trees, place, to, &remote.unwrap_or_else(|| to.clone()));
                    }
                }
            }
            (Action::MoveRemote { to }, _, Some(seen)) => {
                if drive.relocate(&seen.id, to).is_some() && remembers {
                    let here = self.trees.local.values().find(|local| key(&local.path) == key(to));
                    let here = here.map_or_else(|| to.clone(), |local| local.path.clone());
                    rekey(&mut self.trees, place, &here, to);
                }
            }
            // Forgotten before it goes: else it would look like a move.
            (Action::SetAside | Action::Resolve, Some(seen), _) => {
                self.forget(place);
                *fresh += 1;
                let to = format!("{} ({fresh})", seen.path);
                if as_seen && remembers {
                    self.rename(&seen.path, &to);
                }
            }
            (Action::Remember, Some(here), Some(there)) => remember = Some((here, there)),
            (Action::Forget, _, _) => forget = true,
            (Action::MakeLocal, _, Some(there)) => {
                let path = self.local_path(&there);
                if self.can_make(&path) {
                    *fresh += 1;
                    self.disk.insert(path.clone(), Node { inode: *fresh, contents: None });
                    remember = self.stands(&path).map(|here| (here, there));
                }
            }
            (Action::MakeRemote, Some(here), _) => {
                if drive.make_folder(&here.path).is_some() {
                    remember = drive.entries.get(place).map(|there| (here, there.clone()));
                }
            }
            (Action::Download, here, Some(there)) => {
                let path = here.as_ref().map_or_else(|| self.local_path(&there), |here| here.path.clone());
                if as_seen && (here.is_some() || self.can_make(&path)) {
                    if let Some(old) = here.as_ref().and_then(Local::file) {
                        assert!(drive.kept.contains(&old.hash), "{operation:?} would lose {old:?}");
                    }
                    *fresh += 1;
                    let contents = there.file().and_then(|file| file.hash.as_ref()?.parse().ok());
                    self.disk.insert(path.clone(), Node { inode: *fresh, contents });
                    remember = self.stands(&path).map(|here| (here, there));
                }
            }
            (Action::Upload { over }, Some(here), _) => {
                let stored =
                    as_seen.then(|| drive.put(&here.path, &here.file().unwrap().hash, over.as_deref())).flatten();
                remember = stored.map(|there| (here, there));
            }
            (Action::RemoveLocal, Some(here), _) => {
                let may = match here.file() {
                    Some(file) => {
                        assert!(drive.kept.contains(&file.hash), "{operation:?} would lose {file:?}");
                        as_seen
                    }
                    None => as_seen && self.is_empty_folder(&here.path),
                };
                if may {
                    self.disk.remove(&here.path);
                    forget = true;
                }
            }
            (Action::RemoveRemote, _, Some(there)) => {
                let now: Vec<_> =
                    drive.entries.iter().filter(|(key, _)| *key == place || is_below(key, place)).collect();
                let then: Vec<_> =
                    self.trees.remote.iter().filter(|(key, _)| *key == place || is_below(key, place)).collect();
                if now == then && !there.id.is_empty() {
                    drive.remove(place);
                    forget = true;
                }
            }
            (action, here, there) => panic!("{action:?} of {here:?} and {there:?}"),
        }
        if !remembers {
            return;
        }
        if let Some(synced) = remember.and_then(|(here, there)| Synced::of(&here, &there)) {
            self.trees.synced.insert(place.clone(), synced);
        }
        if forget {
            self.forget(place);
        }
    }

    fn forget(&mut self, place: &str) {
        self.trees.synced.retain(|other, _| other != place && !is_below(other, place));
    }
}

fn drive_path(trees: &Trees, from: &str) -> Option<String> {
    let id = &trees.synced.get(from)?.id;
    trees.remote.values().find(|remote| remote.id == *id).map(|remote| remote.path.clone())
}

fn rekey(trees: &mut Trees, from: &str, local: &str, remote: &str) {
    super::super::memory::relocate(&mut trees.synced, from, local, remote);
}

fn local(path: &str, node: &Node) -> Local {
    let item = match node.contents {
        None => LocalItem::Folder,
        Some(contents) => LocalItem::File(LocalFile {
            stamp: Stamp { inode: node.inode, ..Stamp::default() },
            hash: contents.to_string(),
            hashed_ns: 0,
        }),
    };
    Local { path: path.to_owned(), identity: Some(Identity { inode: node.inode, born_ns: 1 }), item }
}

#[derive(Clone, Debug)]
enum Event {
    Write { machine: usize, path: String, anew: bool },
    MakeFolder { machine: usize, path: String },
    Remove { machine: usize, at: usize },
    Move { machine: usize, at: usize, to: String },
    Plan { machine: usize },
    Step { machine: usize, remembers: bool },
    Settle { machine: usize },
}

fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![4 => Just("a"), 4 => Just("b"), 2 => Just("c"), 1 => Just("A")];
    prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

fn event() -> impl Strategy<Value = Event> {
    let machine = 0..2usize;
    prop_oneof![
        6 => (machine.clone(), path(), any::<bool>()).prop_map(|(machine, path, anew)| Event::Write { machine, path, anew }),
        2 => (machine.clone(), path()).prop_map(|(machine, path)| Event::MakeFolder { machine, path }),
        3 => (machine.clone(), 0..8usize).prop_map(|(machine, at)| Event::Remove { machine, at }),
        4 => (machine.clone(), 0..8usize, path()).prop_map(|(machine, at, to)| Event::Move { machine, at, to }),
        4 => machine.clone().prop_map(|machine| Event::Plan { machine }),
        8 => (machine.clone(), prop::bool::weighted(0.8)).prop_map(|(machine, remembers)| Event::Step { machine, remembers }),
        2 => machine.prop_map(|machine| Event::Settle { machine }),
    ]
}

#[derive(Default)]
struct World {
    drive: Drive,
    machines: [Machine; 2],
    fresh: u64,
    written: BTreeSet<Contents>,
    /// Deleted or written over by somebody who had them before their eyes.
    given_up: BTreeSet<Contents>,
}

impl World {
    fn happen(&mut self, event: Event) {
        match event {
            Event::Write { machine, path, anew } => {
                self.fresh += 1;
                let fresh = self.fresh;
                let disk = &mut self.machines[machine].disk;
                if !ancestors(&path).all(|parent| disk.get(parent).is_none_or(|node| node.contents.is_none())) {
                    return;
                }
                let parents: Vec<String> = ancestors(&path).map(str::to_owned).collect();
                for (at, parent) in parents.into_iter().enumerate() {
                    let node = Node { inode: fresh * 100 + at as u64, contents: None };
                    disk.entry(parent).or_insert(node);
                }
                let standing = disk.get(&path).cloned();
                if standing.as_ref().is_some_and(|node| node.contents.is_none()) {
                    return;
                }
                self.given_up.extend(standing.as_ref().and_then(|node| node.contents));
                // As editors do: written in place, or put in the place of the old one.
                let inode = standing.filter(|_| !anew).map_or(fresh * 100 + 99, |node| node.inode);
                self.written.insert(fresh as Contents);
                disk.insert(path, Node { inode, contents: Some(fresh as Contents) });
            }
            Event::MakeFolder { machine, path } => {
                self.fresh += 1;
                if self.machines[machine].can_make(&path) {
                    self.machines[machine].disk.insert(path, Node { inode: self.fresh * 100, contents: None });
                }
            }
            Event::Remove { machine, at } => {
                let disk = &mut self.machines[machine].disk;
                let Some(path) = disk.keys().nth(at).cloned() else { return };
                let gone = disk.iter().filter(|(other, _)| **other == path || is_below(other, &path));
                self.given_up.extend(gone.filter_map(|(_, node)| node.contents));
                disk.retain(|other, _| *other != path && !is_below(other, &path));
            }
            Event::Move { machine, at, to } => {
                let machine = &mut self.machines[machine];
                let Some(from) = machine.disk.keys().nth(at).cloned() else { return };
                if machine.can_make(&to) && !is_below(&to, &from) {
                    machine.rename(&from, &to);
                }
            }
            Event::Plan { machine } => {
                let machine = &mut self.machines[machine];
                machine.look(&self.drive);
                machine.pending = groups(plan(&machine.trees)).into_iter().flatten().collect();
                machine.pending.reverse();
            }
            Event::Step { machine, remembers } => self.step(machine, remembers),
            Event::Settle { machine } => {
                for _ in 0..ROUNDS_MAX {
                    if !self.round(machine) {
                        return;
                    }
                }
                panic!("machine {machine} does not settle: {:?}", plan(&self.machines[machine].trees));
            }
        }
    }

    fn step(&mut self, machine: usize, remembers: bool) {
        let machine = &mut self.machines[machine];
        let Some(operation) = machine.pending.pop() else { return };
        machine.step(&mut self.drive, &operation, &mut self.fresh, remembers);
        if !remembers {
            machine.pending.clear();
        }
    }

    /// Whether there was anything to do.
    fn round(&mut self, machine: usize) -> bool {
        self.happen(Event::Plan { machine });
        let any = !self.machines[machine].pending.is_empty();
        while !self.machines[machine].pending.is_empty() {
            self.step(machine, true);
        }
        any
    }

    fn converge(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let (first, second) = (self.round(0), self.round(1));
            if !first && !second {
                return;
            }
        }
        let plans: Vec<_> = self.machines.iter().map(|machine| plan(&machine.trees)).collect();
        panic!("they do not converge: {plans:?}");
    }

    fn check(&self) {
        let on_the_drive: BTreeMap<String, Option<Contents>> = self
            .drive
            .entries
            .iter()
            .map(|(key, entry)| (key.clone(), entry.file().and_then(|file| file.hash.as_ref()?.parse().ok())))
            .collect();
        let mut kept: BTreeSet<Contents> = on_the_drive.values().flatten().copied().collect();
        for machine in &self.machines {
            let here: BTreeMap<String, Option<Contents>> = machine
                .trees
                .local
                .iter()
                .map(|(key, local)| (key.clone(), local.file().and_then(|file| file.hash.parse().ok())))
                .collect();
            assert_eq!(here, on_the_drive);
            // Twins of a name stay where they are.
            kept.extend(machine.disk.values().filter_map(|node| node.contents));
        }
        let lost: Vec<_> = self
            .written
            .iter()
            .filter(|contents| !self.given_up.contains(contents) && !kept.contains(contents))
            .collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn machines_converge_and_nothing_is_lost(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::default();
        for event in events {
            world.happen(event);
        }
        world.converge();
        world.check();
    }
}
