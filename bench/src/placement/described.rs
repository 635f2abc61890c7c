//! Described: a cluster that exists as a list of nodes and groups only.
//! Owns: what is known without the planner: each node's part by weight, and a lower bound of the copies.

use onggi_cluster::id::{GroupId, HostId, NodeId};
use onggi_cluster::placement::planner::{GroupView, NodeState, NodeView, Plan};

#[derive(Clone)]
pub struct Described {
    pub nodes: Vec<NodeView>,
    pub groups: Vec<GroupView>,
    zones: u64,
    even_weights: bool,
}

impl Described {
    /// Everything is on the first node.
    pub fn new(nodes: u64, zones: u64, groups: u32, even_weights: bool) -> Self {
        let first = vec![NodeId(1)];
        let group = |number| GroupView {
            group: GroupId(number),
            voters: first.clone(),
            target: first.clone(),
            leader: Some(NodeId(1)),
            bytes: 0,
        };
        let mut cluster = Self { nodes: Vec::new(), groups: (1..=groups).map(group).collect(), zones, even_weights };
        cluster.join(nodes);
        cluster
    }

    pub fn join(&mut self, count: u64) {
        for _ in 0..count {
            let id = self.nodes.len() as u64 + 1;
            // The weight changes more slowly than the zone, so that zones weigh about the same.
            let weight = if self.even_weights { 100 } else { [100, 50, 200][(id / self.zones % 3) as usize] };
            let zone = format!("zone-{}", id % self.zones);
            let (node, host) = (NodeId(id), HostId(id));
            self.nodes.push(NodeView { node, host, zone, weight, state: NodeState::Active, up: true });
        }
    }

    pub fn carry_out(&mut self, plan: &Plan) {
        for group in &mut self.groups {
            if let Some(target) = plan.targets.get(&group.group) {
                (group.voters, group.target) = (target.clone(), target.clone());
            }
            group.leader = plan.leaders.get(&group.group).copied();
        }
    }

    pub fn off_by_max(&self, replication: usize) -> f64 {
        let distance = |(node, part): (&NodeView, f64)| (self.held_by(node.node) as f64 - part).abs();
        self.parts(replication).map(distance).fold(0.0, f64::max)
    }

    /// Nodes below their part need what they lack, and nodes above keep no more than it; replicas elsewhere are made again.
    /// Exact where no zone and no node is at its limit.
    pub fn fewest_copies(&self, replication: usize) -> u64 {
        let (mut lacking, mut kept) = (0, 0);
        for (node, part) in self.parts(replication) {
            let held = self.held_by(node.node) as u64;
            lacking += (part.floor() as u64).saturating_sub(held);
            kept += held.min(part.ceil() as u64);
        }
        lacking.max((self.groups.len() * replication) as u64 - kept)
    }

    /// Each node that takes replicas, with its weight's part of all of them.
    fn parts(&self, replication: usize) -> impl Iterator<Item = (&NodeView, f64)> {
        let takes = |node: &&NodeView| node.up && node.state == NodeState::Active;
        let weight: f64 = self.nodes.iter().filter(takes).map(|node| f64::from(node.weight)).sum();
        let replicas = (self.groups.len() * replication) as f64;
        self.nodes.iter().filter(takes).map(move |node| (node, replicas * f64::from(node.weight) / weight))
    }

    fn held_by(&self, node: NodeId) -> usize {
        self.groups.iter().filter(|group| group.voters.contains(&node)).count()
    }
}
