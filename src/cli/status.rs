//! `onggi admin status`

use anyhow::Result;

use crate::admin_api::message::{Drive, LocalDrive, Status};
use crate::cli::admin_client::AdminClient;
use crate::cli::output;

pub async fn run(client: &AdminClient, json: bool) -> Result<()> {
    let status: Status = client.get("/status").await?;
    if json {
        return output::print_json(&status);
    }
    let state = if status.ready { "ready".to_string() } else { format!("not ready: {}", status.problems.join("; ")) };
    let led = status.groups.iter().filter(|group| group.leader == Some(status.node)).count();
    let rows = [
        ("state", state),
        ("cluster", format!("{}, node {}, version {}", status.cluster, status.node, status.version)),
        ("up", format!("{} s", status.uptime_seconds)),
        ("data", status.data_dir),
        ("free", free(&status.drive)),
        ("groups", format!("{}, {led} led by this node", status.groups.len())),
        ("chunks", format!("{} in {} extents", status.chunks.chunks, status.chunks.extents)),
        (
            "bytes",
            format!(
                "{} in use, {} to be freed",
                output::bytes(status.chunks.live_bytes),
                output::bytes(status.chunks.dead_bytes)
            ),
        ),
        ("damaged", format!("{} chunks", status.chunks.damaged_chunks)),
    ];
    for (name, value) in rows {
        println!("{name:<8}  {value}");
    }
    if status.drives.len() > 1 || !status.failures.is_empty() {
        println!();
        print!("{}", drives(&status.drives));
        status.failures.iter().for_each(|failure| println!("{failure}"));
    }
    Ok(())
}

fn drives(drives: &[LocalDrive]) -> String {
    let row = |drive: &LocalDrive| {
        vec![
            drive.node.to_string(),
            if drive.failure.is_some() { "failed".into() } else { "ok".into() },
            output::bytes(drive.drive.free_bytes),
            output::bytes(drive.chunks.live_bytes),
            format!("{}, {} led", drive.groups, drive.groups_led),
            drive.chunks.damaged_chunks.to_string(),
            drive.data_dir.clone(),
        ]
    };
    let rows: Vec<_> = drives.iter().map(row).collect();
    output::table(&["NODE", "DRIVE", "FREE", "IN USE", "GROUPS", "DAMAGED", "DIRECTORY"], &rows)
}

fn free(drive: &Drive) -> String {
    let bytes = output::bytes(drive.free_bytes);
    match (drive.takes_objects, drive.takes_deletes) {
        (true, _) => bytes,
        (false, true) => format!("{bytes}: full, only deletes are taken"),
        (false, false) => format!("{bytes}: full, nothing is taken; make room on the drive"),
    }
}
