//! Rate meter: how much passed lately, a second.
//! Owns: forgetting what is older than its window. The caller brings the time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Long enough that a chunk now and then gives a steady figure.
const WINDOW_SECONDS: usize = 10;

pub struct RateMeter {
    started: Instant,
    seconds: Mutex<[Second; WINDOW_SECONDS]>,
}

#[derive(Clone, Copy, Default)]
struct Second {
    number: u64,
    count: u64,
}

impl RateMeter {
    pub fn new(now: Instant) -> Self {
        Self { started: now, seconds: Mutex::default() }
    }

    pub fn add(&self, count: u64, now: Instant) {
        let number = self.number(now);
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let second = &mut seconds[number as usize % WINDOW_SECONDS];
        if second.number != number {
            *second = Second { number, count: 0 };
        }
        second.count += count;
    }

    pub fn per_second(&self, now: Instant) -> u64 {
        let number = self.number(now);
        let seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = seconds.iter().filter(|second| second.number + WINDOW_SECONDS as u64 > number);
        let elapsed = now.duration_since(self.started).max(Duration::from_secs(1)).as_secs();
        recent.map(|second| second.count).sum::<u64>() / elapsed.min(WINDOW_SECONDS as u64)
    }

    /// From 1 on: 0 is a second that never was.
    fn number(&self, now: Instant) -> u64 {
        now.duration_since(self.started).as_secs() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_ago_does_not_count() {
        let start = Instant::now();
        let meter = RateMeter::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(meter.per_second(at(0)), 0);
        for second in 0..20 {
            meter.add(100, at(second));
        }
        assert_eq!(meter.per_second(at(19)), 100);
        assert_eq!(meter.per_second(at(24)), 50);
        assert_eq!(meter.per_second(at(40)), 0);
    }
}
