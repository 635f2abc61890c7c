//! `onggi admin cluster …`

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::{ClusterStatus, Moves};
use crate::cli::admin_client::AdminClient;
use crate::cli::{node, output};

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Nodes, groups that lack copies, and what is moving
    Status,
    /// What is still to be moved until data is spread as it should be; a cluster rebalances by itself
    Rebalance,
}

pub async fn run(client: &AdminClient, command: ClusterCommand, json: bool) -> Result<()> {
    let status: ClusterStatus = client.get("/cluster").await?;
    match (command, json) {
        (ClusterCommand::Status, true) => output::print_json(&status),
        (ClusterCommand::Rebalance, true) => output::print_json(&status.moves),
        (ClusterCommand::Status, false) => {
            print_status(&status);
            Ok(())
        }
        (ClusterCommand::Rebalance, false) => {
            println!("{}", moves(&status.moves));
            Ok(())
        }
    }
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
    println!("moving    {}\n", moves(&status.moves));
    print!("{}", node::table(&status.nodes));
}

fn moves(moves: &Moves) -> String {
    if moves.groups_left == 0 {
        return "nothing".into();
    }
    let mut text = format!("{} groups", moves.groups_left);
    if let Some(bytes) = moves.bytes_left {
        text.push_str(&format!(", {}", output::bytes(bytes)));
    }
    if let Some(seconds) = moves.seconds_left {
        text.push_str(&format!(", about {seconds} s"));
    }
    text
}
