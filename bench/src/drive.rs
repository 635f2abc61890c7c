//! Drive load: small files, polls and the end of a large upload, over HTTPS as programs do it.
//! Owns: the options of a run, and what one operation is.
//! Does not own: connections and the sign-in (client).

mod client;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::endpoint::Endpoint;
use crate::process::ProcessCounters;
use crate::table::Table;
use client::Client;

const LATENCY_MICROSECONDS_MAX: u64 = 600_000_000;
/// Of one request of the resumable protocol.
const PIECE_BYTES: u64 = 16 << 20;

#[derive(clap::Args)]
pub struct DriveOptions {
    /// https://HOST:PORT of the web listener
    #[arg(long)]
    endpoint: String,
    /// The certificate authority of the endpoint.
    #[arg(long)]
    ca: PathBuf,
    #[arg(long)]
    user: String,
    #[arg(long, env = "BENCH_DRIVE_PASSWORD", hide_env_values = true)]
    password: String,
    /// The server's process, for its CPU seconds.
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long, value_enum)]
    operation: Operation,
    /// Bytes of a file.
    #[arg(long, default_value = "4096", value_parser = crate::s3::parse_bytes)]
    size: u64,
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// Seconds to measure.
    #[arg(long, default_value_t = 10.0)]
    duration: f64,
    /// Files of one batch.
    #[arg(long, default_value_t = 100)]
    batch: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Operation {
    /// One request a file.
    Put,
    /// A session a file, and one request that makes files of a batch of them.
    Batch,
    /// Has anything changed? Nothing has.
    Poll,
    /// The last request of an upload, which makes the file; the pieces before it are not measured.
    Finish,
}

#[derive(Serialize)]
pub struct Report {
    operation: Operation,
    size: u64,
    concurrency: usize,
    seconds: f64,
    /// Files, polls or ends.
    done: u64,
    per_second: f64,
    /// Of requests; of a whole batch where files go in batches.
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    cpu_ms_each: Option<f64>,
}

struct Run {
    options: Arc<DriveOptions>,
    number: Arc<AtomicU64>,
    until: Instant,
}

/// What one worker did.
struct Done {
    files: u64,
    latencies_us: Histogram<u64>,
}

