//! `bench`: what this machine can do, what an S3 server, a drive or a cluster does with it, and how two servers compare.
//! Owns: the command line.
//! Does not own: starting servers; a benchmark is pointed at one that runs. Only that of a cluster starts its nodes: it kills them, too.

mod calibration;
mod cluster;
mod compare;
mod drive;
mod endpoint;
mod figures;
mod placement;
mod process;
mod prometheus;
mod s3;
mod table;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bench", about = "Measures this machine, an S3 endpoint, or two endpoints against each other")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the limits of this machine: hashes, disk, loopback.
    Calib(calibration::CalibrationOptions),
    /// Drive one S3 endpoint.
    S3(s3::S3Options),
    /// Drive two endpoints in the order A, B, B, A and print the ratios.
    Compare(compare::CompareOptions),
    /// Drive one drive: small files, polls, the end of a large upload.
    Drive(drive::DriveOptions),
    /// Start a cluster on this machine: throughput, and what clients see while nodes die and groups split, move and are repaired.
    Cluster(cluster::ClusterOptions),
    /// Plan clusters of up to 1,000 nodes that are only described: balance, copies, probability of loss.
    Placement(placement::PlacementOptions),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Calib(options) => calibration::run(&options)?.print(arguments.json),
        Command::S3(options) => runtime()?.block_on(s3::run(&options))?.print(arguments.json),
        Command::Drive(options) => runtime()?.block_on(drive::run(options))?.print(arguments.json),
        Command::Cluster(options) => runtime()?.block_on(cluster::run(&options))?.print(arguments.json),
        Command::Placement(options) => placement::run(&options)?.print(arguments.json),
        Command::Compare(options) => runtime()?.block_on(compare::run(&options))?.print(arguments.json),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
