//! Completion: tells a caller how its change ended, exactly once, also if the writer goes away first.

use std::sync::{Arc, Mutex};

use super::{lock, request};
use crate::error::Result;

type Done = Box<dyn FnOnce(Result<()>) + Send>;

#[derive(Clone)]
pub(super) struct Completion {
    done: Arc<Mutex<OnDrop>>,
}

struct OnDrop(Option<Done>);

impl Completion {
    pub fn new(done: impl FnOnce(Result<()>) + Send + 'static) -> Self {
        Self { done: Arc::new(Mutex::new(OnDrop(Some(Box::new(done))))) }
    }

    pub fn ignored() -> Self {
        Self { done: Arc::new(Mutex::new(OnDrop(None))) }
    }

    pub fn complete(&self, result: Result<()>) {
        let done = lock(&self.done).0.take();
        if let Some(done) = done {
            done(result);
        }
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Err(request::writer_stopped()));
        }
    }
}
