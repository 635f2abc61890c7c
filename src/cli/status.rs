//! `onggi admin status`

use anyhow::Result;

use crate::admin_api::message::{Drive, LocalDrive, Repair, Status};
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
        ("repair", repair(&status.repair, status.repair_is_held)),
        ("sweep", format!("{} blobs freed, {} wait for their grace period", status.sweep.freed, status.sweep.waiting)),
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

fn repair(repair: &Repair, is_held: bool) -> String {
    let left = match repair.blobs_left {
        0 => "nothing is missing".to_string(),
        blobs => format!("{blobs} blobs, {} missing", output::bytes(repair.bytes_left)),
    };
    let mut text = format!("{left}; {} in the queue, {}/s", repair.queued, output::bytes(repair.bytes_per_second));
    if repair.unrepairable > 0 {
        text.push_str(&format!("; {} tries found no good copy: see the log", repair.unrepairable));
    }
    if is_held {
        text.push_str("; held, because too many nodes look gone at once");
    }
    text
}
