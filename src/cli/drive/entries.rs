//! Folders and entries: list, make, move, copy, trash.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::DriveClient;
use super::message::{Entry, Page};
use crate::cli::output;

/// All entries of a folder, page by page.
pub async fn all(client: &DriveClient, path: &str, recursive: bool) -> Result<Vec<Entry>> {
    let path = if path == "/" { "" } else { path };
    let mut page: Page = client.call("/files/list", &json!({ "path": path, "recursive": recursive })).await?;
    let mut entries = page.entries;
    while page.has_more {
        page = client.call("/files/list/continue", &json!({ "cursor": page.cursor })).await?;
        for entry in page.entries {
            // What changed while it was listed comes again, as it is now.
            entries.retain(|listed| listed.path() != entry.path());
            if !matches!(entry, Entry::Removed { .. }) {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

pub async fn list(client: &DriveClient, path: &str, recursive: bool, json: bool) -> Result<()> {
    let entries = all(client, path, recursive).await?;
    if json {
        return output::print_json(&entries);
    }
    let row = |entry: &Entry| match entry {
        Entry::File(file) => {
            vec![output::bytes(file.size), file.modified.clone(), file.rev.clone(), file.path.clone()]
        }
        Entry::Folder(folder) => {
            vec![
                output::bytes(folder.bytes),
                String::new(),
                format!("{} files", folder.files),
                format!("{}/", folder.path),
            ]
        }
        Entry::Removed { path } => vec![String::new(), String::new(), String::new(), path.clone()],
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    print!("{}", output::table(&["SIZE", "MODIFIED", "REV", "PATH"], &rows));
    Ok(())
}

pub async fn create_folder(client: &DriveClient, path: &str, json: bool) -> Result<()> {
    let entry: Value = client.call("/files/create_folder", &json!({ "path": path })).await?;
    shown(&entry, "made", json)
}

/// `verb`: "move" or "copy".
pub async fn relocate(client: &DriveClient, verb: &str, from: &str, to: &str, json: bool) -> Result<()> {
    let argument = json!({ "from": from, "to": to });
    let entry: Value = client.call(&format!("/files/{verb}"), &argument).await?;
    shown(&entry, if verb == "move" { "moved to" } else { "copied to" }, json)
}

pub async fn delete(client: &DriveClient, path: &str, json: bool) -> Result<()> {
    let answer: Value = client.call("/files/delete", &json!({ "path": path })).await?;
    if json {
        return output::print_json(&answer);
    }
    println!("{path} is in the trash; `onggi drive undelete {}` takes it out", text(&answer["trashed"]));
    Ok(())
}

pub async fn trash(client: &DriveClient, json: bool) -> Result<()> {
    let answer: Value = client.call("/files/list_trash", &json!({ "limit": 1000 })).await?;
    if json {
        return output::print_json(&answer);
    }
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    let row = |item: &Value| vec![text(&item["trashed"]), text(&item["deleted"]), text(&item["path"])];
    let rows: Vec<_> = items.iter().map(row).collect();
    print!("{}", output::table(&["ITEM", "DELETED", "PATH"], &rows));
    Ok(())
}

pub async fn undelete(client: &DriveClient, item: &str, to: Option<String>, json: bool) -> Result<()> {
    let entry: Value = client.call("/files/undelete", &json!({ "trashed": item, "to": to })).await?;
    shown(&entry, "back at", json)
}

fn shown(entry: &Value, verb: &str, json: bool) -> Result<()> {
    if json {
        return output::print_json(entry);
    }
    println!("{verb} {}", text(&entry["path"]));
    Ok(())
}

pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
