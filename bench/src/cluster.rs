//! Cluster: nodes of one binary on this machine's loopback and on one drive; what they do, and what clients see while nodes die, groups
//! split and move, and the bytes of a dead node are made again.
//! Owns: the order of the steps, each with its own figures.
//! Does not own: processes (`nodes`), clients that note what they see (`probes`), the load of throughput (`s3`).

mod nodes;
mod probes;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::calibration::sequential;
use crate::figures::{Figure, Figures};
use crate::s3::{self, LoadOptions};
use nodes::{COPIES, Nodes};
use probes::{Probes, Users};

/// Owners that write all the time, in few groups, so that each group has several.
const USERS: usize = 16;
const GROUPS: u32 = 8;
/// Many, for what they cost while nobody uses them.
const IDLE_GROUPS: u32 = 256;
/// From a node's death until its replicas are made again elsewhere; the least that is allowed.
const REPAIR_AFTER: Duration = Duration::from_secs(10);
const LARGE_BYTES: u64 = 16 << 20;
const SMALL_BYTES: u64 = 4096;
/// Of each user, when objects are large and when they are small.
const LARGE_STREAMS: usize = 1;
const SMALL_STREAMS: usize = 4;
/// What comes after an election or a move is seen by then.
const AFTERMATH: Duration = Duration::from_secs(3);
const KILLS: usize = 3;

#[derive(clap::Args)]
pub struct ClusterOptions {
    /// The `onggi` to run.
    #[arg(long)]
    binary: PathBuf,
    /// Folder on the drive that all nodes share.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Nodes to begin with; one more joins to be drained and to die.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=9))]
    nodes: u8,
    /// Seconds of each run of throughput; a fourth of those in which nothing happens.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Objects of 16 MiB of each of 16 users, that move with their groups, and as many that are repaired.
    #[arg(long, default_value_t = 6)]
    objects: u64,
    /// Only these.
    #[arg(long, value_enum)]
    step: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    Throughput,
    Failover,
    Split,
    Move,
    Repair,
    Idle,
}

pub async fn run(options: &ClusterOptions) -> anyhow::Result<Figures> {
    let wants = |step| options.step.is_empty() || options.step.contains(&step);
    let mut rows = Vec::new();
    if [Step::Throughput, Step::Failover, Step::Split, Step::Move, Step::Repair].into_iter().any(wants) {
        let settings =
            [format!("cluster.groups={GROUPS}"), format!("cluster.repair_after={}s", REPAIR_AFTER.as_secs())];
        let mut nodes = Nodes::of(options, &settings).await?;
        let users = Users::create(&nodes, USERS).await?;
        if wants(Step::Throughput) {
            rows.extend(throughput(&nodes, &users, options).await?);
        }
        if wants(Step::Failover) {
            rows.extend(failover(&mut nodes, &users).await?);
        }
        if wants(Step::Split) {
            rows.extend(split(&nodes, &users).await?);
        }
        if wants(Step::Move) {
            users.fill(&nodes, "moved", options.objects, LARGE_BYTES).await?;
            rows.extend(join(&mut nodes, &users).await?);
            rows.extend(drain(&nodes, &users).await?);
        } else if wants(Step::Repair) {
            nodes.join(1).await?;
        }
        if wants(Step::Repair) {
            // What was there before the last node joined may still be where it was.
            users.fill(&nodes, "repaired", options.objects, LARGE_BYTES).await?;
            rows.extend(repair(&mut nodes, &users).await?);
        }
    }
    if wants(Step::Idle) {
        rows.extend(idle(options).await?);
    }
    Figures::of(rows)
}

/// Of all users, through all nodes at once.
async fn throughput(nodes: &Nodes, users: &Users, options: &ClusterOptions) -> anyhow::Result<Vec<Figure>> {
    let drive = sequential(&options.folder, 1024)?;
    let fair_part = drive.value / COPIES as f64;
    let mut rows = vec![drive];
    for (size, streams) in [(LARGE_BYTES, LARGE_STREAMS), (SMALL_BYTES, SMALL_STREAMS)] {
        let (mut clients, cpu_before) = (JoinSet::new(), nodes.cpu_seconds()?);
        for (bucket, endpoint) in users.spread_over(nodes)? {
            let load = LoadOptions::of_puts(bucket, size, streams, options.seconds);
            clients.spawn(async move { s3::measure(&endpoint, None, None, &load).await });
        }
        let mut per_second = 0.0;
        while let Some(report) = clients.join_next().await {
            let report = report??;
            ensure!(report.failures == 0, "operations failed: {:?}", report.failure_messages);
            per_second += report.operations_per_second();
        }
        let cpu = nodes.cpu_seconds()? - cpu_before;
        let what = format!("PUT of {size} bytes by {} clients", USERS * streams);
        rows.push(Figure::new(format!("{what} through {} nodes", nodes.count()), per_second, "/s"));
        rows.push(Figure::new("  CPU of all nodes, for 1,000", cpu / (per_second * options.seconds) * 1000.0, "s"));
        let share = per_second * size as f64 / 1e9 / fair_part;
        rows.push(Figure::new(format!("  bytes, against sequential write / {COPIES}"), share, "×"));
    }
    Ok(rows)
}

