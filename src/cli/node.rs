//! `onggi admin node …`

use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::{ClusterStatus, Moves, Node, Nodes, UpdateNode};
use crate::cli::admin_client::AdminClient;
use crate::cli::output;
use crate::cli::progress::{self, Line, Track};

/// How often a command that waits looks again.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// List nodes, removed ones too. A node is one drive; those of one process are one host
    List,
    /// Empty a node: it serves on, gets nothing new, and its groups move to others
    Drain {
        id: u64,
        /// All drives of the node's host
        #[arg(long)]
        host: bool,
        /// Return only when the node is empty
        #[arg(long, conflicts_with = "cancel")]
        wait: bool,
        /// Take the drain back: the node is active again
        #[arg(long)]
        cancel: bool,
    },
    /// Take a node that holds no group out of the cluster, for ever
    Remove {
        id: u64,
        /// All drives of the node's host
        #[arg(long)]
        host: bool,
    },
    /// Say which failure domain a node and its host are in; data moves if that is needed
    SetZone { id: u64, zone: String },
    /// Share of the data compared with other nodes; 100 is normal, 0 takes none
    SetWeight { id: u64, weight: u32 },
}

pub async fn run(client: &AdminClient, command: NodeCommand, json: bool) -> Result<()> {
    match command {
        NodeCommand::List => {
            let Nodes { nodes } = client.get("/nodes").await?;
            print_nodes(nodes, json)
        }
        NodeCommand::Drain { id, host, wait, cancel } => {
            let state = if cancel { "active" } else { "draining" };
            let first = set_state(client, id, state, host).await?;
            let (mut track, mut line) = (Track::default(), Line::default());
            loop {
                let ClusterStatus { mut nodes, moves, .. } = client.get("/cluster").await?;
                nodes.retain(|node| node.id == id || (host && node.host == first.host && node.state != "removed"));
                let left = Left::of(&nodes, &moves);
                if !wait || left.groups == 0 {
                    line.end();
                    return print_nodes(nodes, json);
                }
                line.show(format!("node {id}  {}", left.text(&mut track)));
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        }
        NodeCommand::Remove { id, host } => {
            let node = set_state(client, id, "removed", host).await?;
            let removed = match host {
                true => format!("host {} is removed; its data directories may be wiped", node.host),
                false => format!("node {id} is removed; its data directory may be wiped"),
            };
            output::done(json, &removed)
        }
        NodeCommand::SetZone { id, zone } => {
            update(client, id, &UpdateNode { zone: Some(zone), ..UpdateNode::default() }, json).await
        }
        NodeCommand::SetWeight { id, weight } => {
            update(client, id, &UpdateNode { weight: Some(weight), ..UpdateNode::default() }, json).await
        }
    }
}

/// What nodes that drain still hold.
struct Left {
    groups: u64,
    moves: Moves,
}

impl Left {
    fn of(nodes: &[Node], moves: &Moves) -> Self {
        let groups = nodes.iter().map(|node| node.groups + node.groups_to_come).sum();
        let bytes_left = nodes.iter().map(|node| node.bytes_to_go).sum();
        Self { groups, moves: Moves { groups_left: groups, bytes_left, ..moves.clone() } }
    }

    fn text(&self, track: &mut Track) -> String {
        format!("{}  {} left", track.bar(self.groups, self.moves.bytes_left), progress::left(&self.moves))
    }
}

async fn set_state(client: &AdminClient, id: u64, state: &str, whole_host: bool) -> Result<Node> {
    let request = UpdateNode { state: Some(state.to_string()), whole_host, ..UpdateNode::default() };
    client.patch(&format!("/nodes/{id}"), &request).await
}

async fn update(client: &AdminClient, id: u64, request: &UpdateNode, json: bool) -> Result<()> {
    let node: Node = client.patch(&format!("/nodes/{id}"), request).await?;
    print_nodes(vec![node], json)
}

fn print_nodes(nodes: Vec<Node>, json: bool) -> Result<()> {
    if json {
        return output::print_json(&Nodes { nodes });
    }
    print!("{}", table(&nodes));
    Ok(())
}

pub fn table(nodes: &[Node]) -> String {
    let row = |node: &Node| {
        vec![
            node.id.to_string(),
            node.host.to_string(),
            node.state.clone(),
            output::yes_no(node.up),
            if node.zone.is_empty() { "-".into() } else { node.zone.clone() },
            node.weight.to_string(),
            groups(node),
            node.peer_address.clone(),
            node.s3_address.clone(),
            node.release.clone(),
        ]
    };
    let rows: Vec<_> = nodes.iter().map(row).collect();
    output::table(
        &["NODE", "HOST", "STATE", "UP", "ZONE", "WEIGHT", "GROUPS", "PEER ADDRESS", "S3 ADDRESS", "RELEASE"],
        &rows,
    )
}

/// `16`, or `16 +2 -3` while two are to come and three are to go.
fn groups(node: &Node) -> String {
    let mut text = node.groups.to_string();
    for (sign, count) in [('+', node.groups_to_come), ('-', node.groups_to_go)] {
        if count > 0 {
            text.push_str(&format!(" {sign}{count}"));
        }
    }
    text
}
