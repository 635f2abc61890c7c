//! Health: is a peer there, and how far away is it?
//! Owns: the guess, from what was heard. Does not own: asking a silent peer (`mesh`).
//!
//! A peer counts as up until it is silent although asked, or cannot be reached; and again as soon as it is heard.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::id::NodeId;

pub struct Health {
    node: NodeId,
    start: Instant,
    /// Microseconds after `start`; 0 for never.
    heard_us: AtomicU64,
    /// When it was asked first since it was heard last; 0 if it was not.
    asked_us: AtomicU64,
    measured_us: AtomicU64,
    /// Smoothed; 0 before the first.
    round_trip_us: AtomicU64,
    down: AtomicBool,
}

impl Health {
    pub fn new(node: NodeId) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            node,
            start: Instant::now(),
            heard_us: zero(),
            asked_us: zero(),
            measured_us: zero(),
            round_trip_us: zero(),
            down: AtomicBool::new(false),
        }
    }

    pub fn is_up(&self) -> bool {
        !self.down.load(Ordering::Relaxed)
    }

    pub fn heard(&self) {
        self.heard_us.store(self.now_us(), Ordering::Relaxed);
        self.asked_us.store(0, Ordering::Relaxed);
        if self.down.swap(false, Ordering::Relaxed) {
            tracing::info!(node = self.node.0, "a node is back");
        }
    }

    pub fn went_down(&self, why: &str) {
        if !self.down.swap(true, Ordering::Relaxed) {
            tracing::warn!(node = self.node.0, why, "a node is down");
        }
    }

    /// Something was sent to it that it answers at once.
    pub fn asked(&self) {
        // Only the first time counts.
        let _ = self.asked_us.compare_exchange(0, self.now_us().max(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Since it was heard last, or since this node began to look.
    pub fn since_heard(&self) -> Duration {
        self.since(&self.heard_us)
    }

    /// For how long it owes an answer.
    pub fn silence(&self) -> Duration {
        match self.asked_us.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            asked => Duration::from_micros(self.now_us().saturating_sub(asked)),
        }
    }

    pub fn since_measured(&self) -> Duration {
        self.since(&self.measured_us)
    }

    pub fn measured(&self, round_trip: Duration) {
        self.measured_us.store(self.now_us(), Ordering::Relaxed);
        let sample = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = self.round_trip_us.load(Ordering::Relaxed);
        // As TCP does it (RFC 6298): an eighth of the news.
        let smoothed = if before == 0 { sample } else { before - before / 8 + sample / 8 };
        self.round_trip_us.store(smoothed.max(1), Ordering::Relaxed);
    }

    pub fn round_trip(&self) -> Option<Duration> {
        let round_trip = self.round_trip_us.load(Ordering::Relaxed);
        (round_trip > 0).then(|| Duration::from_micros(round_trip))
    }

    fn since(&self, moment_us: &AtomicU64) -> Duration {
        Duration::from_micros(self.now_us().saturating_sub(moment_us.load(Ordering::Relaxed)))
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_peer_that_was_asked_is_silent() {
        let health = Health::new(NodeId(2));
        let step = Duration::from_secs(3);
        tokio::time::advance(step).await;
        assert_eq!((health.since_heard(), health.silence()), (step, Duration::ZERO));
        health.asked();
        tokio::time::advance(step).await;
        health.asked();
        assert_eq!(health.silence(), step);
        health.went_down("silent");
        assert!(!health.is_up());
        health.heard();
        assert!(health.is_up());
        assert_eq!((health.since_heard(), health.silence()), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn the_round_trip_follows_slowly() {
        let health = Health::new(NodeId(2));
        assert_eq!(health.round_trip(), None);
        health.measured(Duration::from_micros(800));
        assert_eq!(health.round_trip(), Some(Duration::from_micros(800)));
        health.measured(Duration::from_micros(8000));
        assert_eq!(health.round_trip(), Some(Duration::from_micros(1700)));
    }
}
