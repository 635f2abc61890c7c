//! Pooled: groups of one replica, while there are fewer than three hosts. The drives of a host share its groups by weight, and a group
//! stays on its host.
//! Owns: which host a group belongs to when the one it was on can take it no more.

use std::collections::BTreeMap;

use super::seats::Seats;
use super::{GroupView, NodeView, balanced};
use crate::id::{GroupId, NodeId};

pub fn place(
    seats: &Seats,
    known: &BTreeMap<NodeId, &NodeView>,
    groups: &[&GroupView],
) -> BTreeMap<GroupId, Vec<NodeId>> {
    let hosts = seats.hosts();
    let home = |group: &GroupView| {
        let mut held_on = group.target.iter().filter_map(|node| known.get(node).map(|view| view.host));
        held_on.find_map(|host| hosts.iter().position(|here| here.host == host))
    };
    let mut on_host: Vec<Vec<&GroupView>> = vec![Vec::new(); hosts.len()];
    let (settled, homeless): (Vec<&GroupView>, Vec<&GroupView>) =
        groups.iter().partition(|group| home(group).is_some());
    for group in settled {
        if let Some(host) = home(group) {
            on_host[host].push(group);
        }
    }
    // All to one host, where most are already: what is on one is lost less often than what is on both.
    let fullest = (0..hosts.len()).max_by_key(|host| (on_host[*host].len(), std::cmp::Reverse(*host)));
    if let Some(fullest) = fullest {
        on_host[fullest].extend(homeless);
        on_host[fullest].sort_unstable_by_key(|group| group.group);
    }
    let place = |(host, groups): (usize, &Vec<&GroupView>)| balanced(&seats.on_host(host), groups, 1);
    on_host.iter().enumerate().flat_map(place).collect()
}
