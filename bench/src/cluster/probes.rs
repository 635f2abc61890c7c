//! Probes: one client for each owner that writes a small object again and again, through any node, and notes when it was acknowledged.
//! Owns: what a client sees of the cluster's troubles: times without a write, latencies, writes that are not there afterwards.

use std::ops::{Range, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::Method;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::nodes::Nodes;
use crate::endpoint::Endpoint;
use crate::figures::Figure;
use crate::s3::{Client, Request};

const PAUSE: Duration = Duration::from_millis(10);
/// Then the next node is asked.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const BODY_BYTES: usize = 1000;
/// Each is written over and over.
const KEYS: usize = 100;

pub struct Users {
    keys: Vec<(String, String)>,
}

impl Users {
    /// Each with a bucket of its own.
    pub async fn create(nodes: &Nodes, count: usize) -> anyhow::Result<Self> {
        let mut keys = Vec::new();
        for number in 0..count {
            let name = bucket(number);
            nodes.admin(&["user", "create", &name]).await?;
            let key = nodes.admin(&["key", "create", &name]).await?;
            let text = |field: &str| key[field].as_str().map(str::to_owned).context("a key");
            let (access_key, secret_key) = (text("access_key")?, text("secret_key")?);
            let endpoint = nodes.endpoints(&access_key, &secret_key)?.swap_remove(0);
            put(&mut Client::connect(&endpoint, false).await?, &format!("/{name}"), Bytes::new()).await?;
            keys.push((access_key, secret_key));
        }
        Ok(Self { keys })
    }

    /// The bucket of each, with the node that it uses.
    pub fn spread_over(&self, nodes: &Nodes) -> anyhow::Result<Vec<(String, Endpoint)>> {
        let users = self.keys.iter().enumerate();
        users
            .map(|(number, (access_key, secret_key))| {
                let endpoint = nodes.endpoints(access_key, secret_key)?.swap_remove(number % nodes.count());
                Ok((bucket(number), endpoint))
            })
            .collect()
    }

    /// Stores objects of each.
    pub async fn fill(&self, nodes: &Nodes, name: &str, objects: u64, bytes: u64) -> anyhow::Result<()> {
        let body = Bytes::from((0..bytes).map(|at| (at % 251) as u8).collect::<Vec<_>>());
        for (bucket, endpoint) in self.spread_over(nodes)? {
            let mut client = Client::connect(&endpoint, false).await?;
            for object in 0..objects {
                put(&mut client, &format!("/{bucket}/{name}-{object}"), body.clone()).await?;
            }
        }
        Ok(())
    }
}

fn bucket(number: usize) -> String {
    format!("probe-{number}")
}

async fn put(client: &mut Client, path: &str, body: Bytes) -> anyhow::Result<()> {
    client.document(Request { method: Method::PUT, path, query: "", body }).await.map(|_| ())
}

pub struct Probes {
    stop: Arc<AtomicBool>,
    probes: Vec<JoinHandle<anyhow::Result<Written>>>,
}

/// By one owner.
struct Written {
    writes: Vec<Write>,
    /// Keys that do not hold the last write that was acknowledged, or a later one.
    missing: usize,
}

/// One that was acknowledged, perhaps at the second or third try.
#[derive(Clone, Copy)]
struct Write {
    begun: Instant,
    ended: Instant,
    tries: u32,
}

impl Probes {
    /// Through these nodes.
    pub fn start(nodes: &Nodes, users: &Users, doors: Range<usize>) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut probes = Vec::new();
        for (number, (access_key, secret_key)) in users.keys.iter().enumerate() {
            let endpoints = nodes.endpoints(access_key, secret_key)?[doors.clone()].to_vec();
            let probe = Probe { bucket: bucket(number), endpoints, door: number, client: None };
            probes.push(tokio::spawn(probe.run(Arc::clone(&stop))));
        }
        Ok(Self { stop, probes })
    }

    pub async fn stop(self) -> anyhow::Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let mut seen = Vec::new();
        for probe in self.probes {
            seen.push(probe.await??);
        }
        Ok(Seen { owners: seen })
    }
}

