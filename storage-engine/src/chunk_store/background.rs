//! Background: the work of the chunk store that nobody waits for: garbage collection, scrub, checkpoints of the index.
//! Owns: when a step runs and how fast. What a step does is in its own module.
//! Each kind survives its own errors: a scrub that fails must not stop the collector.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::blocking::on_blocking_thread;
use super::garbage_collector::{GarbageCollector, GarbageStep};
use super::rate_limit::RateLimit;
use super::scrubber::{ScrubStep, Scrubber};
use super::store::Store;
use crate::error::Result;

/// How often the checkpoint looks at how much was appended.
const CHECKPOINT_TICK: Duration = Duration::from_secs(5);
/// A little that was appended is flushed after this time, too.
const CHECKPOINT_AGE_MAX: Duration = Duration::from_secs(300);
/// From a failed step to the next try.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// Between being woken by a freed blob and looking: deletes come in crowds.
const GARBAGE_PAUSE: Duration = Duration::from_secs(1);
/// How often the scrubber asks whether a scrub is due.
const SCRUB_TICK: Duration = Duration::from_secs(60);

pub struct Background {
    pub(super) store: Arc<Store>,
    pub(super) wake: Arc<Wake>,
}

/// What the handles may ask of the background work.
#[derive(Default)]
pub struct Wake {
    pub garbage: Notify,
    pub scrub: Notify,
}

impl Background {
    /// Runs until stopped. A step in progress is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let loops = async { tokio::join!(self.collect_garbage(&stop), self.scrub(&stop), self.checkpoint(&stop)) };
        loops.await;
    }

    async fn collect_garbage(&self, stop: &CancellationToken) {
        let options = &self.store.options;
        let mut limit = RateLimit::new(options.garbage_bytes_per_second, Instant::now());
        let mut collector = GarbageCollector::new(self.store.clone());
        while !stop.is_cancelled() {
            let (returned, step) = step_of(collector, GarbageCollector::step).await;
            collector = returned;
            let pause = async {
                match step {
                    Ok(GarbageStep::Moved { bytes }) => sleep_until(limit.charge(bytes, Instant::now())).await,
                    Ok(GarbageStep::Removed { extents }) => tracing::info!(extents, "removed dead extents"),
                    Ok(GarbageStep::Idle) => {
                        let _ = timeout(options.garbage_interval, self.wake.garbage.notified()).await;
                        sleep(GARBAGE_PAUSE).await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "garbage collection failed");
                        sleep(RETRY_AFTER).await;
                    }
                }
            };
            stop.run_until_cancelled(pause).await;
        }
    }

    async fn scrub(&self, stop: &CancellationToken) {
        let mut limit = RateLimit::new(self.store.options.scrub_bytes_per_second, Instant::now());
        let store = self.store.clone();
        let opened = on_blocking_thread(move || Scrubber::open(store)).await;
        let mut scrubber = match opened {
            Ok(scrubber) => scrubber,
            Err(error) => return tracing::error!(%error, "no scrubs: the position of the last one cannot be read"),
        };
        while !stop.is_cancelled() {
            if !scrubber.position().running {
                let asked = timeout(SCRUB_TICK, self.wake.scrub.notified());
                let asked = matches!(stop.run_until_cancelled(asked).await, Some(Ok(())));
                if !asked && !self.scrub_is_due(&scrubber) {
                    continue;
                }
                let (returned, begun) = step_of(scrubber, Scrubber::begin).await;
                scrubber = returned;
                if let Err(error) = begun {
                    tracing::warn!(%error, "scrub did not begin");
                    continue;
                }
            }
            let (returned, step) = step_of(scrubber, Scrubber::step).await;
            scrubber = returned;
            let next = match step {
                Ok(ScrubStep::Read { bytes }) => limit.charge(bytes, Instant::now()),
                Ok(ScrubStep::Finished) => {
                    tracing::info!(status = ?self.store.status().scrub, "scrub finished");
                    Instant::now()
                }
                Err(error) => {
                    tracing::warn!(%error, "scrub failed");
                    Instant::now() + RETRY_AFTER
                }
            };
            stop.run_until_cancelled(sleep_until(next)).await;
        }
    }

    fn scrub_is_due(&self, scrubber: &Scrubber) -> bool {
        let interval_ms = u64::try_from(self.store.options.scrub_interval.as_millis()).unwrap_or(u64::MAX);
        let now_ms = self.store.environment.clock.unix_ms();
        now_ms.saturating_sub(scrubber.position().finished_ms) >= interval_ms
    }

    /// Flushes the index now and then, so that a restart scans little.
    async fn checkpoint(&self, stop: &CancellationToken) {
        let mut flushed_bytes = 0;
        let mut flushed_at = Instant::now();
        while stop.run_until_cancelled(sleep(CHECKPOINT_TICK)).await.is_some() {
            let appended_bytes = self.store.counters.appended_bytes.get();
            let unflushed_bytes = appended_bytes - flushed_bytes;
            let aged = unflushed_bytes > 0 && flushed_at.elapsed() >= CHECKPOINT_AGE_MAX;
            if unflushed_bytes < self.store.options.checkpoint_bytes && !aged {
                continue;
            }
            let store = self.store.clone();
            match on_blocking_thread(move || store.index.flush()).await {
                Ok(()) => (flushed_bytes, flushed_at) = (appended_bytes, Instant::now()),
                Err(error) => tracing::warn!(%error, "chunk index was not flushed"),
            }
        }
    }
}

/// Runs one step on a blocking thread and gives the worker back.
async fn step_of<W: Send + 'static, T: Send + 'static>(
    mut worker: W,
    step: impl FnOnce(&mut W) -> Result<T> + Send + 'static,
) -> (W, Result<T>) {
    on_blocking_thread(move || {
        let result = step(&mut worker);
        (worker, result)
    })
    .await
}
