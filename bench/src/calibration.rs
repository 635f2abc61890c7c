//! Calibration: the ceilings of this machine, against which a server's figures are read.
//! Owns: what is measured.
//! Does not own: what a target is (docs/performance.md).

mod disk;
mod hash;
mod loopback;

use std::path::PathBuf;
use std::time::Duration;

pub use disk::sequential;

use crate::figures::Figures;

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

pub fn run(options: &CalibrationOptions) -> anyhow::Result<Figures> {
    let period = Duration::try_from_secs_f64(options.seconds)?;
    let mut rows = hash::measure(period);
    rows.extend(disk::measure(&options.folder, options.sequential_mib, period)?);
    rows.push(loopback::measure(period)?);
    Figures::of(rows)
}
