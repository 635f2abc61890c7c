//! Rate limit: how long background work waits after each piece, so that on average it takes no more than its share.

use std::time::Duration;

use tokio::time::Instant;

pub struct RateLimit {
    bytes_per_second: u64,
    free_at: Instant,
}

impl RateLimit {
    pub fn new(bytes_per_second: u64, now: Instant) -> Self {
        assert!(bytes_per_second > 0, "a rate of nothing would wait for ever");
        Self { bytes_per_second, free_at: now }
    }

    /// Charges work that was done and returns when the next piece may begin. Idle time is not saved up.
    pub fn charge(&mut self, bytes: u64, now: Instant) -> Instant {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now) + cost;
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_spread_over_time_and_idleness_is_not_saved() {
        let start = Instant::now();
        let mut limit = RateLimit::new(1000, start);
        assert_eq!(limit.charge(500, start) - start, Duration::from_millis(500));
        assert_eq!(limit.charge(500, start) - start, Duration::from_secs(1));
        let later = start + Duration::from_secs(60);
        assert_eq!(limit.charge(1000, later) - start, Duration::from_secs(61));
    }
}
