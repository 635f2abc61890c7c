//! Report: the figures of one run, for people and for machines.
//! Owns: which figures there are and how they are derived.

use serde::Serialize;

use crate::process::ProcessCounters;
use crate::prometheus::Samples;
use crate::s3::LoadOptions;
use crate::s3::load::{KindRecord, Recorded};
use crate::s3::workload::Kind;
use crate::table::Table;

#[derive(Serialize)]
pub struct Report {
    pub endpoint: String,
    pub operation: Kind,
    pub size: u64,
    pub concurrency: usize,
    pub rate: Option<f64>,
    pub seconds: f64,
    pub kinds: Vec<KindReport>,
    pub failures: u64,
    pub failure_messages: Vec<String>,
    pub server: Option<ServerReport>,
    pub counters: Samples,
}

#[derive(Serialize)]
pub struct KindReport {
    pub kind: Kind,
    pub operations: u64,
    pub operations_per_second: f64,
    pub mib_per_second: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// What the run cost the server's process.
#[derive(Serialize)]
pub struct ServerReport {
    #[serde(flatten)]
    pub counters: ProcessCounters,
    pub cpu_seconds_per_1000_operations: f64,
    /// Only where the run stored bytes.
    pub written_per_user_byte: Option<f64>,
    pub device_reads_bytes_per_operation: f64,
}

impl Report {
    pub fn new(
        endpoint: String,
        options: &LoadOptions,
        recorded: Recorded,
        counters: Option<ProcessCounters>,
        counted: Samples,
    ) -> Self {
        let seconds = recorded.seconds;
        let kinds: Vec<_> =
            recorded.kinds.iter().map(|(kind, record)| KindReport::new(*kind, record, seconds)).collect();
        let operations = kinds.iter().map(|kind| kind.operations).sum::<u64>().max(1) as f64;
        let stores = |kind: &Kind| matches!(kind, Kind::Put | Kind::Multipart);
        let stored =
            recorded.kinds.iter().filter(|(kind, _)| stores(kind)).map(|(_, record)| record.bytes).sum::<u64>();
        let server = counters.map(|counters| ServerReport {
            counters,
            cpu_seconds_per_1000_operations: counters.cpu_seconds / operations * 1000.0,
            written_per_user_byte: (stored > 0).then(|| counters.write_bytes as f64 / stored as f64),
            device_reads_bytes_per_operation: counters.read_bytes as f64 / operations,
        });
        Self {
            endpoint,
            operation: options.operation,
            size: options.size,
            concurrency: options.concurrency,
            rate: options.rate,
            seconds,
            kinds,
            failures: recorded.failures,
            failure_messages: recorded.failure_messages,
            server,
            counters: counted,
        }
    }

    pub fn operations_per_second(&self) -> f64 {
        self.kinds.iter().map(|kind| kind.operations_per_second).sum()
    }

    /// Prints the report; a run in which operations failed is an error, because its figures are not comparable.
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
        } else {
            print!("{}", self.text());
        }
        anyhow::ensure!(self.failures == 0, "{} operations failed", self.failures);
        Ok(())
    }

    fn text(&self) -> String {
        let pace = self.rate.map_or("closed loop".to_string(), |rate| format!("open loop at {rate}/s"));
        let mut text = format!(
            "{}: {:?} of {} bytes, {} at once, {pace}, {:.1} s\n",
            self.endpoint, self.operation, self.size, self.concurrency, self.seconds
        );
        let mut table = Table::new(&["", "operations", "op/s", "MiB/s", "p50 ms", "p95 ms", "p99 ms", "max ms"]);
        for kind in &self.kinds {
            let times = [kind.p50_ms, kind.p95_ms, kind.p99_ms, kind.max_ms].map(|ms| format!("{ms:.2}"));
            let rates = [format!("{:.1}", kind.operations_per_second), format!("{:.1}", kind.mib_per_second)];
            let head = [format!("{:?}", kind.kind).to_lowercase(), kind.operations.to_string()];
            table.row(head.into_iter().chain(rates).chain(times).collect());
        }
        text += &table.render();
        if let Some(server) = &self.server {
            text += &format!("server: {:.3} CPU-s per 1,000 operations", server.cpu_seconds_per_1000_operations);
            if let Some(written) = server.written_per_user_byte {
                text += &format!(", {written:.3} bytes written per user byte");
            }
            text +=
                &format!(", {:.0} bytes read from the drive per operation\n", server.device_reads_bytes_per_operation);
        }
        let operations = self.kinds.iter().map(|kind| kind.operations).sum::<u64>().max(1) as f64;
        for (name, value) in &self.counters {
            text += &format!("counted: {name} {value} ({:.4} per operation)\n", value / operations);
        }
        for message in &self.failure_messages {
            text += &format!("failed: {message}\n");
        }
        text
    }
}

impl KindReport {
    fn new(kind: Kind, record: &KindRecord, seconds: f64) -> Self {
        let milliseconds = |quantile| record.latencies_us.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            kind,
            operations: record.latencies_us.len(),
            operations_per_second: record.latencies_us.len() as f64 / seconds,
            mib_per_second: record.bytes as f64 / seconds / f64::from(1 << 20),
            p50_ms: milliseconds(0.50),
            p95_ms: milliseconds(0.95),
            p99_ms: milliseconds(0.99),
            max_ms: record.latencies_us.max() as f64 / 1000.0,
        }
    }
}
