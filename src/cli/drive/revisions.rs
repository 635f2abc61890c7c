//! Revisions of a file: list, restore.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::DriveClient;
use super::entries::text;
use super::message::{Revision, Revisions};
use crate::cli::output;

pub async fn list(client: &DriveClient, path: &str, limit: u32, json: bool) -> Result<()> {
    let revisions: Revisions = client.call("/files/list_revisions", &json!({ "path": path, "limit": limit })).await?;
    if json {
        return output::print_json(&revisions);
    }
    let row = |revision: &Revision| {
        let mark = match (revision.is_head, revision.keep_forever) {
            (true, _) => "current",
            (false, true) => "kept",
            (false, false) => "",
        };
        vec![
            revision.rev.clone(),
            output::bytes(revision.size),
            revision.modified.clone(),
            revision.author.clone(),
            revision.device.clone(),
            revision.reason.clone(),
            mark.to_owned(),
            revision.label.clone(),
        ]
    };
    let rows: Vec<_> = revisions.entries.iter().map(row).collect();
    print!("{}", output::table(&["REV", "SIZE", "MODIFIED", "BY", "DEVICE", "HOW", "", "LABEL"], &rows));
    Ok(())
}

pub async fn restore(client: &DriveClient, path: &str, rev: &str, json: bool) -> Result<()> {
    let entry: Value = client.call("/files/restore", &json!({ "path": path, "rev": rev })).await?;
    if json {
        return output::print_json(&entry);
    }
    println!("{} is as it was at {rev}; this is revision {}", text(&entry["path"]), text(&entry["rev"]));
    Ok(())
}
