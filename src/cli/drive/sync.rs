//! Sync: a folder of this machine and a folder of the drive hold the same (docs/drive-sync.md).
//! Owns: when to look again, and what a person is told.

mod carry_out;
mod delta;
mod disk;
mod engine;
mod memory;
mod plan;
mod remote;
mod scan;
mod state;
mod tree;
mod watch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::account::machine_name;
use super::client::DriveClient;
use super::retry::is_passing;
use crate::cli::output;
use engine::{Counts, Engine, Outcome};
use watch::Watch;

/// After a fault, and while files change as they are read.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// With `--once`: what does not come to rest in so many passes is left to a later run.
const PASSES_MAX: u32 = 20;

#[derive(Debug, Args)]
pub struct SyncArguments {
    /// Folder of this machine
    dir: PathBuf,
    /// Folder of the drive; made if it is missing
    #[arg(default_value = "/")]
    path: String,
    /// End when both are the same, instead of watching for changes
    #[arg(long)]
    once: bool,
    /// What this machine is called in the names of conflicted copies
    #[arg(long)]
    device: Option<String>,
}

pub async fn sync(client: DriveClient, arguments: SyncArguments, json: bool) -> Result<()> {
    let SyncArguments { dir, path, once, device } = arguments;
    std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    let dir = dir.canonicalize().with_context(|| dir.display().to_string())?;
    let device = device.or_else(machine_name).unwrap_or_default();
    let sync = Sync { engine: Engine::open(client, &dir, &path, &device).await?, told: BTreeSet::new(), json };
    if once { sync.once().await } else { sync.always(Watch::of(&dir)?).await }
}

struct Sync {
    engine: Engine,
    /// Problems are told once, not in each pass.
    told: BTreeSet<String>,
    json: bool,
}

impl Sync {
    async fn once(mut self) -> Result<()> {
        let (mut counts, mut delay) = (Counts::default(), RETRY_MIN);
        for _ in 0..PASSES_MAX {
            match self.engine.pass().await {
                Ok(outcome) => {
                    counts += outcome.counts;
                    self.tell_problems(&outcome);
                    if !outcome.problems.is_empty() {
                        bail!("{} entries could not be synced", outcome.problems.len());
                    }
                    if outcome.is_settled {
                        return self.tell(counts);
                    }
                }
                Err(error) if is_passing(&error) => eprintln!("{error:#}; trying again"),
                Err(error) => return Err(error),
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(RETRY_MAX);
        }
        bail!("both sides kept changing, or the drive did not answer: run it again")
    }

    async fn always(mut self, watch: Watch) -> Result<()> {
        let mut delay = RETRY_MIN;
        loop {
            let again = match self.engine.pass().await {
                Ok(outcome) => {
                    self.tell_problems(&outcome);
                    if outcome.counts != Counts::default() {
                        self.tell(outcome.counts)?;
                    }
                    let is_done = outcome.is_settled && outcome.problems.is_empty();
                    delay = if is_done { RETRY_MIN } else { (delay * 2).min(RETRY_MAX) };
                    (!is_done).then_some(delay)
                }
                Err(error) if is_passing(&error) => {
                    eprintln!("{error:#}; trying again");
                    delay = (delay * 2).min(RETRY_MAX);
                    tokio::time::sleep(delay).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            watch.next(self.engine.client(), self.engine.cursor(), again).await;
        }
    }

    fn tell_problems(&mut self, outcome: &Outcome) {
        let failed = outcome.problems.iter().map(|(key, why)| format!("{key}: {why}"));
        let all: BTreeSet<String> = self.engine.unsyncable().chain(failed).collect();
        for problem in all.difference(&self.told) {
            eprintln!("not synced: {problem}");
        }
        self.told = all;
    }

    fn tell(&self, counts: Counts) -> Result<()> {
        if self.json {
            return output::print_json(&json!({ "done": counts, "sent_bytes": self.engine.client().sent_bytes() }));
        }
        println!("{counts}");
        Ok(())
    }
}
