//! Patience: how long a follower waits for a word of its leader before it stands for election.
//! Owns: when it was heard last, and the dice that keep two followers from standing at the same moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

pub struct Patience {
    min: Duration,
    max: Duration,
    start: Instant,
    /// Microseconds after `start`, when a leader was heard last.
    heard_us: AtomicU64,
    /// The same, since when this node waits: it was heard, or this node stood.
    waiting_us: AtomicU64,
    patience_us: AtomicU64,
}

impl Patience {
    /// Full at the start: there may be a leader.
    pub fn new(min: Duration, max: Duration) -> Self {
        let [heard_us, waiting_us, patience_us] = [(); 3].map(|()| AtomicU64::new(0));
        let patience = Self { min, max, start: Instant::now(), heard_us, waiting_us, patience_us };
        patience.draw(min, max);
        patience
    }

    /// The leader spoke, or this node has just voted for somebody.
    pub fn heard(&self) {
        let now = self.now_us();
        self.heard_us.store(now, Ordering::Relaxed);
        self.waiting_us.store(now, Ordering::Relaxed);
        if self.patience_us.load(Ordering::Relaxed) < micros(self.min) {
            self.draw(self.min, self.max);
        }
    }

    /// A leader was heard so lately that nobody else should stand. Having stood does not count: two nodes whose leader is gone
    /// would refuse each other for ever.
    pub fn is_content(&self) -> bool {
        self.since(&self.heard_us) < micros(self.min)
    }

    pub fn is_over(&self) -> bool {
        self.since(&self.waiting_us) >= self.patience_us.load(Ordering::Relaxed)
    }

    /// This node stood for election. If nothing comes of it, it does so again sooner: everybody knows by now that there is no leader.
    pub fn stood(&self) {
        self.waiting_us.store(self.now_us(), Ordering::Relaxed);
        self.draw(self.min / 2, self.max / 2);
    }

    fn draw(&self, from: Duration, to: Duration) {
        self.patience_us.store(rand::random_range(micros(from)..=micros(to)), Ordering::Relaxed);
    }

    fn since(&self, moment_us: &AtomicU64) -> u64 {
        self.now_us().saturating_sub(moment_us.load(Ordering::Relaxed))
    }

    fn now_us(&self) -> u64 {
        micros(self.start.elapsed())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_between_its_bounds_and_sooner_after_an_attempt() {
        let (min, max) = (Duration::from_millis(750), Duration::from_millis(1500));
        for _ in 0..50 {
            let patience = Patience::new(min, max);
            tokio::time::advance(min - Duration::from_millis(1)).await;
            assert!(patience.is_content() && !patience.is_over());
            tokio::time::advance(max - min + Duration::from_millis(1)).await;
            assert!(patience.is_over() && !patience.is_content());
            patience.stood();
            assert!(!patience.is_over() && !patience.is_content(), "it waits, but has heard nobody");
            tokio::time::advance(max / 2).await;
            assert!(patience.is_over());
            patience.heard();
            tokio::time::advance(min - Duration::from_millis(1)).await;
            assert!(!patience.is_over(), "full again");
        }
    }
}
