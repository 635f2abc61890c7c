//! Compare: the same load against two endpoints in the order A, B, B, A, so that a machine that drifts favours neither.
//! Owns: the order and the ratios.
//! Does not own: the load (s3).

use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::s3::{LoadOptions, Report, measure};
use crate::table::Table;

#[derive(clap::Args)]
pub struct CompareOptions {
    /// First endpoint, http://ACCESS:SECRET@HOST:PORT.
    #[arg(long)]
    a: String,
    /// Second endpoint.
    #[arg(long)]
    b: String,
    /// Process of the first server, for its CPU seconds.
    #[arg(long)]
    a_pid: Option<u32>,
    /// Process of the second server.
    #[arg(long)]
    b_pid: Option<u32>,
    #[command(flatten)]
    load: LoadOptions,
}

#[derive(Serialize)]
pub struct Comparison {
    /// In the order in which they ran: A, B, B, A.
    runs: [Report; 4],
    ratios: Vec<Ratio>,
}

/// How many times B's figure A's is: the geometric mean of the two pairs.
#[derive(Serialize)]
struct Ratio {
    name: &'static str,
    a: f64,
    b: f64,
    ratio: f64,
}

pub async fn run(options: &CompareOptions) -> anyhow::Result<Comparison> {
    let a = Endpoint::parse(&options.a, options.load.ca.as_deref())?;
    let b = Endpoint::parse(&options.b, options.load.ca.as_deref())?;
    let runs = [
        measure(&a, options.a_pid, None, &options.load).await?,
        measure(&b, options.b_pid, None, &options.load).await?,
        measure(&b, options.b_pid, None, &options.load).await?,
        measure(&a, options.a_pid, None, &options.load).await?,
    ];
    let ratios = ratios(&runs);
    Ok(Comparison { runs, ratios })
}

fn ratios(runs: &[Report; 4]) -> Vec<Ratio> {
    type Figure = fn(&Report) -> Option<f64>;
    let figures: [(&'static str, Figure); 5] = [
        ("operations a second", |run| Some(run.operations_per_second())),
        ("p50 ms", |run| run.kinds.first().map(|kind| kind.p50_ms)),
        ("p99 ms", |run| run.kinds.first().map(|kind| kind.p99_ms)),
        ("CPU-s per 1,000 operations", |run| Some(run.server.as_ref()?.cpu_seconds_per_1000_operations)),
        ("bytes written per user byte", |run| run.server.as_ref()?.written_per_user_byte),
    ];
    let ratio = |(name, figure): (&'static str, Figure)| {
        let [Some(a1), Some(b1), Some(b2), Some(a2)] = runs.each_ref().map(figure) else { return None };
        let (a, b) = ((a1 * a2).sqrt(), (b1 * b2).sqrt());
        Some(Ratio { name, a, b, ratio: a / b })
    };
    figures.into_iter().filter_map(ratio).collect()
}

impl Comparison {
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
        } else {
            let load = &self.runs[0];
            println!("{:?} of {} bytes, {} at once, A B B A", load.operation, load.size, load.concurrency);
            let mut table = Table::new(&["", &self.runs[0].endpoint, &self.runs[1].endpoint, "ratio"]);
            for row in &self.ratios {
                table.row(vec![
                    row.name.into(),
                    format!("{:.3}", row.a),
                    format!("{:.3}", row.b),
                    format!("{:.2}", row.ratio),
                ]);
            }
            print!("{}", table.render());
        }
        let failures: u64 = self.runs.iter().map(|run| run.failures).sum();
        anyhow::ensure!(failures == 0, "{failures} operations failed");
        Ok(())
    }
}
