//! S3 load: one operation, or a mix, against one endpoint.
//! Owns: the options of a run and its order: prepare, measure, clean up.
//! Does not own: how requests are made (client), what an operation is (workload), when it is sent (load).

mod client;
mod load;
mod report;
mod signer;
mod workload;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

pub use client::{Client, Request};
pub use report::Report;

use crate::endpoint::Endpoint;
use crate::process::ProcessCounters;
use crate::prometheus;
use load::Pace;
use workload::Workload;

#[derive(clap::Args)]
pub struct S3Options {
    /// http://ACCESS:SECRET@HOST:PORT or https://…; keys may also come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(long)]
    endpoint: String,
    /// The server's process, for its CPU seconds and bytes written.
    #[arg(long)]
    pid: Option<u32>,
    /// Where the server's Prometheus metrics are, https://HOST:PORT/metrics: its counters are part of the report.
    #[arg(long)]
    metrics: Option<String>,
    #[command(flatten)]
    pub load: LoadOptions,
}

/// What is asked of a server; `bench compare` asks the same of two.
#[derive(clap::Args)]
pub struct LoadOptions {
    #[arg(long, value_enum)]
    pub operation: workload::Kind,
    /// Bytes of an object; of the whole object for multipart.
    #[arg(long, default_value = "4096", value_parser = parse_bytes)]
    pub size: u64,
    /// Bytes of a part of a multipart upload.
    #[arg(long, default_value = "8MiB", value_parser = parse_bytes)]
    pub part_size: u64,
    /// Requests in flight at once, each on a connection of its own.
    #[arg(long, default_value_t = 16)]
    pub concurrency: usize,
    /// Seconds to measure.
    #[arg(long, default_value_t = 10.0)]
    pub duration: f64,
    /// Stop after this many operations, whatever the time.
    #[arg(long)]
    pub count: Option<u64>,
    /// Open loop: operations a second, sent when due and not when the one before is done; latency counts from when it was due.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Objects to prepare for operations that need them.
    #[arg(long, default_value_t = 1000)]
    pub objects: u64,
    /// Bucket to use; made if it is missing.
    #[arg(long, default_value = "bench")]
    pub bucket: String,
    /// Sign the SHA-256 of every body, as SDKs do over plain HTTP, instead of sending UNSIGNED-PAYLOAD.
    #[arg(long)]
    pub signed: bool,
    /// Compare every byte that a GET returns.
    #[arg(long)]
    pub verify: bool,
    /// Delete afterwards what the run stored.
    #[arg(long)]
    pub cleanup: bool,
    /// The certificate authority of an https endpoint.
    #[arg(long)]
    pub ca: Option<PathBuf>,
}

impl LoadOptions {
    /// PUTs as fast as they are answered, into a bucket that goes away with its server.
    pub fn of_puts(bucket: String, size: u64, concurrency: usize, duration: f64) -> Self {
        Self {
            operation: workload::Kind::Put,
            size,
            part_size: size,
            concurrency,
            duration,
            count: None,
            rate: None,
            objects: 0,
            bucket,
            signed: false,
            verify: false,
            cleanup: false,
            ca: None,
        }
    }
}

pub async fn run(options: &S3Options) -> anyhow::Result<Report> {
    let endpoint = Endpoint::parse(&options.endpoint, options.load.ca.as_deref())?;
    let metrics = match &options.metrics {
        Some(url) => Some(metrics_endpoint(url, options)?),
        None => None,
    };
    measure(&endpoint, options.pid, metrics.as_ref(), &options.load).await
}

/// One prepared, measured and cleaned-up run.
pub async fn measure(
    endpoint: &Endpoint,
    pid: Option<u32>,
    metrics: Option<&(Endpoint, String)>,
    options: &LoadOptions,
) -> anyhow::Result<Report> {
    let workload = Arc::new(Workload::new(options));
    load::prepare(endpoint, &workload, options.concurrency).await.context("prepare objects")?;
    let counters_before = pid.map(ProcessCounters::read).transpose()?;
    let samples_before = match metrics {
        Some((endpoint, path)) => Some(prometheus::scrape(endpoint, path).await?),
        None => None,
    };
    let pace = Pace::new(options)?;
    let recorded = load::run(endpoint, &workload, options.concurrency, &pace).await?;
    let counters = match (pid, counters_before) {
        (Some(pid), Some(before)) => Some(ProcessCounters::read(pid)?.since(before)),
        _ => None,
    };
    let counted = match (metrics, samples_before) {
        (Some((endpoint, path)), Some(before)) => {
            prometheus::counted(&before, &prometheus::scrape(endpoint, path).await?)
        }
        _ => prometheus::Samples::new(),
    };
    if options.cleanup {
        load::clean_up(endpoint, &workload, options.concurrency).await.context("delete objects")?;
    }
    Ok(Report::new(endpoint.to_string(), options, recorded, counters, counted))
}

fn metrics_endpoint(url: &str, options: &S3Options) -> anyhow::Result<(Endpoint, String)> {
    let (scheme, rest) = url.split_once("://").context("metrics are at http[s]://HOST:PORT/PATH")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, "metrics"));
    // The metrics page is not signed: the keys only complete the endpoint's form.
    let endpoint = Endpoint::parse(&format!("{scheme}://none:none@{authority}"), options.load.ca.as_deref())?;
    Ok((endpoint, format!("/{path}")))
}

/// `4096`, `64KiB`, `16MiB`, `1GiB`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        unit => return Err(format!("{unit} is not one of B, KiB, MiB, GiB")),
    };
    let number: u64 = digits.parse().map_err(|error| format!("{digits}: {error}"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("{text} is too large"))
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse_bytes("4096"), Ok(4096));
        assert_eq!(parse_bytes("64KiB"), Ok(65_536));
        assert_eq!(parse_bytes("1GiB"), Ok(1 << 30));
        for wrong in ["", "MiB", "1MB", "99999999999GiB"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
