//! Seldom: a message that anybody may cause at any rate is logged at most once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Seldom {
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    logged: Option<Instant>,
    skipped: u64,
}

impl Seldom {
    /// Calls `log` with the number of times that it was not called since the last time, if it is time again.
    pub fn log(&self, log: impl FnOnce(u64)) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.logged.is_some_and(|logged| logged.elapsed() < INTERVAL) {
            last.skipped += 1;
            return;
        }
        last.logged = Some(Instant::now());
        log(std::mem::take(&mut last.skipped));
    }
}
