//! Clock of a simulated node: the simulation's time, wrong by as much as the simulation says.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use onggi_storage_engine::env::Clock;

/// When every simulation begins, in unix milliseconds.
const BEGIN_MS: u64 = 1_790_000_000_000;

pub struct SimulatedClock {
    begun: tokio::time::Instant,
    wrong_by_ms: AtomicI64,
}

impl SimulatedClock {
    pub fn new(begun: tokio::time::Instant) -> Self {
        Self { begun, wrong_by_ms: AtomicI64::new(0) }
    }

    /// The wall clock jumps; time goes on as before.
    pub fn jump(&self, wrong_by_ms: i64) {
        self.wrong_by_ms.store(wrong_by_ms, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn unix_ms(&self) -> u64 {
        let passed: Duration = self.begun.elapsed();
        (BEGIN_MS + passed.as_millis() as u64).saturating_add_signed(self.wrong_by_ms.load(Ordering::Relaxed))
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
