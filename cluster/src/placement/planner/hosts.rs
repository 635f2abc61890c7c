//! Hosts: the nodes that may take replicas, numbered, and what their zones permit.

use std::collections::BTreeMap;

use super::{NodeState, NodeView};
use crate::id::{GroupId, NodeId};

pub struct Host {
    pub node: NodeId,
    /// Number of its zone, from 0 on without gaps.
    pub zone: usize,
    pub weight: f64,
}

pub struct Hosts {
    /// In ascending order of their ids, so that the order of the input does not matter.
    hosts: Vec<Host>,
    /// Hosts in each zone.
    zones: Vec<usize>,
}

impl Hosts {
    pub fn of(nodes: &[NodeView]) -> Self {
        let takes = |view: &&NodeView| view.state == NodeState::Active && view.up && view.weight > 0;
        let mut taking: Vec<&NodeView> = nodes.iter().filter(takes).collect();
        taking.sort_unstable_by_key(|view| view.node);
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut zones = Vec::new();
        let mut hosts = Vec::with_capacity(taking.len());
        for view in taking {
            let zone = *numbers.entry(&view.zone).or_insert(zones.len());
            if zone == zones.len() {
                zones.push(0);
            }
            zones[zone] += 1;
            hosts.push(Host { node: view.node, zone, weight: f64::from(view.weight) });
        }
        Self { hosts, zones }
    }

    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    pub fn get(&self, host: usize) -> &Host {
        &self.hosts[host]
    }

    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.hosts.iter().map(|host| host.node)
    }

    pub fn index_of(&self, node: NodeId) -> Option<usize> {
        self.hosts.binary_search_by_key(&node, |host| host.node).ok()
    }

    pub fn zone_count(&self) -> usize {
        self.zones.len()
    }

    pub fn in_zone(&self, zone: usize) -> impl Iterator<Item = usize> {
        (0..self.hosts.len()).filter(move |host| self.hosts[*host].zone == zone)
    }

    /// The most replicas of a group that one zone gets: the fewest that still leave room for all of them.
    pub fn per_zone_max(&self, replicas: usize) -> usize {
        let room = |most: usize| self.zones.iter().map(|hosts| most.min(*hosts)).sum::<usize>();
        (1..replicas).find(|most| room(*most) >= replicas).unwrap_or(replicas)
    }
}

/// Breaks ties between equally good places, for each group in another way: so the replicas of one node's groups are spread over
/// all others, and all others repair it. Always the same number for the same pair (SplitMix64's finalizer).
pub fn tie(group: GroupId, node: NodeId) -> u64 {
    let mut mixed = (u64::from(group.0) << 40) ^ node.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(zones: &[&str]) -> Hosts {
        let view = |(number, zone): (usize, &&str)| NodeView {
            node: NodeId(number as u64 + 1),
            zone: (*zone).to_owned(),
            weight: 100,
            state: NodeState::Active,
            up: true,
        };
        Hosts::of(&zones.iter().enumerate().map(view).collect::<Vec<_>>())
    }

    #[test]
    fn a_zone_gets_no_more_than_it_must() {
        assert_eq!(hosts(&["a", "b", "c"]).per_zone_max(3), 1);
        assert_eq!(hosts(&["a", "a", "b", "b"]).per_zone_max(3), 2);
        assert_eq!(hosts(&["a", "a", "a"]).per_zone_max(3), 3);
        assert_eq!(hosts(&["a", "b", "b", "b", "b"]).per_zone_max(5), 4, "one replica is all that zone a can take");
        assert_eq!(hosts(&["a", "a", "b", "b", "c", "c"]).per_zone_max(5), 2);
    }
}
