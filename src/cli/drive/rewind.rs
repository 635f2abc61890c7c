//! Rewind: a folder as it was at a time. Asks on until the drive says that it is.

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::DriveClient;
use crate::cli::output;

#[derive(Debug, Args)]
pub struct RewindArguments {
    #[arg(default_value = "/")]
    path: String,
    /// 2026-11-22T20:00:00Z, with another zone, or unix seconds
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Only count what would change
    #[arg(long)]
    preview: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Rewound {
    restored: u64,
    moved: u64,
    removed: u64,
    reset: u64,
    lost: u64,
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

impl Rewound {
    fn add(&mut self, more: &Self) {
        self.restored += more.restored;
        self.moved += more.moved;
        self.removed += more.removed;
        self.reset += more.reset;
        self.lost += more.lost;
    }
}

pub async fn rewind(client: &DriveClient, arguments: RewindArguments, json: bool) -> Result<()> {
    let RewindArguments { path, to, preview } = arguments;
    let (mut sum, mut cursor) = (Rewound::default(), None);
    loop {
        let asked = json!({ "path": path, "to": to, "preview": preview, "cursor": cursor });
        let done: Rewound = client.call("/files/rewind", &asked).await?;
        sum.add(&done);
        cursor = done.cursor;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        return output::print_json(&sum);
    }
    let rows = [
        (sum.restored, "out of the trash"),
        (sum.moved, "back to where they were"),
        (sum.removed, "to the trash: they were not there"),
        (sum.reset, "files with the contents that they had"),
        (sum.lost, "gone for good: they stay so"),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(count, what)| vec![count.to_string(), what.to_owned()]).collect();
    print!("{}", output::table(&["COUNT", if preview { "WOULD BE" } else { "WHAT" }], &rows));
    Ok(())
}
