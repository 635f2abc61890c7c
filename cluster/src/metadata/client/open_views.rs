//! Open views: states of groups of this node that other nodes are reading from.
//! Invariant: at most `VIEWS_MAX`, each forgotten when nobody has read from it for `IDLE_MAX`: an open view keeps what was deleted
//! since on the drive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::metadata::view::StoreView;

const VIEWS_MAX: usize = 1024;
const IDLE_MAX: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct OpenViews {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    views: HashMap<u64, OpenView>,
    last: u64,
}

struct OpenView {
    view: Arc<StoreView>,
    used: Instant,
}

impl OpenViews {
    pub fn open(&self, view: StoreView) -> Result<u64> {
        let mut inner = self.lock();
        let now = Instant::now();
        if inner.views.len() >= VIEWS_MAX {
            inner.views.retain(|_, open| now - open.used < IDLE_MAX);
        }
        if inner.views.len() >= VIEWS_MAX {
            return Err(Error::new(ErrorKind::Overloaded, "too many views are open on this node"));
        }
        inner.last += 1;
        let id = inner.last;
        inner.views.insert(id, OpenView { view: Arc::new(view), used: now });
        Ok(id)
    }

    pub fn get(&self, id: u64) -> Result<Arc<StoreView>> {
        let mut inner = self.lock();
        let Some(open) = inner.views.get_mut(&id) else {
            return Err(Error::new(ErrorKind::Unavailable, "the view was closed; it had not been read for a while"));
        };
        open.used = Instant::now();
        Ok(open.view.clone())
    }

    pub fn close(&self, id: u64) {
        self.lock().views.remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
