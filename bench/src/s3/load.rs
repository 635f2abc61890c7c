//! Load: workers that do operations, as fast as they are answered or as they fall due.
//! Owns: pace, workers, latencies.
//! Does not own: what an operation is (workload).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Method;
use rand::{SeedableRng, rngs::SmallRng};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::endpoint::Endpoint;
use crate::s3::LoadOptions;
use crate::s3::client::{Client, Request};
use crate::s3::workload::{Kind, Workload};

const LATENCY_MICROSECONDS_MAX: u64 = 600_000_000;
/// Distinct messages that are kept; the rest are counted.
const FAILURE_MESSAGES_MAX: usize = 5;
/// A run in which this many operations fail in one worker is broken, not slow.
const FAILURES_PER_WORKER_MAX: u64 = 1000;

/// When operations are sent and when the run ends.
pub struct Pace {
    period: Duration,
    count: u64,
    /// Seconds between operations of an open loop.
    interval: Option<f64>,
    started: AtomicU64,
}

impl Pace {
    pub fn new(options: &LoadOptions) -> anyhow::Result<Arc<Self>> {
        ensure!(options.rate.is_none_or(|rate| rate > 0.0), "--rate is above 0");
        Ok(Arc::new(Self {
            period: Duration::try_from_secs_f64(options.duration)?,
            count: options.count.unwrap_or(u64::MAX),
            interval: options.rate.map(|rate| 1.0 / rate),
            started: AtomicU64::new(0),
        }))
    }

    /// Waits for the next operation's turn; `None` when the run is over. The answer is when the operation was due: an open loop
    /// counts the time that it waited behind slower ones.
    async fn turn(&self, start: Instant) -> Option<Instant> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let due = match self.interval {
            Some(seconds) => start + Duration::from_secs_f64(number as f64 * seconds),
            None => Instant::now(),
        };
        if number >= self.count || due >= start + self.period {
            return None;
        }
        tokio::time::sleep_until(due).await;
        Some(due)
    }
}

/// What the workers saw.
pub struct Recorded {
    pub seconds: f64,
    pub kinds: BTreeMap<Kind, KindRecord>,
    pub failures: u64,
    pub failure_messages: Vec<String>,
}

pub struct KindRecord {
    pub latencies_us: Histogram<u64>,
    pub bytes: u64,
}

impl Recorded {
    fn new() -> Self {
        Self { seconds: 0.0, kinds: BTreeMap::new(), failures: 0, failure_messages: Vec::new() }
    }

    fn record(&mut self, kind: Kind, latency: Duration, bytes: u64) -> anyhow::Result<()> {
        let record = match self.kinds.entry(kind) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let latencies_us = Histogram::new_with_bounds(1, LATENCY_MICROSECONDS_MAX, 3)?;
                entry.insert(KindRecord { latencies_us, bytes: 0 })
            }
        };
        record.latencies_us.saturating_record((latency.as_micros() as u64).max(1));
        record.bytes += bytes;
        Ok(())
    }

    fn fail(&mut self, message: String) {
        self.failures += 1;
        if self.failure_messages.len() < FAILURE_MESSAGES_MAX && !self.failure_messages.contains(&message) {
            self.failure_messages.push(message);
        }
    }

    fn merge(&mut self, other: Self) -> anyhow::Result<()> {
        for (kind, record) in other.kinds {
            match self.kinds.get_mut(&kind) {
                Some(own) => {
                    own.latencies_us.add(record.latencies_us)?;
                    own.bytes += record.bytes;
                }
                None => drop(self.kinds.insert(kind, record)),
            }
        }
        let failures = self.failures + other.failures;
        other.failure_messages.into_iter().for_each(|message| self.fail(message));
        self.failures = failures;
        Ok(())
    }
}

/// Runs the workload with `concurrency` workers; connections are open before the clock starts.
pub async fn run(
    endpoint: &Endpoint,
    workload: &Arc<Workload>,
    concurrency: usize,
    pace: &Arc<Pace>,
) -> anyhow::Result<Recorded> {
    let mut clients = Vec::new();
    for _ in 0..concurrency {
        clients.push(Client::connect(endpoint, workload.sign_payload).await?);
    }
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        workers.spawn(work(client, number as u64, Arc::clone(workload), Arc::clone(pace), start));
    }
    let mut recorded = Recorded::new();
    while let Some(worker) = workers.join_next().await {
        recorded.merge(worker??)?;
    }
    recorded.seconds = start.elapsed().as_secs_f64();
    Ok(recorded)
}

async fn work(
    mut client: Client,
    number: u64,
    workload: Arc<Workload>,
    pace: Arc<Pace>,
    start: Instant,
) -> anyhow::Result<Recorded> {
    let mut recorded = Recorded::new();
    let mut random = SmallRng::seed_from_u64(number);
    while let Some(due) = pace.turn(start).await {
        match workload.once(&mut client, &mut random).await {
            Ok(Some(done)) => recorded.record(done.kind, due.elapsed(), done.bytes)?,
            Ok(None) => break,
            Err(error) => {
                client.abandon();
                recorded.fail(format!("{error:#}"));
                if recorded.failures >= FAILURES_PER_WORKER_MAX {
                    bail!("too many operations fail: {:?}", recorded.failure_messages);
                }
            }
        }
    }
    Ok(recorded)
}

/// Makes the bucket if it is missing, and the objects that the workload reads or deletes.
pub async fn prepare(endpoint: &Endpoint, workload: &Arc<Workload>, concurrency: usize) -> anyhow::Result<()> {
    let mut client = Client::connect(endpoint, workload.sign_payload).await?;
    let path = format!("/{}", workload.bucket);
    let head = Request { method: Method::HEAD, path: &path, query: "", body: Bytes::new() };
    if !client.send(head).await?.status().is_success() {
        client.document(Request { method: Method::PUT, path: &path, query: "", body: Bytes::new() }).await?;
    }
    for_each_object(endpoint, workload, concurrency, 0..workload.objects, Step::Put).await
}

/// Deletes what the run prepared and stored.
pub async fn clean_up(endpoint: &Endpoint, workload: &Arc<Workload>, concurrency: usize) -> anyhow::Result<()> {
    for_each_object(endpoint, workload, concurrency, 0..workload.objects + workload.stored(), Step::Delete).await
}

#[derive(Clone, Copy)]
enum Step {
    Put,
    Delete,
}

async fn for_each_object(
    endpoint: &Endpoint,
    workload: &Arc<Workload>,
    concurrency: usize,
    numbers: std::ops::Range<u64>,
    step: Step,
) -> anyhow::Result<()> {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        let mut client = Client::connect(endpoint, workload.sign_payload).await?;
        let (workload, next, end) = (Arc::clone(workload), Arc::clone(&next), numbers.end);
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return anyhow::Ok(());
                }
                match step {
                    Step::Put => workload.put(&mut client, number).await?,
                    Step::Delete => workload.delete(&mut client, number).await?,
                }
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.context("a worker panicked")??;
    }
    Ok(())
}