pub async fn run(options: DriveOptions) -> anyhow::Result<Report> {
    let endpoint = Endpoint::parse(&keyless(&options.endpoint)?, Some(&options.ca))?;
    let token = Client::sign_in(&endpoint, &options.user, &options.password).await?;
    let options = Arc::new(options);
    // Each run in a folder of its own.
    let folder = format!("/bench-{}", time::OffsetDateTime::now_utc().unix_timestamp());
    let mut first = Client::connect(&endpoint, &token).await?;
    first.call("/files/create_folder", &json!({ "path": folder })).await?;
    let cpu_before = options.pid.map(ProcessCounters::read).transpose()?;
    let begun = Instant::now();
    let until = begun + Duration::try_from_secs_f64(options.duration)?;
    let number = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..options.concurrency {
        let run = Run { options: Arc::clone(&options), number: Arc::clone(&number), until };
        let mut client = Client::connect(&endpoint, &token).await?;
        let folder = folder.clone();
        workers.spawn(async move { run.work(&mut client, &folder).await });
    }
    let (mut files, mut latencies_us) = (0, Histogram::new_with_bounds(1, LATENCY_MICROSECONDS_MAX, 3)?);
    while let Some(done) = workers.join_next().await {
        let done = done??;
        files += done.files;
        latencies_us.add(done.latencies_us)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let spent = match (options.pid, cpu_before) {
        (Some(pid), Some(before)) => Some(ProcessCounters::read(pid)?.since(before)),
        _ => None,
    };
    let ms = |us: u64| us as f64 / 1000.0;
    Ok(Report {
        operation: options.operation,
        size: options.size,
        concurrency: options.concurrency,
        seconds,
        done: files,
        per_second: files as f64 / seconds,
        p50_ms: ms(latencies_us.value_at_quantile(0.5)),
        p99_ms: ms(latencies_us.value_at_quantile(0.99)),
        max_ms: ms(latencies_us.max()),
        cpu_ms_each: spent.map(|spent| spent.cpu_seconds * 1000.0 / files.max(1) as f64),
    })
}

/// Endpoints of S3 carry keys; a drive is signed in to.
fn keyless(url: &str) -> anyhow::Result<String> {
    let rest = url.strip_prefix("https://").context("a drive is at https://HOST:PORT")?;
    Ok(format!("https://none:none@{rest}"))
}

impl Run {
    async fn work(&self, client: &mut Client, folder: &str) -> anyhow::Result<Done> {
        let mut done = Done { files: 0, latencies_us: Histogram::new_with_bounds(1, LATENCY_MICROSECONDS_MAX, 3)? };
        let asked = json!({ "path": folder, "recursive": true });
        let cursor = client.call("/files/list/latest_cursor", &asked).await?["cursor"].clone();
        while Instant::now() < self.until {
            let (files, took) = match self.options.operation {
                Operation::Put => self.put(client, folder).await?,
                Operation::Batch => self.batch(client, folder).await?,
                Operation::Poll => poll(client, &cursor).await?,
                Operation::Finish => self.finish(client, folder).await?,
            };
            done.files += files;
            done.latencies_us.saturating_record((took.as_micros() as u64).max(1));
        }
        Ok(done)
    }

    fn path(&self, folder: &str) -> String {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        format!("{folder}/{:03}/{number}", number % 100)
    }

    /// No two alike: equal contents at one place would be no new revision.
    fn contents(&self, path: &str, bytes: u64) -> anyhow::Result<Bytes> {
        let mut contents = vec![b'.'; usize::try_from(bytes)?];
        let shared = path.len().min(contents.len());
        contents[..shared].copy_from_slice(&path.as_bytes()[..shared]);
        Ok(contents.into())
    }

    async fn put(&self, client: &mut Client, folder: &str) -> anyhow::Result<(u64, Duration)> {
        let path = self.path(folder);
        let body = self.contents(&path, self.options.size)?;
        let begun = Instant::now();
        let target = format!("/files/upload?uploadType=media&path={path}");
        client.ok("POST", &target, &[("content-type", "application/octet-stream")], body).await?;
        Ok((1, begun.elapsed()))
    }

    async fn batch(&self, client: &mut Client, folder: &str) -> anyhow::Result<(u64, Duration)> {
        let begun = Instant::now();
        let mut entries = Vec::with_capacity(self.options.batch);
        for _ in 0..self.options.batch {
            let path = self.path(folder);
            let body = self.contents(&path, self.options.size)?;
            let headers = [("content-type", "application/octet-stream"), ("dropbox-api-arg", r#"{"close":true}"#)];
            let answer = client.ok("POST", "/2/files/upload_session/start", &headers, body).await?;
            let session: Value = serde_json::from_slice(&answer)?;
            let cursor = json!({ "session_id": session["session_id"], "offset": self.options.size });
            entries.push(json!({ "cursor": cursor, "commit": { "path": path } }));
        }
        let answer = client.call("/2/files/upload_session/finish_batch_v2", &json!({ "entries": entries })).await?;
        let made = answer["entries"].as_array().context("an answer without entries")?;
        let good = made.iter().filter(|entry| entry[".tag"] == "success").count();
        ensure!(good == self.options.batch, "{good} of {} files were made: {answer}", self.options.batch);
        Ok((good as u64, begun.elapsed()))
    }

    async fn finish(&self, client: &mut Client, folder: &str) -> anyhow::Result<(u64, Duration)> {
        let (path, size) = (self.path(folder), self.options.size);
        let session = client.begin(&json!({ "path": path }), size).await?;
        let piece = self.contents(&path, PIECE_BYTES.min(size))?;
        let last = size - 1;
        let mut at = 0;
        while at < last {
            let bytes = PIECE_BYTES.min(last - at);
            let range = format!("bytes {at}-{}/{size}", at + bytes - 1);
            let sent = client
                .send("PUT", &session, &[("content-range", &range)], piece.slice(..usize::try_from(bytes)?))
                .await?;
            ensure!(sent.status == StatusCode::PERMANENT_REDIRECT, "a piece was answered {}", sent.status);
            at += bytes;
        }
        let range = format!("bytes {last}-{last}/{size}");
        let begun = Instant::now();
        client.ok("PUT", &session, &[("content-range", &range)], Bytes::from_static(b".")).await?;
        Ok((1, begun.elapsed()))
    }
}

async fn poll(client: &mut Client, cursor: &Value) -> anyhow::Result<(u64, Duration)> {
    let begun = Instant::now();
    let page = client.call("/files/list/continue", &json!({ "cursor": cursor })).await?;
    ensure!(page["entries"].as_array().is_some_and(Vec::is_empty), "something changed: {page}");
    Ok((1, begun.elapsed()))
}

impl Report {
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        let mut table = Table::new(&["operation", "done", "per second", "p50 ms", "p99 ms", "max ms", "CPU ms each"]);
        table.row(vec![
            format!("{:?}", self.operation).to_lowercase(),
            self.done.to_string(),
            format!("{:.0}", self.per_second),
            format!("{:.2}", self.p50_ms),
            format!("{:.2}", self.p99_ms),
            format!("{:.2}", self.max_ms),
            self.cpu_ms_each.map_or_else(String::new, |ms| format!("{ms:.3}")),
        ]);
        print!("{}", table.render());
        Ok(())
    }
}
