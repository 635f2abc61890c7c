//! Seats: the nodes that may take replicas, numbered, and what their hosts and zones permit.

use std::collections::BTreeMap;

use super::{NodeState, NodeView};
use crate::id::{GroupId, HostId, NodeId};

pub struct Seat {
    pub node: NodeId,
    /// Number of its host, from 0 on without gaps; the same for its zone.
    pub host: usize,
    pub zone: usize,
    pub weight: f64,
}

/// What is lost together: it gets one replica of a group at most.
pub struct Host {
    pub host: HostId,
    pub zone: usize,
    /// Of all its seats.
    pub weight: f64,
}

pub struct Seats {
    /// In ascending order of their ids, so that the order of the input does not matter.
    seats: Vec<Seat>,
    hosts: Vec<Host>,
    /// Hosts in each zone.
    zones: Vec<usize>,
}

impl Seats {
    /// A host is in one zone as a whole, that of its first node.
    pub fn of(nodes: &[NodeView]) -> Self {
        let takes = |view: &&NodeView| view.state == NodeState::Active && view.up && view.weight > 0;
        let mut taking: Vec<&NodeView> = nodes.iter().filter(takes).collect();
        taking.sort_unstable_by_key(|view| view.node);
        let mut zone_numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut host_numbers: BTreeMap<HostId, usize> = BTreeMap::new();
        let mut zones = Vec::new();
        let mut hosts: Vec<Host> = Vec::new();
        let mut seats = Vec::with_capacity(taking.len());
        for view in taking {
            let host = *host_numbers.entry(view.host).or_insert_with(|| {
                let zone = *zone_numbers.entry(&view.zone).or_insert(zones.len());
                if zone == zones.len() {
                    zones.push(0);
                }
                zones[zone] += 1;
                hosts.push(Host { host: view.host, zone, weight: 0.0 });
                hosts.len() - 1
            });
            let weight = f64::from(view.weight);
            hosts[host].weight += weight;
            seats.push(Seat { node: view.node, host, zone: hosts[host].zone, weight });
        }
        Self { seats, hosts, zones }
    }

    /// Those of one host.
    pub fn on_host(&self, host: usize) -> Self {
        let here = self.seats.iter().filter(|seat| seat.host == host);
        let seats: Vec<Seat> =
            here.map(|seat| Seat { node: seat.node, host: 0, zone: 0, weight: seat.weight }).collect();
        let Host { host, weight, .. } = self.hosts[host];
        Self { seats, hosts: vec![Host { host, zone: 0, weight }], zones: vec![1] }
    }

    pub fn len(&self) -> usize {
        self.seats.len()
    }

    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    pub fn get(&self, seat: usize) -> &Seat {
        &self.seats[seat]
    }

    #[cfg(test)]
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.seats.iter().map(|seat| seat.node)
    }

    pub fn index_of(&self, node: NodeId) -> Option<usize> {
        self.seats.binary_search_by_key(&node, |seat| seat.node).ok()
    }

    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    #[cfg(test)]
    pub fn zone_count(&self) -> usize {
        self.zones.len()
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

    /// Each on a host of its own.
    fn seats(zones: &[&str]) -> Seats {
        let view = |(number, zone): (usize, &&str)| NodeView {
            node: NodeId(number as u64 + 1),
            host: HostId(number as u64 + 1),
            zone: (*zone).to_owned(),
            weight: 100,
            state: NodeState::Active,
            up: true,
        };
        Seats::of(&zones.iter().enumerate().map(view).collect::<Vec<_>>())
    }

    #[test]
    fn a_zone_gets_no_more_than_it_must() {
        assert_eq!(seats(&["a", "b", "c"]).per_zone_max(3), 1);
        assert_eq!(seats(&["a", "a", "b", "b"]).per_zone_max(3), 2);
        assert_eq!(seats(&["a", "a", "a"]).per_zone_max(3), 3);
        assert_eq!(seats(&["a", "b", "b", "b", "b"]).per_zone_max(5), 4, "one replica is all that zone a can take");
        assert_eq!(seats(&["a", "a", "b", "b", "c", "c"]).per_zone_max(5), 2);
    }
    #[test]
    fn a_zone_has_room_for_its_hosts_not_for_their_drives() {
        let view = |node: u64, host: u64, zone: &str| NodeView {
            node: NodeId(node),
            host: HostId(host),
            zone: zone.to_owned(),
            weight: 100,
            state: NodeState::Active,
            up: true,
        };
        let nodes = [view(1, 1, "a"), view(2, 1, "a"), view(3, 1, "other"), view(4, 4, "b"), view(5, 5, "b")];
        let seats = Seats::of(&nodes);
        assert_eq!((seats.len(), seats.hosts().len(), seats.zone_count()), (5, 3, 2), "a host is in one zone");
        assert_eq!(seats.per_zone_max(3), 2);
        assert_eq!(seats.on_host(0).nodes().collect::<Vec<_>>(), [1, 2, 3].map(NodeId));
    }
}
