//! Share links: make, list, revoke.

use std::io::Read;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::client::DriveClient;
use super::entries::text;
use crate::cli::output;

#[derive(Debug, Args)]
pub struct ShareArguments {
    /// File or folder of the drive
    path: String,
    /// What who has the link may do: only see, also change, or only put files in
    #[arg(long, value_enum, default_value_t = Role::View)]
    role: Role,
    /// Until when, as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Ask for a password, read here from standard input
    #[arg(long)]
    password_stdin: bool,
    /// How often a file of it may be downloaded
    #[arg(long, value_name = "NUMBER")]
    max_downloads: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    View,
    Edit,
    Drop,
}

pub async fn share(client: &DriveClient, arguments: ShareArguments, json: bool) -> Result<()> {
    let ShareArguments { path, role, expires, password_stdin, max_downloads } = arguments;
    let mut asked = json!({ "path": path, "role": role.to_possible_value().map(|role| role.get_name().to_owned()) });
    if let Some(expires) = expires {
        asked["expires"] = json!(expires);
    }
    if password_stdin {
        let mut password = String::new();
        std::io::stdin().take(4096).read_to_string(&mut password).context("read the password")?;
        asked["password"] = json!(password.trim_end_matches(['\r', '\n']));
    }
    if let Some(max_downloads) = max_downloads {
        asked["max_downloads"] = json!(max_downloads);
    }
    let link: Value = client.call("/links/create", &asked).await?;
    if json {
        return output::print_json(&link);
    }
    println!("{}", text(&link["url"]));
    Ok(())
}

/// Of one entry, or all.
pub async fn list(client: &DriveClient, path: Option<String>, json: bool) -> Result<()> {
    let (mut links, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page: Value = client.call("/links/list", &json!({ "path": path, "cursor": cursor })).await?;
        links.extend(page["links"].as_array().cloned().unwrap_or_default());
        cursor = page["cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    if json {
        return output::print_json(&links);
    }
    let or_none = |value: &Value| if value.is_null() { String::new() } else { text(value) };
    let row = |link: &Value| {
        let password = if link["has_password"] == true { "password" } else { "" };
        let downloads = match link["max_downloads"].as_u64() {
            Some(max) => format!("{} of {max}", text(&link["downloads"])),
            None => text(&link["downloads"]),
        };
        let fields = [&link["id"], &link["role"], &link["expires"]].map(or_none);
        let more = [downloads, password.to_owned(), or_none(&link["path"]), or_none(&link["url"])];
        fields.into_iter().chain(more).collect()
    };
    let rows: Vec<Vec<String>> = links.iter().map(row).collect();
    print!("{}", output::table(&["LINK", "MAY", "ENDS", "DOWNLOADS", "", "PATH", "ADDRESS"], &rows));
    Ok(())
}

pub async fn revoke(client: &DriveClient, id: &str) -> Result<()> {
    let _: Value = client.call("/links/revoke", &json!({ "id": id })).await?;
    println!("the link leads nowhere now");
    Ok(())
}
