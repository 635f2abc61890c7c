//! Roster: the nodes of this process, in the order in which they came, and the directories that are none.
//! Owns: which of them takes a request: any could, so one whose drive works and has room.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::node::local_node::LocalNode;

/// Cheap to clone; all clones are the same roster.
#[derive(Clone, Default)]
pub struct Roster {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Default)]
struct Inner {
    nodes: Vec<Arc<LocalNode>>,
    /// Why a directory is not at work.
    idle: BTreeMap<PathBuf, String>,
}

impl Roster {
    pub fn add(&self, node: Arc<LocalNode>) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.idle.remove(&node.data_dir);
        inner.nodes.push(node);
    }

    pub fn say_idle(&self, data_dir: &Path, why: String) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).idle.insert(data_dir.to_path_buf(), why);
    }

    /// Those that were given up, too.
    pub fn all(&self) -> Vec<Arc<LocalNode>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).nodes.clone()
    }

    pub fn in_use(&self) -> Vec<Arc<LocalNode>> {
        let mut nodes = self.all();
        nodes.retain(|node| node.is_in_use());
        nodes
    }

    /// `None` before the first one has started.
    pub fn serving(&self) -> Option<Arc<LocalNode>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let works = |node: &&Arc<LocalNode>| node.is_in_use() && node.failure().is_none();
        let mut working = inner.nodes.iter().filter(works);
        let best = working.clone().find(|node| node.takes_objects()).or_else(|| working.next());
        best.or_else(|| inner.nodes.iter().find(|node| node.is_in_use())).or(inner.nodes.first()).cloned()
    }

    /// Drives that are not at work, and why, one sentence each.
    pub fn failures(&self) -> Vec<String> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let failed = inner.nodes.iter().filter_map(|node| {
            let why = node.failure()?;
            Some(format!("the drive {} (node {}) failed: {why}", node.data_dir.display(), node.number().0))
        });
        let idle = inner.idle.iter().map(|(path, why)| format!("the drive {} is not in use: {why}", path.display()));
        failed.chain(idle).collect()
    }
}
