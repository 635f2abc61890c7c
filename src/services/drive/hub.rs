//! Hub: wakes who waits for changes of a tree.
//! Owns: waking on this node's own changes at once. Those of other nodes are found by looking (`feed`), so that a wake that is missed
//! costs a second and never a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onggi_cluster::id::OwnerKey;
use tokio::sync::Notify;

/// Cheap to clone; all clones are the same hub.
#[derive(Clone, Default)]
pub(super) struct Hub {
    waiting: Arc<Mutex<HashMap<OwnerKey, Arc<Notify>>>>,
}

impl Hub {
    pub fn changed(&self, owner: OwnerKey) {
        if let Some(notify) = self.lock().get(&owner) {
            notify.notify_waiters();
        }
    }

    /// Its `notified` must be asked for before the tree is looked at.
    pub fn of(&self, owner: OwnerKey) -> Arc<Notify> {
        let mut waiting = self.lock();
        // As many as there are trees that somebody waits for, and no more.
        waiting.retain(|_, notify| Arc::strong_count(notify) > 1);
        waiting.entry(owner).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OwnerKey, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_waits_for_this_tree_is_woken_and_remembered() {
        let hub = Hub::default();
        let two = hub.of(OwnerKey(2));
        {
            let one = hub.of(OwnerKey(1));
            let mut woken = std::pin::pin!(one.notified());
            let mut asleep = std::pin::pin!(two.notified());
            woken.as_mut().enable();
            asleep.as_mut().enable();
            hub.changed(OwnerKey(1));
            woken.await;
            assert!(!asleep.as_mut().enable());
        }
        let _three = hub.of(OwnerKey(3));
        assert_eq!(hub.lock().len(), 2);
    }
}
