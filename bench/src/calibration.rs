//! Calibration: the ceilings of this machine, against which a server's figures are read.
//! Owns: what is measured and how it is reported.
//! Does not own: what a target is (docs/performance.md).

mod disk;
mod hash;
mod loopback;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::table::Table;

#[derive(clap::Args)]
pub struct CalibrationOptions {
    /// Folder on the drive to measure.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Bytes of the sequential write, in MiB.
    #[arg(long, default_value_t = 1024)]
    sequential_mib: u64,
    /// Seconds for each measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[derive(Serialize)]
pub struct Calibration {
    cores: usize,
    rows: Vec<Measurement>,
}

/// One measured ceiling.
#[derive(Serialize)]
struct Measurement {
    name: String,
    value: f64,
    unit: &'static str,
}

impl Measurement {
    fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit }
    }
}

pub fn run(options: &CalibrationOptions) -> anyhow::Result<Calibration> {
    let period = Duration::try_from_secs_f64(options.seconds)?;
    let mut rows = hash::measure(period);
    rows.extend(disk::measure(&options.folder, options.sequential_mib, period)?);
    rows.push(loopback::measure(period)?);
    Ok(Calibration { cores: std::thread::available_parallelism()?.get(), rows })
}

impl Calibration {
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        let mut table = Table::new(&[&format!("{} cores", self.cores), "measured", "unit"]);
        for row in &self.rows {
            table.row(vec![row.name.clone(), format!("{:.2}", row.value), row.unit.to_string()]);
        }
        print!("{}", table.render());
        Ok(())
    }
}