/// The node that leads most groups is killed.
async fn failover(nodes: &mut Nodes, users: &Users) -> anyhow::Result<Vec<Figure>> {
    let mut rows = Vec::new();
    for kill in 1..=KILLS {
        let probes = Probes::start(nodes, users, 0..nodes.count())?;
        sleep(AFTERMATH).await;
        let leader = nodes.most_leading().await?;
        let killed = Instant::now();
        nodes.kill(leader)?;
        sleep(3 * AFTERMATH).await;
        rows.extend(probes.stop().await?.since(killed, &format!("kill -9 of a leader, {kill}")));
        nodes.start_again(leader)?;
        nodes.settle().await?;
    }
    Ok(rows)
}

async fn split(nodes: &Nodes, users: &Users) -> anyhow::Result<Vec<Figure>> {
    let probes = Probes::start(nodes, users, 0..nodes.count())?;
    sleep(AFTERMATH).await;
    let (begun, mut done) = (Instant::now(), 0);
    for group in 1..=GROUPS {
        // One that has a single user cannot be split.
        if nodes.admin(&["group", "split", &group.to_string()]).await.is_ok() {
            done += 1;
            sleep(Duration::from_millis(500)).await;
        }
    }
    sleep(AFTERMATH).await;
    Ok(probes.stop().await?.since(begun, &format!("{done} groups are split")))
}

async fn join(nodes: &mut Nodes, users: &Users) -> anyhow::Result<Vec<Figure>> {
    let probes = Probes::start(nodes, users, 0..nodes.count())?;
    sleep(AFTERMATH).await;
    let begun = Instant::now();
    nodes.join(1).await?;
    let took = begun.elapsed();
    sleep(AFTERMATH).await;
    let mut rows = probes.stop().await?.since(begun, &format!("node {} joins", nodes.count()));
    rows.push(Figure::new("  it has its part after", took.as_secs_f64(), "s"));
    Ok(rows)
}

/// One of those that clients use, and back.
async fn drain(nodes: &Nodes, users: &Users) -> anyhow::Result<Vec<Figure>> {
    let (drained, number) = (1, "2");
    let probes = Probes::start(nodes, users, 0..nodes.count())?;
    sleep(AFTERMATH).await;
    let begun = Instant::now();
    nodes.admin(&["node", "drain", number]).await?;
    nodes.settle_without(drained).await?;
    let took = begun.elapsed();
    sleep(AFTERMATH).await;
    let mut rows = probes.stop().await?.since(begun, &format!("one of {} nodes is drained", nodes.count()));
    rows.push(Figure::new("  it is empty after", took.as_secs_f64(), "s"));
    nodes.admin(&["node", "drain", "--cancel", number]).await?;
    nodes.settle().await?;
    Ok(rows)
}

/// The last node dies for good. Clients use the others, so that what they see is the repair.
async fn repair(nodes: &mut Nodes, users: &Users) -> anyhow::Result<Vec<Figure>> {
    let last = nodes.count() - 1;
    let probes = Probes::start(nodes, users, 0..last)?;
    sleep(2 * AFTERMATH).await;
    let killed = Instant::now();
    nodes.kill(last)?;
    let before = nodes.repaired_bytes().await?;
    sleep(REPAIR_AFTER).await;
    let begun = Instant::now();
    nodes.settle_without(last).await?;
    let ended = Instant::now();
    let bytes = nodes.repaired_bytes().await? - before;
    let seen = probes.stop().await?;
    let seconds = (ended - begun).as_secs_f64();
    let mut rows = vec![
        Figure::new("repair of a dead node: bytes that the others fetched", bytes / 1e6, "MB"),
        Figure::new("  in", seconds, "s"),
        Figure::new("  rate of all of them", bytes / 1e6 / seconds, "MB/s"),
    ];
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let (quiet, meanwhile) = (seen.latency_ms(quantile, ..killed), seen.latency_ms(quantile, begun..ended));
        rows.push(Figure::new(format!("  {name} of small writes before"), quiet, "ms"));
        rows.push(Figure::new(format!("  {name} of small writes meanwhile"), meanwhile, "ms"));
    }
    rows.extend(seen.since(killed, "the death and the repair"));
    Ok(rows)
}

async fn idle(options: &ClusterOptions) -> anyhow::Result<Vec<Figure>> {
    let mut nodes = Nodes::of(options, &[format!("cluster.groups={IDLE_GROUPS}")]).await?;
    let period = Duration::try_from_secs_f64(4.0 * options.seconds)?;
    let mut rows = Vec::new();
    for state in ["all nodes up", "one dead"] {
        sleep(2 * AFTERMATH).await;
        let before = nodes.cpu_seconds()?;
        sleep(period).await;
        let used = (nodes.cpu_seconds()? - before) / period.as_secs_f64() * 100.0;
        let what = format!("idle, {} groups × {COPIES} on {} nodes, {state}", IDLE_GROUPS + 1, options.nodes);
        rows.push(Figure::new(what, used, "% of a core"));
        if rows.len() == 1 {
            nodes.kill(nodes.count() - 1)?;
        }
    }
    Ok(rows)
}
