//! The `onggi` binary.

// The futures of a start are nested deeper than the compiler looks by default.
#![recursion_limit = "256"]

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
