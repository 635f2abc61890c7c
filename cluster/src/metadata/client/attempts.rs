//! Attempts: how often, and how long, a call to a group is made again.
//! Invariant: ends within `TIME_MAX`, and within `MINORITY_TIME_MAX` while no majority of the group can be reached.

use std::time::Duration;

use tokio::time::Instant;

/// Several elections (at most 1.5 s each, with its messages): a client that waits for one answer less than this sees a fail-over as a
/// slow request.
const TIME_MAX: Duration = Duration::from_secs(8);
/// A node that is cut off says so soon, so that a load balancer or a client turns to another one.
const MINORITY_TIME_MAX: Duration = Duration::from_millis(700);
/// 10, 20, 40, 80, then 160 ms apart: soon at first, because a leader that moved is found at once.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(160);

pub(super) struct Attempts {
    begun: Instant,
    pause: Duration,
    minority_since: Option<Instant>,
    number: u32,
}

impl Attempts {
    pub fn new() -> Self {
        Self { begun: Instant::now(), pause: PAUSE_MIN, minority_since: None, number: 0 }
    }

    /// Of the attempt under way, from 0 on.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Waits for the next attempt; `false` if there shall be none.
    pub async fn next(&mut self, reaches_majority: bool) -> bool {
        let now = Instant::now();
        if reaches_majority {
            self.minority_since = None;
        } else if now - *self.minority_since.get_or_insert(now) >= MINORITY_TIME_MAX {
            return false;
        }
        if now - self.begun >= TIME_MAX {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        self.number += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn time_until_given_up(reaches_majority: bool) -> Duration {
        let (mut attempts, begun) = (Attempts::new(), Instant::now());
        while attempts.next(reaches_majority).await {}
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_minority_gives_up_early() {
        assert!((TIME_MAX..TIME_MAX + PAUSE_MAX).contains(&time_until_given_up(true).await));
        let minority = MINORITY_TIME_MAX..MINORITY_TIME_MAX + PAUSE_MAX;
        assert!(minority.contains(&time_until_given_up(false).await));
    }

    #[tokio::test(start_paused = true)]
    async fn a_majority_that_comes_back_resets_the_clock() {
        let mut attempts = Attempts::new();
        for number in 0..20 {
            assert_eq!(attempts.number(), number);
            assert!(attempts.next(number % 3 == 0).await);
        }
    }
}
