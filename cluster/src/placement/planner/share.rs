//! Share: how many replicas each seat should hold, as near to its weight as the rules permit.
//! Owns: the ideal against which balance is measured. It is a fraction; a seat holds the whole number below or above it.

use super::seats::{Host, Seat, Seats};

/// Differences below this are rounding of the arithmetic, not of a share.
const ROUNDING: f64 = 1e-6;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    pub ideal: f64,
    pub floor: usize,
    pub ceil: usize,
}

impl Share {
    pub fn of(ideal: f64) -> Self {
        let near = ideal.round();
        if (ideal - near).abs() < ROUNDING {
            return Self { ideal: near, floor: near as usize, ceil: near as usize };
        }
        Self { ideal, floor: ideal.floor() as usize, ceil: ideal.ceil() as usize }
    }
}

/// The shares of all seats for `groups` groups of `replicas` replicas.
///
/// Proportional to the weights, unless that is more than a host can hold (one replica of each group) or than its zone may
/// (`per_zone_max` of each group); what is above goes to the others, again by weight. Whole numbers next to these shares can
/// always be reached: giving each group the share/groups-th part of each seat breaks no rule, and a flow of which all bounds
/// are whole has a whole solution.
pub fn shares(seats: &Seats, groups: usize, replicas: usize) -> Vec<Share> {
    let of_hosts = host_shares(seats.hosts(), seats.per_zone_max(replicas), groups, replicas);
    let part = |seat: &Seat| of_hosts[seat.host] * (seat.weight / seats.hosts()[seat.host].weight);
    (0..seats.len()).map(|seat| Share::of(part(seats.get(seat)))).collect()
}

fn host_shares(hosts: &[Host], per_zone_max: usize, groups: usize, replicas: usize) -> Vec<f64> {
    let host_max = groups as f64;
    let zone_max = (groups * per_zone_max) as f64;
    let zone_count = hosts.iter().map(|host| host.zone + 1).max().unwrap_or(0);
    let mut ideal = vec![0.0; hosts.len()];
    let mut open: Vec<usize> = (0..hosts.len()).collect();
    let mut total = (groups * replicas) as f64;
    loop {
        spread(hosts, &open, total, host_max, &mut ideal);
        let above = |zone: &usize| {
            let held: f64 = open.iter().filter(|host| hosts[**host].zone == *zone).map(|host| ideal[*host]).sum();
            held > zone_max + ROUNDING
        };
        let full: Vec<usize> = (0..zone_count).filter(above).collect();
        if full.is_empty() {
            return ideal;
        }
        for zone in full {
            let members: Vec<usize> = (0..hosts.len()).filter(|host| hosts[*host].zone == zone).collect();
            spread(hosts, &members, zone_max, host_max, &mut ideal);
            open.retain(|host| hosts[*host].zone != zone);
            total -= zone_max;
        }
    }
}

/// Gives `total` to the hosts by weight, none more than `host_max`.
fn spread(hosts: &[Host], among: &[usize], mut total: f64, host_max: f64, ideal: &mut [f64]) {
    let mut open = among.to_vec();
    loop {
        let weight: f64 = open.iter().map(|host| hosts[*host].weight).sum();
        let of = |host: usize| total * hosts[host].weight / weight;
        let (full, rest): (Vec<usize>, Vec<usize>) = open.iter().partition(|host| of(**host) > host_max);
        if full.is_empty() {
            open.iter().for_each(|host| ideal[*host] = of(*host));
            return;
        }
        total -= host_max * full.len() as f64;
        full.iter().for_each(|host| ideal[*host] = host_max);
        open = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{HostId, NodeId};
    use crate::placement::planner::{NodeState, NodeView};

    fn ideals(nodes: &[(&str, u32)], groups: usize) -> Vec<f64> {
        let view = |(number, (zone, weight)): (usize, &(&str, u32))| NodeView {
            node: NodeId(number as u64 + 1),
            host: HostId(number as u64 + 1),
            zone: (*zone).to_owned(),
            weight: *weight,
            state: NodeState::Active,
            up: true,
        };
        let nodes: Vec<NodeView> = nodes.iter().enumerate().map(view).collect();
        shares(&Seats::of(&nodes), groups, 3).into_iter().map(|share| share.ideal).collect()
    }

    #[test]
    fn shares_follow_weights_until_a_host_or_zone_is_full() {
        assert_eq!(
            ideals(&[("", 100), ("", 100), ("", 100), ("", 300)], 16),
            [10.666666666666666; 3].into_iter().chain([16.0]).collect::<Vec<_>>()
        );
        assert_eq!(ideals(&[("a", 100), ("b", 100), ("c", 100), ("d", 100)], 16), [12.0; 4]);
        // Zone c must have one replica of each group, so its only seat has all of them.
        assert_eq!(
            ideals(&[("a", 100), ("a", 300), ("b", 100), ("b", 100), ("c", 1)], 16),
            [4.0, 12.0, 8.0, 8.0, 16.0]
        );
    }
}
