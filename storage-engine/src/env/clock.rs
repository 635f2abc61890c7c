//! Clock: wall time for records and grace periods, monotonic time for waits.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub trait Clock: Send + Sync {
    /// Wall clock, in unix milliseconds.
    fn unix_ms(&self) -> u64;
    fn now(&self) -> Instant;
}

pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        // A clock before 1970 counts as 1970: every time in the store is a u64.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}
