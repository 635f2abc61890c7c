//! Command line: what can be typed, and which verb does it.
//! Owns: names of commands and flags. Each verb is a file; those of `admin` speak to a node through its admin API.

mod admin;
mod admin_client;
mod bucket;
mod ca;
mod cluster;
mod drive;
mod group;
mod https;
mod key;
mod node;
mod output;
mod progress;
mod recover;
mod scrub;
pub mod server;
mod status;
mod token;
mod user;

use clap::{Parser, Subcommand};

use crate::config::reference;

#[derive(Debug, Parser)]
#[command(name = "onggi", version, about = "A self-hosted, S3-compatible object store")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a node
    Server(server::ServerArguments),
    /// Manage a node: users, keys, buckets, status
    Admin(admin::AdminArguments),
    /// Use a drive: files and folders, their revisions, links to share
    Drive(drive::DriveArguments),
    /// Go on with what is left of groups whose majority is lost for ever; on stopped nodes
    #[command(subcommand)]
    Recover(recover::RecoverCommand),
    /// Print the reference of every setting (docs/configuration.md)
    ConfigReference,
}

impl Cli {
    /// Runs the command to its end.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Server(arguments) => server::run(arguments).await,
            Command::Admin(arguments) => admin::run(arguments).await,
            Command::Drive(arguments) => drive::run(arguments).await,
            Command::Recover(command) => recover::run(command).await,
            Command::ConfigReference => {
                print!("{}", reference::markdown());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
#[path = "cli/cli_test.rs"]
mod cli_test;