struct Probe {
    bucket: String,
    endpoints: Vec<Endpoint>,
    door: usize,
    client: Option<Client>,
}

impl Probe {
    async fn run(mut self, stop: Arc<AtomicBool>) -> anyhow::Result<Written> {
        let mut writes = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let (number, begun, mut tries) = (writes.len(), Instant::now(), 1);
            while self.write(number).await.is_none() {
                if stop.load(Ordering::Relaxed) {
                    // A write that nobody acknowledged.
                    return self.check(writes).await;
                }
                tries += 1;
                sleep(PAUSE).await;
            }
            writes.push(Write { begun, ended: Instant::now(), tries });
            sleep(PAUSE).await;
        }
        self.check(writes).await
    }

    async fn write(&mut self, number: usize) -> Option<()> {
        let mut body = format!("{number:020}").into_bytes();
        body.resize(BODY_BYTES, b'.');
        self.ask(Method::PUT, number % KEYS, body.into()).await.map(|_| ())
    }

    async fn check(mut self, writes: Vec<Write>) -> anyhow::Result<Written> {
        let mut missing = 0;
        for number in writes.len().saturating_sub(KEYS)..writes.len() {
            let read = self.ask(Method::GET, number % KEYS, Bytes::new()).await;
            let read = read.with_context(|| format!("{} is not read", self.bucket))?;
            let found: Option<usize> = std::str::from_utf8(&read).ok().and_then(|text| text.get(..20)?.parse().ok());
            missing += usize::from(found.is_none_or(|found| found < number));
        }
        Ok(Written { writes, missing })
    }

    /// `None`: no success, and the next node will be asked.
    async fn ask(&mut self, method: Method, key: usize, body: Bytes) -> Option<Bytes> {
        let path = format!("/{}/{key}", self.bucket);
        let asked = timeout(ANSWER_MAX, async {
            let mut client = match self.client.take() {
                Some(client) => client,
                None => Client::connect(&self.endpoints[self.door % self.endpoints.len()], false).await?,
            };
            let (_, document) = client.document(Request { method, path: &path, query: "", body }).await?;
            anyhow::Ok((client, document))
        });
        match asked.await {
            Ok(Ok((client, document))) => {
                self.client = Some(client);
                Some(document)
            }
            _ => {
                self.door += 1;
                None
            }
        }
    }
}

pub struct Seen {
    owners: Vec<Written>,
}

impl Seen {
    /// Of writes that began then.
    pub fn latency_ms(&self, quantile: f64, when: impl RangeBounds<Instant>) -> f64 {
        let writes = self.owners.iter().flat_map(|owner| &owner.writes).filter(|write| when.contains(&write.begun));
        let mut times: Vec<Duration> = writes.map(|write| write.ended - write.begun).collect();
        times.sort_unstable();
        times.get((times.len() as f64 * quantile) as usize).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }

    pub fn since(&self, begun: Instant, what: &str) -> Vec<Figure> {
        let writes = self.owners.iter().flat_map(|owner| &owner.writes).filter(|write| write.ended >= begun);
        let (count, again) =
            writes.fold((0, 0), |(count, again), write| (count + 1, again + u32::from(write.tries > 1)));
        let missing: usize = self.owners.iter().map(|owner| owner.missing).sum();
        vec![
            Figure::new(format!("{what}: longest time without a write of an owner"), self.longest_gap_ms(begun), "ms"),
            Figure::new("  writes meanwhile", f64::from(count), ""),
            Figure::new("  of which were tried again", f64::from(again), ""),
            Figure::new("  keys without the last acknowledged write", missing as f64, ""),
        ]
    }

    /// Between two acknowledgements of one owner.
    fn longest_gap_ms(&self, since: Instant) -> f64 {
        let gaps = self.owners.iter().flat_map(|owner| owner.writes.windows(2)).filter(|pair| pair[1].ended >= since);
        let longest = gaps.map(|pair| pair[1].ended - pair[0].ended).max().unwrap_or_default();
        longest.as_secs_f64() * 1000.0
    }
}
