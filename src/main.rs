//! The `onggi` binary.

use std::process::ExitCode;

use clap::Parser;
use onggi::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("onggi: {error:#}");
            ExitCode::FAILURE
        }
    }
}
