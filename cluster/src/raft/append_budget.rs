//! Append budget: how many bytes of entries may be on their way to one peer, all groups together, so that catching up
//! neither fills the memory nor stands before a heartbeat for long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::id::NodeId;

/// 8 MiB: more than a fast network holds on its way (10 Gbit/s for 1 ms is 1.2 MiB), and 70 ms of a slow one of 1 Gbit/s.
const APPEND_BYTES_MAX: usize = 8 * 1024 * 1024;
const UNIT_BYTES: usize = 1024;

#[derive(Default)]
pub struct AppendBudgets {
    by_peer: Mutex<HashMap<NodeId, Arc<Semaphore>>>,
}

impl AppendBudgets {
    /// Waits until `bytes` may be sent; nothing waits for no bytes. One message above the whole budget waits for an empty one.
    pub async fn take(&self, peer: NodeId, bytes: usize) -> Option<OwnedSemaphorePermit> {
        if bytes == 0 {
            return None;
        }
        let units = bytes.div_ceil(UNIT_BYTES).min(APPEND_BYTES_MAX / UNIT_BYTES);
        let budget = {
            let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
            let full = || Arc::new(Semaphore::new(APPEND_BYTES_MAX / UNIT_BYTES));
            by_peer.entry(peer).or_insert_with(full).clone()
        };
        // The semaphore is never closed.
        budget.acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX)).await.ok()
    }
}
