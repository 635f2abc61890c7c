//! Placement: the planner on clusters that are only described: balance, copies, and what the placement means for losing data.
//! Owns: which clusters and changes are tried, and the report.
//! Does not own: the plan (`onggi_cluster::placement::planner`). Nothing here touches a disk or a network.

mod described;
mod loss;

use std::time::{Duration, Instant};

use onggi_cluster::placement::planner::{NodeState, plan};
use serde::Serialize;

use crate::table::Table;
use described::Described;
use loss::{LossOptions, LossReport};

#[derive(clap::Args)]
pub struct PlacementOptions {
    /// Sizes of the clusters.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 30, 100, 300, 1000])]
    nodes: Vec<u64>,
    /// Replicas that a node of average weight holds.
    #[arg(long, default_value_t = 50)]
    replicas_per_node: u64,
    /// Zones that the nodes are shared out over.
    #[arg(long, default_value_t = 10)]
    zones: u64,
    /// All nodes weigh the same; otherwise a third each weighs 50, 100 and 200.
    #[arg(long)]
    even_weights: bool,
    /// Nodes that hold a group.
    #[arg(long, default_value_t = 3)]
    replication: usize,
    #[command(flatten)]
    loss: LossOptions,
}

#[derive(Serialize)]
pub struct PlacementReport {
    replication: usize,
    zones: u64,
    clusters: Vec<ClusterReport>,
    loss: LossReport,
}

#[derive(Serialize)]
struct ClusterReport {
    nodes: u64,
    groups: usize,
    changes: Vec<ChangeReport>,
}

/// One change of a balanced cluster, planned and carried out.
#[derive(Serialize)]
struct ChangeReport {
    change: &'static str,
    /// The largest distance of a node's replicas from its weight's part.
    off_by_max: f64,
    copies: u64,
    /// No balanced placement needs fewer.
    copies_min: u64,
    copies_of_all: f64,
    plan_ms: f64,
}

type Change = (&'static str, fn(&mut Described));

/// In this order, each to the cluster that the one before left.
const CHANGES: [Change; 5] = [
    ("a node joins", |cluster| cluster.join(1)),
    ("a node drains", |cluster| cluster.nodes[4].state = NodeState::Draining),
    ("a node is gone", |cluster| cluster.nodes[7].up = false),
    ("a weight doubles", |cluster| cluster.nodes[2].weight *= 2),
    ("a tenth joins", |cluster| cluster.join(cluster.nodes.len() as u64 / 10)),
];

pub fn run(options: &PlacementOptions) -> anyhow::Result<PlacementReport> {
    anyhow::ensure!(
        options.nodes.iter().all(|nodes| *nodes >= 10),
        "a cluster of fewer than 10 nodes is not described"
    );
    anyhow::ensure!(options.zones > 0 && options.replication > 0, "zones and replication start at 1");
    let mut clusters = Vec::new();
    let mut described = Vec::new();
    for nodes in &options.nodes {
        let groups = nodes * options.replicas_per_node / options.replication as u64;
        let mut cluster = Described::new(*nodes, options.zones, groups as u32, options.even_weights);
        // The first placement, from one node that holds everything.
        let mut changes = vec![change("one node becomes all", &mut cluster, options.replication)];
        described.push(cluster.clone());
        for (name, make) in CHANGES {
            make(&mut cluster);
            changes.push(change(name, &mut cluster, options.replication));
        }
        clusters.push(ClusterReport { nodes: *nodes, groups: cluster.groups.len(), changes });
    }
    let loss = loss::report(&options.loss, &described);
    Ok(PlacementReport { replication: options.replication, zones: options.zones, clusters, loss })
}

fn change(change: &'static str, cluster: &mut Described, replication: usize) -> ChangeReport {
    let copies_min = cluster.fewest_copies(replication);
    let begun = Instant::now();
    let planned = plan(&cluster.nodes, &cluster.groups, replication);
    let took: Duration = begun.elapsed();
    cluster.carry_out(&planned);
    let replicas = cluster.groups.len() * replication;
    ChangeReport {
        change,
        off_by_max: cluster.off_by_max(replication),
        copies: planned.moves.replicas,
        copies_min,
        copies_of_all: planned.moves.replicas as f64 / replicas as f64,
        plan_ms: took.as_secs_f64() * 1000.0,
    }
}

impl PlacementReport {
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        println!("{} replicas over {} zones", self.replication, self.zones);
        let mut table =
            Table::new(&["nodes, groups, change", "off by max", "copies", "fewest", "ratio", "of all", "plan ms"]);
        for cluster in &self.clusters {
            for change in &cluster.changes {
                table.row(vec![
                    format!("{}, {}, {}", cluster.nodes, cluster.groups, change.change),
                    format!("{:.2}", change.off_by_max),
                    change.copies.to_string(),
                    change.copies_min.to_string(),
                    format!("{:.3}", change.copies as f64 / change.copies_min.max(1) as f64),
                    format!("{:.2} %", change.copies_of_all * 100.0),
                    format!("{:.1}", change.plan_ms),
                ]);
            }
        }
        print!("{}", table.render());
        self.loss.print();
        Ok(())
    }
}
