//! Decide: what shall be done at one place, nothing having moved.

use super::{Action, is_gone_here, is_untouched_here};
use crate::cli::drive::sync::tree::{Local, LocalItem, Remote, RemoteItem, Synced, SyncedItem, Trees};

pub(super) fn decide(trees: &Trees, key: &str) -> Option<Action> {
    if trees.unsyncable.contains_key(key) {
        return None;
    }
    let (local, remote, synced) = (trees.local.get(key), trees.remote.get(key), trees.synced.get(key));
    let (Some(local), Some(remote)) = (local, remote) else {
        return match (local, remote) {
            (None, None) => synced.map(|_| Action::Forget),
            (Some(local), None) => only_here(trees, key, local),
            (None, Some(remote)) => only_there(trees, key, remote),
            (Some(_), Some(_)) => None,
        };
    };
    let (here, there) = (is_changed_here(trees, key), is_changed_there(trees, key));
    if (!here && !there) || is_same(local, remote) {
        let now = Synced::of(local, remote)?;
        return synced.is_none_or(|then| now.tells_more_than(then)).then_some(Action::Remember);
    }
    match (local.is_folder(), remote.is_folder()) {
        (false, false) => Some(match (here, there) {
            (false, true) => Action::Download,
            (true, false) => Action::Upload { over: remote.file().map(|file| file.rev.clone()) },
            _ => Action::Resolve,
        }),
        // A file became a folder there, or a folder a file here: the file goes, the other side comes next.
        (false, true) if !here => Some(Action::RemoveLocal),
        (true, false) if !there => Some(Action::RemoveRemote),
        (true, false) if is_untouched_here(trees, key) && synced.is_some_and(Synced::is_folder) => {
            Some(Action::RemoveLocal)
        }
        (false, true) if !there && is_gone_here(trees, key) => Some(Action::RemoveRemote),
        _ => Some(Action::SetAside),
    }
}

fn only_here(trees: &Trees, key: &str, local: &Local) -> Option<Action> {
    let was_synced = !is_changed_here(trees, key);
    match &local.item {
        LocalItem::File(_) if was_synced => Some(Action::RemoveLocal),
        LocalItem::File(_) => Some(Action::Upload { over: None }),
        LocalItem::Folder if was_synced && is_untouched_here(trees, key) => Some(Action::RemoveLocal),
        // Left as it is for the sake of what the drive cannot hold.
        LocalItem::Folder if was_synced && is_only_unsyncable(trees, key) => None,
        LocalItem::Folder => Some(Action::MakeRemote),
    }
}

fn is_only_unsyncable(trees: &Trees, folder: &str) -> bool {
    super::below(&trees.local, folder).all(|(key, _)| !is_changed_here(trees, key))
}

fn only_there(trees: &Trees, key: &str, remote: &Remote) -> Option<Action> {
    let was_synced = !is_changed_there(trees, key);
    match &remote.item {
        RemoteItem::File(_) if was_synced => Some(Action::RemoveRemote),
        RemoteItem::File(_) => Some(Action::Download),
        RemoteItem::Folder if was_synced && is_gone_here(trees, key) => Some(Action::RemoveRemote),
        RemoteItem::Folder => Some(Action::MakeLocal),
    }
}

fn is_same(local: &Local, remote: &Remote) -> bool {
    match (&local.item, &remote.item) {
        (LocalItem::Folder, RemoteItem::Folder) => true,
        (LocalItem::File(local), RemoteItem::File(remote)) => remote.hash.as_ref() == Some(&local.hash),
        _ => false,
    }
}

/// What stands here is something else than what was synced.
pub(super) fn is_changed_here(trees: &Trees, key: &str) -> bool {
    let synced = trees.synced.get(key).map(|synced| &synced.item);
    match (trees.local.get(key).map(|local| &local.item), synced) {
        (None, None) | (Some(LocalItem::Folder), Some(SyncedItem::Folder)) => false,
        (Some(LocalItem::File(now)), Some(SyncedItem::File { local: then, .. })) => now.hash != then.hash,
        _ => true,
    }
}

/// What stands on the drive is something else than what was synced. A revision of the same contents is no change.
pub(super) fn is_changed_there(trees: &Trees, key: &str) -> bool {
    let synced = trees.synced.get(key).map(|synced| &synced.item);
    match (trees.remote.get(key).map(|remote| &remote.item), synced) {
        (None, None) | (Some(RemoteItem::Folder), Some(SyncedItem::Folder)) => false,
        (Some(RemoteItem::File(now)), Some(SyncedItem::File { rev, local })) => {
            now.rev != *rev && now.hash.as_ref() != Some(&local.hash)
        }
        _ => true,
    }
}
