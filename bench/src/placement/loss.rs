//! Loss: how likely a cluster loses data within a year, from how long a repair takes and how many replicas there are.
//!
//! Model: the Markov chain of failed and repaired replicas of one group (as in Ford et al., "Availability in Globally
//! Distributed Storage Systems", OSDI 2010). Nodes fail for ever, independently, at a constant rate; each failed replica is
//! made again at a constant rate, all at once. The chain ends when no replica is left (lost), or when fewer than a majority is
//! (no quorum: an operator must choose what to believe, and the last acknowledged writes may be gone). Groups on the same nodes
//! end together, so sets of nodes are counted, not groups.
//!
//! Not in the model: failures of a zone at once (what zones are for), of an operator, and of software.

use std::collections::BTreeSet;

use serde::Serialize;

use super::described::Described;
use crate::table::Table;

const HOURS_A_YEAR: f64 = 365.25 * 24.0;

#[derive(clap::Args)]
pub struct LossOptions {
    /// Part of the nodes that lose their drive within a year.
    #[arg(long, default_value_t = 0.04)]
    annual_failure_rate: f64,
    /// Bytes on a node, in TB.
    #[arg(long, default_value_t = 10.0)]
    node_tb: f64,
    /// What one node copies while it repairs, in MiB/s.
    #[arg(long, default_value_t = 64.0)]
    repair_mib_per_second: f64,
    /// Minutes that a node is away before its replicas are made again.
    #[arg(long, default_value_t = 10.0)]
    detection_minutes: f64,
    /// Hours of repair that are compared.
    #[arg(long, value_delimiter = ',', default_values_t = [0.25, 1.0, 6.0, 24.0, 168.0])]
    repair_hours: Vec<f64>,
}

#[derive(Serialize)]
pub struct LossReport {
    annual_failure_rate: f64,
    /// For the cluster of 100 nodes (or the nearest that was described).
    by_repair_time: Vec<LossRow>,
    /// With the time that a repair takes when all other nodes share it.
    by_size: Vec<LossRow>,
}

#[derive(Serialize)]
struct LossRow {
    nodes: usize,
    repair_hours: f64,
    replicas: usize,
    sets: f64,
    lost_within_a_year: f64,
    without_quorum_within_a_year: f64,
}

pub fn report(options: &LossOptions, clusters: &[Described]) -> LossReport {
    let nearest = clusters.iter().min_by_key(|cluster| cluster.nodes.len().abs_diff(100));
    let rows = |cluster: &Described, hours: f64| [1, 3, 5].map(|replicas| row(options, cluster, replicas, hours));
    let by_repair_time = nearest
        .into_iter()
        .flat_map(|cluster| options.repair_hours.iter().flat_map(move |hours| rows(cluster, *hours)))
        .collect();
    let by_size =
        clusters.iter().map(|cluster| row(options, cluster, 3, shared_repair_hours(options, cluster))).collect();
    LossReport { annual_failure_rate: options.annual_failure_rate, by_repair_time, by_size }
}

/// All other nodes copy at once, each at its limit.
fn shared_repair_hours(options: &LossOptions, cluster: &Described) -> f64 {
    let others = cluster.nodes.len() as f64 - 1.0;
    let seconds = options.node_tb * 1e12 / (options.repair_mib_per_second * f64::from(1 << 20) * others);
    options.detection_minutes / 60.0 + seconds / 3600.0
}

fn row(options: &LossOptions, cluster: &Described, replicas: usize, repair_hours: f64) -> LossRow {
    let fail = -(1.0 - options.annual_failure_rate).ln() / HOURS_A_YEAR;
    let repair = 1.0 / repair_hours;
    let sets = sets_of(cluster, replicas);
    let within_a_year = |failed: usize| {
        let expected = HOURS_A_YEAR / hours_until(replicas, failed, fail, repair) * sets;
        -(-expected).exp_m1()
    };
    LossRow {
        nodes: cluster.nodes.len(),
        repair_hours,
        replicas,
        sets,
        lost_within_a_year: within_a_year(replicas),
        without_quorum_within_a_year: within_a_year(replicas / 2 + 1),
    }
}

/// Different sets of nodes that hold a group: those of the plan, or for another number of replicas the most there can be.
fn sets_of(cluster: &Described, replicas: usize) -> f64 {
    let planned: BTreeSet<_> = cluster.groups.iter().map(|group| &group.voters).collect();
    if planned.first().is_some_and(|set| set.len() == replicas) {
        return planned.len() as f64;
    }
    let nodes = cluster.nodes.len();
    let possible: f64 = (0..replicas).map(|taken| (nodes - taken) as f64 / (taken + 1) as f64).product();
    possible.min(cluster.groups.len() as f64)
}

/// Expected hours until `failed` replicas of `replicas` are failed at once, from none (the mean time to absorption of a chain
/// in which only neighbours are reached).
fn hours_until(replicas: usize, failed: usize, fail: f64, repair: f64) -> f64 {
    let up = |state: usize| (replicas - state) as f64 * fail;
    let mut total = 0.0;
    // Time to get from each state to the next; the way may lead back first.
    let mut step = 0.0;
    for state in 0..failed {
        step = (1.0 + state as f64 * repair * step) / up(state);
        total += step;
    }
    total
}

impl LossReport {
    pub fn print(&self) {
        let percent = self.annual_failure_rate * 100.0;
        println!("\nprobability within a year, if {percent} % of the nodes fail in it, independently");
        let heading = ["nodes, repair time, replicas", "sets of nodes", "data lost", "a group without quorum"];
        let mut table = Table::new(&heading);
        for row in self.by_repair_time.iter().chain(&self.by_size) {
            table.row(vec![
                format!("{}, {:.2} h, {}", row.nodes, row.repair_hours, row.replicas),
                format!("{:.0}", row.sets),
                format!("{:.1e}", row.lost_within_a_year),
                format!("{:.1e}", row.without_quorum_within_a_year),
            ]);
        }
        print!("{}", table.render());
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// The same chain, walked at random.
    fn walked(replicas: usize, failed: usize, fail: f64, repair: f64) -> f64 {
        const WALKS: u32 = 20_000;
        let mut random = StdRng::seed_from_u64(7);
        let mut hours = 0.0;
        for _ in 0..WALKS {
            let mut state = 0;
            while state < failed {
                let (up, down) = ((replicas - state) as f64 * fail, state as f64 * repair);
                hours += -(1.0 - random.random::<f64>()).ln() / (up + down);
                if random.random::<f64>() < up / (up + down) { state += 1 } else { state -= 1 }
            }
        }
        hours / f64::from(WALKS)
    }

    #[test]
    fn the_formula_is_what_walks_take() {
        for (replicas, failed, fail, repair) in [(1, 1, 0.1, 1.0), (3, 2, 0.1, 1.0), (3, 3, 0.2, 1.0), (5, 3, 0.2, 1.0)]
        {
            let (formula, walked) =
                (hours_until(replicas, failed, fail, repair), walked(replicas, failed, fail, repair));
            assert!((walked / formula - 1.0).abs() < 0.03, "{replicas} {failed}: {walked} against {formula}");
        }
    }

    #[test]
    fn one_replica_is_lost_as_often_as_a_node() {
        assert_eq!(hours_until(1, 1, 0.001, 1.0), 1000.0);
    }
}
