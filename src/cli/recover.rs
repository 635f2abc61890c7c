//! `onggi recover`: groups go on with what is left of them, decided on stopped nodes (docs/quorum-recovery.md).
//! Owns: the files between the three steps, and what the operator is told. Does not own: which replica takes over (`onggi_cluster::recovery`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use onggi_cluster::id::NodeId;
use onggi_cluster::recovery::{self, DriveReport, Plan};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cli::output;
use crate::node::identity_of;

/// Of both files.
const FORMAT: u32 = 1;

#[derive(Debug, Subcommand)]
pub enum RecoverCommand {
    /// Print what the drives of a stopped node have of each group, for `plan`; changes nothing
    Report {
        #[command(flatten)]
        drives: Drives,
    },
    /// Decide which node goes on alone with each group that lost its majority; changes nothing
    Plan {
        /// Nodes whose drives are gone for ever, as 2,3
        #[arg(long, value_name = "NODES", value_delimiter = ',', required = true)]
        lost: Vec<u64>,
        /// A report of every node that is left
        #[arg(required = true, value_name = "REPORT")]
        reports: Vec<PathBuf>,
    },
    /// Do what the plan wants of a stopped node
    Apply {
        #[command(flatten)]
        drives: Drives,
        /// What only the lost drives had is given up
        #[arg(long, required = true)]
        accept_loss: bool,
        plan: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct Drives {
    /// Data directory of the stopped node; given several times, each is a drive
    #[arg(long, value_name = "DIR", env = "ONGGI_DATA_DIR", default_value = "./onggi-data")]
    data_dir: Vec<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct ReportFile {
    format: u32,
    drives: Vec<DriveReport>,
}

#[derive(Serialize, Deserialize)]
struct PlanFile {
    format: u32,
    plan: Plan,
}

/// Files go to standard output, what is said about them to standard error.
pub async fn run(command: RecoverCommand) -> Result<()> {
    match command {
        RecoverCommand::Report { drives } => {
            let mut reports = Vec::new();
            for data_dir in &drives.data_dir {
                let drive = StoppedDrive::open(data_dir).await?;
                let report = DriveReport::read(&drive.engine, drive.node).await;
                drive.engine.close().await?;
                reports.push(report?);
            }
            output::print_json(&ReportFile { format: FORMAT, drives: reports })
        }
        RecoverCommand::Plan { lost, reports } => {
            let mut drives = Vec::new();
            for path in &reports {
                let file: ReportFile = read(path)?;
                ensure!(file.format == FORMAT, "{} is of another release", path.display());
                drives.extend(file.drives);
            }
            let plan = recovery::plan(&drives, &BTreeSet::from_iter(lost))?;
            eprint!("{}", description(&plan));
            output::print_json(&PlanFile { format: FORMAT, plan })
        }
        RecoverCommand::Apply { drives, accept_loss: _, plan: path } => {
            let file: PlanFile = read(&path)?;
            ensure!(file.format == FORMAT, "{} is of another release", path.display());
            for data_dir in &drives.data_dir {
                let drive = StoppedDrive::open(data_dir).await?;
                let applied = drive.apply(&file.plan).await;
                drive.engine.close().await?;
                eprint!("{}", applied?);
            }
            Ok(())
        }
    }
}

/// While it is open no node can start on it.
struct StoppedDrive {
    node: NodeId,
    cluster: String,
    engine: StorageEngine,
}

impl StoppedDrive {
    async fn open(data_dir: &Path) -> Result<Self> {
        // Before anything is opened: an empty directory would become a drive.
        let identity = identity_of(data_dir)?;
        let engine = StorageEngine::open(EngineOptions::new(data_dir.to_path_buf()), Environment::real()).await;
        let engine = engine.with_context(|| format!("open the data directory {}", data_dir.display()))?;
        Ok(Self { node: identity.node, cluster: hex::encode(identity.cluster), engine })
    }

    async fn apply(&self, plan: &Plan) -> Result<String> {
        ensure!(
            self.cluster == plan.cluster,
            "the plan is for cluster {}, and this is a node of {}",
            plan.cluster,
            self.cluster
        );
        let node = self.node.0;
        let applied = recovery::apply(plan, self.node, &self.engine).await;
        let applied = applied.context("has the node run since its report? Make a new report and a new plan")?;
        if applied.is_empty() {
            return Ok(format!("node {node}: nothing to do\n"));
        }
        let line = |(group, is_new): &(onggi_cluster::id::GroupId, bool)| match is_new {
            true => format!("node {node} goes on alone with group {}\n", group.0),
            false => format!("node {node} has group {} already\n", group.0),
        };
        Ok(applied.iter().map(line).collect())
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what this step reads", path.display()))
}

fn description(plan: &Plan) -> String {
    let numbers = |nodes: &BTreeSet<u64>| match nodes.is_empty() {
        true => "-".to_owned(),
        false => nodes.iter().map(u64::to_string).collect::<Vec<_>>().join(","),
    };
    let row = |takeover: &recovery::Takeover| {
        let end = format!("{} of term {}", takeover.end.index, takeover.end.term);
        let (group, node) = (takeover.group.to_string(), takeover.node.to_string());
        vec![group, node, end, numbers(&takeover.lost), numbers(&takeover.others)]
    };
    let rows: Vec<_> = plan.takeovers.iter().map(row).collect();
    let mut text = match rows.is_empty() {
        true => "no group goes on alone\n".to_owned(),
        false => output::table(&["GROUP", "GOES ON AT", "AFTER ENTRY", "LOST", "ALSO LEFT"], &rows),
    };
    for group in &plan.without_replica {
        text += &format!(
            "group {} is lost: it was on nodes {}, and none of them is left\n",
            group.group,
            numbers(&group.voters)
        );
    }
    text += &format!("{} groups have a majority and are left alone\n", plan.untouched.len());
    if !rows.is_empty() {
        text += "What was acknowledged after these entries, and bytes that only lost drives had, is given up by `onggi recover apply`.\n";
    }
    text
}
