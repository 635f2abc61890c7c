//! Overload: how many requests a listener works on at once. The rest is told to slow down instead of queueing.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone)]
pub struct Overload {
    permits: Arc<Semaphore>,
}

impl Overload {
    pub fn new(requests_max: NonZeroUsize) -> Self {
        Self { permits: Arc::new(Semaphore::new(requests_max.get())) }
    }

    /// Held while a request is worked on. `None`: answer 503, nothing was done.
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_the_bound_is_refused_until_one_ends() {
        let overload = Overload::new(NonZeroUsize::new(2).unwrap());
        let first = overload.admit().unwrap();
        let _second = overload.admit().unwrap();
        assert!(overload.admit().is_none());
        drop(first);
        assert!(overload.admit().is_some());
    }
}
