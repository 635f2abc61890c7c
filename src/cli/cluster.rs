//! `onggi admin cluster …`

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::ClusterStatus;
use crate::cli::admin_client::AdminClient;
use crate::cli::progress::{self, Line, Track};
use crate::cli::{node, output};

/// How often a command that waits or watches looks again.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// Copies under way that are shown one by one.
const COPIES_SHOWN_MAX: usize = 8;

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Nodes, groups that lack copies, and what is moving
    Status {
        /// Look again every two seconds, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// What is still to be moved until data is spread as it should be; a cluster rebalances by itself
    Rebalance {
        /// Return only when nothing is left to be moved
        #[arg(long)]
        wait: bool,
    },
}

pub async fn run(client: &AdminClient, command: ClusterCommand, json: bool) -> Result<()> {
    match command {
        ClusterCommand::Status { watch } => loop {
            let status = status(client).await?;
            if watch && json {
                // One document a line.
                println!("{}", serde_json::to_string(&status)?);
            } else if json {
                output::print_json(&status)?;
            } else {
                if watch && std::io::stdout().is_terminal() {
                    print!("\x1b[2J\x1b[H");
                }
                print_status(&status);
            }
            if !watch {
                return Ok(());
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        },
        ClusterCommand::Rebalance { wait } => {
            let mut moves = status(client).await?.moves;
            let (mut track, mut line) = (Track::default(), Line::default());
            while wait && moves.groups_left > 0 {
                line.show(format!(
                    "{}  {} left",
                    track.bar(moves.groups_left, moves.bytes_left),
                    progress::left(&moves)
                ));
                tokio::time::sleep(LOOK_INTERVAL).await;
                moves = status(client).await?.moves;
            }
            line.end();
            match json {
                true => output::print_json(&moves),
                false => {
                    println!("{}", progress::left(&moves));
                    Ok(())
                }
            }
        }
    }
}

async fn status(client: &AdminClient) -> Result<ClusterStatus> {
    client.get("/cluster").await
}

fn print_status(status: &ClusterStatus) {
    let up = status.nodes.iter().filter(|node| node.up).count();
    let members = status.nodes.iter().filter(|node| node.state != "removed").count();
    let unavailable: Vec<_> =
        status.groups.iter().filter(|group| !group.available).map(|group| group.id.to_string()).collect();
    let lacking = status.groups.iter().filter(|group| group.up < group.voters.len() as u64).count();
    println!("cluster   {}", status.name);
    println!("nodes     {members}, {up} up");
    println!("groups    {}, {lacking} with a copy on a node that is down", status.groups.len());
    if !unavailable.is_empty() {
        println!("          without a majority, so neither read nor written: {}", unavailable.join(", "));
    }
    println!("moving    {}", progress::left(&status.moves));
    let on_their_way = status.groups.iter().filter(|group| group.moving);
    let copies: Vec<_> =
        on_their_way.flat_map(|group| group.copies.iter().map(|copy| progress::copy(group.id, copy))).collect();
    copies.iter().take(COPIES_SHOWN_MAX).for_each(|copy| println!("          {copy}"));
    if copies.len() > COPIES_SHOWN_MAX {
        println!("          and {} more", copies.len() - COPIES_SHOWN_MAX);
    }
    print!("\n{}", node::table(&status.nodes));
}
