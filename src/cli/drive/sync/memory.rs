//! Memory: the synced tree as it changes, step by step.

use super::tree::{Synced, Tree, below, key};

/// What stood at the key `from`, with all below, stands here at `local` and on the drive at `remote`. Returns old and new keys.
pub fn relocate(synced: &mut Tree<Synced>, from: &str, local: &str, remote: &str) -> Vec<(String, String)> {
    let Some(root) = synced.get(from).cloned() else { return Vec::new() };
    let moving: Vec<String> =
        std::iter::once(from.to_owned()).chain(below(synced, from).map(|(key, _)| key.clone())).collect();
    let mut relocated = Vec::new();
    for old in moving {
        let Some(mut entry) = synced.remove(&old) else { continue };
        let local_rest = entry.local_path.get(root.local_path.len()..).unwrap_or_default();
        let remote_rest = entry.remote_path.get(root.remote_path.len()..).unwrap_or_default();
        (entry.local_path, entry.remote_path) = (format!("{local}{local_rest}"), format!("{remote}{remote_rest}"));
        let new = key(&entry.remote_path);
        relocated.push((old, new.clone()));
        synced.insert(new, entry);
    }
    relocated
}
