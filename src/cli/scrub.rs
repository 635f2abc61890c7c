//! `onggi admin scrub …`

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::Scrub;
use crate::cli::admin_client::AdminClient;
use crate::cli::output;

#[derive(Debug, Subcommand)]
pub enum ScrubCommand {
    /// Begin to read and verify everything on the drive
    Start,
    /// How far the scrub is, and what it found
    Status,
}

pub async fn run(client: &AdminClient, command: ScrubCommand, json: bool) -> Result<()> {
    let scrub: Scrub = match command {
        ScrubCommand::Start => client.post("/scrub", &serde_json::json!({})).await?,
        ScrubCommand::Status => client.get("/scrub").await?,
    };
    if json {
        return output::print_json(&scrub);
    }
    if matches!(command, ScrubCommand::Start) {
        println!("The scrub begins; `onggi admin scrub status` shows its progress.");
        return Ok(());
    }
    println!("{}", sentence(&scrub));
    Ok(())
}

fn sentence(scrub: &Scrub) -> String {
    let found = format!("{} verified, {} damaged chunks found", output::bytes(scrub.bytes), scrub.errors);
    match (scrub.running, scrub.finished_ms) {
        (true, _) => format!(
            "running since {}: {} of {} extents, {found}",
            output::time(scrub.started_ms),
            scrub.extents_done,
            scrub.extents_total
        ),
        (false, 0) => "no scrub has finished yet".into(),
        (false, finished_ms) => format!("finished at {}: {found}", output::time(finished_ms)),
    }
}
