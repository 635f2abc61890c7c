//! `onggi admin group …`

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::admin_api::message::{GroupSplit, OwnersGroup, OwnersGroups, SplitGroup};
use crate::cli::admin_client::AdminClient;
use crate::cli::output;

/// How often a split that goes on is looked at, and how long: it takes a second at most while everybody is up.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
const LOOKS_MAX: usize = 150;

#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// Which groups there are, which nodes hold them, and how much is in them
    List,
    /// Make two groups of one, while both are used; users from the middle on (or from --at on) go to the new one
    Split {
        id: u32,
        /// The first user of the new group
        #[arg(long, value_name = "USER")]
        at: Option<String>,
    },
}

pub async fn run(client: &AdminClient, command: GroupCommand, json: bool) -> Result<()> {
    match command {
        GroupCommand::List => print_groups(client.get("/groups").await?, json),
        GroupCommand::Split { id, at } => {
            let split: GroupSplit = client.post(&format!("/groups/{id}/split"), &SplitGroup { at }).await?;
            wait(client, &split).await?;
            match json {
                true => output::print_json(&split),
                false => output::done(false, &format!("group {id} is split; the new one is group {}", split.new_group)),
            }
        }
    }
}

/// Until the new group is on the map.
async fn wait(client: &AdminClient, split: &GroupSplit) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        let OwnersGroups { groups } = client.get("/groups").await?;
        if groups.iter().any(|group| group.id == split.new_group) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    bail!(
        "the split of group {} is begun and not done yet; it goes on by itself as soon as most of the group's nodes are up",
        split.id
    )
}

fn print_groups(groups: OwnersGroups, json: bool) -> Result<()> {
    if json {
        return output::print_json(&groups);
    }
    let rows: Vec<_> = groups.groups.iter().map(row).collect();
    print!("{}", output::table(&["GROUP", "FROM", "TO", "NODES", "LEADER", "USERS", "OBJECTS", "BYTES"], &rows));
    Ok(())
}

fn row(group: &OwnersGroup) -> Vec<String> {
    let known = |count: Option<u64>| count.map_or("?".to_owned(), |count| count.to_string());
    let numbers = |nodes: &[u64]| nodes.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let mut nodes = numbers(&group.voters);
    if group.target != group.voters {
        nodes = format!("{nodes} → {}", numbers(&group.target));
    }
    let id = match group.splitting_off {
        Some(child) => format!("{} (splitting off {child})", group.id),
        None => group.id.to_string(),
    };
    vec![
        id,
        group.first.clone(),
        group.last.clone(),
        nodes,
        group.leader.map_or("-".to_owned(), |leader| leader.to_string()),
        known(group.users),
        known(group.objects),
        group.bytes.map_or("?".to_owned(), output::bytes),
    ]
}
