//! Layout: which hosts hold which groups while a plan is made.
//! Owns: the rules that every placement keeps: a group once on a host, and no more than `per_zone_max` times in a zone.
//! Does not own: which of the permitted moves are worth making (`balance`).

use std::collections::BTreeSet;

use super::GroupView;
use super::hosts::{Hosts, tie};
use super::share::{Share, shares};
use crate::id::{GroupId, NodeId};

pub struct Layout<'a> {
    hosts: &'a Hosts,
    /// Replicas of each group.
    size: usize,
    per_zone_max: usize,
    groups: Vec<Placed>,
    /// Groups on each host, by their number here.
    held: Vec<BTreeSet<usize>>,
    /// Those of them that may have a free move: their replica here is to be copied anyway, or (once `loosen` was called) one of
    /// the others of the group is missing where it was.
    loose: Vec<BTreeSet<usize>>,
    loosened: bool,
    copies: usize,
    shares: Vec<Share>,
}

struct Placed {
    group: GroupId,
    holders: Vec<usize>,
    /// Who held it before: taking it from one of them has to be paid for with a copy, giving it back saves one.
    before: Vec<usize>,
}

impl<'a> Layout<'a> {
    /// What is in place, without what no longer may be.
    pub fn keep(hosts: &'a Hosts, groups: &[&GroupView], size: usize) -> Self {
        let place = |view: &&GroupView| {
            let mut before: Vec<usize> = view.target.iter().filter_map(|node| hosts.index_of(*node)).collect();
            before.sort_unstable();
            before.dedup();
            Placed { group: view.group, holders: before.clone(), before }
        };
        let groups: Vec<Placed> = groups.iter().map(place).collect();
        let mut held = vec![BTreeSet::new(); hosts.len()];
        for (number, placed) in groups.iter().enumerate() {
            for host in &placed.holders {
                held[*host].insert(number);
            }
        }
        let shares = shares(hosts, groups.len(), size);
        let per_zone_max = hosts.per_zone_max(size);
        let loose = vec![BTreeSet::new(); hosts.len()];
        let mut layout = Self { hosts, size, per_zone_max, groups, held, loose, loosened: false, copies: 0, shares };
        (0..layout.groups.len()).for_each(|group| layout.drop_surplus(group));
        layout
    }

    /// Gives every group the replicas that it lacks, on the hosts that lack most.
    pub fn fill(&mut self) {
        for group in 0..self.groups.len() {
            while self.groups[group].holders.len() < self.size {
                let may = |host: &usize| !self.holds(group, *host) && self.in_zone_of(group, *host) < self.per_zone_max;
                let best = (0..self.hosts.len()).filter(may).min_by(|a, b| {
                    let (fill_a, fill_b) = (self.fill_class(*a), self.fill_class(*b));
                    fill_a
                        .0
                        .cmp(&fill_b.0)
                        .then(fill_a.1.total_cmp(&fill_b.1))
                        .then_with(|| self.tie(group, *a).cmp(&self.tie(group, *b)))
                });
                // `per_zone_max` leaves room for all replicas, so there is always one.
                let Some(host) = best else { break };
                self.insert(group, host);
            }
        }
    }

    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    pub fn count(&self, host: usize) -> usize {
        self.held[host].len()
    }

    pub fn share(&self, host: usize) -> Share {
        self.shares[host]
    }

    /// How full a host is against its share.
    pub fn fullness(&self, host: usize) -> f64 {
        self.count(host) as f64 / self.shares[host].ideal
    }

    /// The group that moves best between two hosts, if possible without a copy more.
    pub fn cheapest(&self, from: usize, to: usize) -> Option<usize> {
        self.freely_movable(from, to).or_else(|| {
            let movable = self.held[from].iter().copied().filter(|group| self.may_move(*group, from, to));
            movable.min_by_key(|group| self.tie(*group, to))
        })
    }

    /// A group that moves between two hosts without a copy more, if possible with one less.
    pub fn freely_movable(&self, from: usize, to: usize) -> Option<usize> {
        let was = |group: usize, host: usize| self.groups[group].before.contains(&host);
        let is_free = |group: &usize| (!was(*group, from) || was(*group, to)) && self.may_move(*group, from, to);
        let movable = self.loose[from].iter().copied().filter(is_free);
        movable.min_by_key(|group| (was(*group, from), !was(*group, to), self.tie(*group, to)))
    }

    /// From now on replicas that stay may change places with those that their group lost: more free moves, at the cost of
    /// longer searches.
    pub fn loosen(&mut self) {
        self.loosened = true;
        for (group, placed) in self.groups.iter().enumerate() {
            if placed.before.iter().any(|home| !placed.holders.contains(home)) {
                for host in &placed.holders {
                    self.loose[*host].insert(group);
                }
            }
        }
    }

    pub fn has_loose(&self, host: usize) -> bool {
        !self.loose[host].is_empty()
    }

    /// Replicas that are not where one was before.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// No balanced layout needs fewer: hosts below their share need what they lack, and those above keep only their share.
    pub fn fewest_copies(&self) -> usize {
        let mut were = vec![0; self.hosts.len()];
        self.groups.iter().flat_map(|placed| &placed.before).for_each(|host| were[*host] += 1);
        let hosts = || were.iter().zip(&self.shares);
        let lacking: usize = hosts().map(|(were, share)| share.floor.saturating_sub(*were)).sum();
        let kept: usize = hosts().map(|(were, share)| share.ceil.min(*were)).sum();
        lacking.max((self.groups.len() * self.size).saturating_sub(kept))
    }

    /// Moves that would each save a copy: back to where a replica was, from where one is to be made.
    pub fn homeward(&self) -> Vec<(usize, usize, usize)> {
        let mut moves = Vec::new();
        for (group, placed) in self.groups.iter().enumerate() {
            for home in placed.before.iter().filter(|home| !placed.holders.contains(home)) {
                let fresh = placed.holders.iter().filter(|host| !placed.before.contains(host));
                moves.extend(fresh.map(|host| (group, *host, *home)));
            }
        }
        moves
    }

    pub fn may_move(&self, group: usize, from: usize, to: usize) -> bool {
        let same_zone = self.hosts.get(from).zone == self.hosts.get(to).zone;
        self.holds(group, from)
            && !self.holds(group, to)
            && (same_zone || self.in_zone_of(group, to) < self.per_zone_max)
    }

    pub fn move_group(&mut self, group: usize, from: usize, to: usize) {
        self.remove(group, from);
        self.insert(group, to);
    }

    pub fn targets(&self) -> impl Iterator<Item = (GroupId, Vec<NodeId>)> {
        self.groups.iter().map(|placed| {
            let mut nodes: Vec<NodeId> = placed.holders.iter().map(|host| self.hosts.get(*host).node).collect();
            nodes.sort_unstable();
            (placed.group, nodes)
        })
    }

    /// Takes away what a zone has too many of, or the group as a whole, from the fullest hosts.
    fn drop_surplus(&mut self, group: usize) {
        loop {
            let too_many = self.groups[group].holders.len() > self.size;
            let surplus = |host: &usize| too_many || self.in_zone_of(group, *host) > self.per_zone_max;
            let holders = self.groups[group].holders.iter().copied().filter(surplus);
            let crowded = |host: &usize| self.in_zone_of(group, *host);
            let fullest = holders.max_by(|a, b| {
                crowded(a).cmp(&crowded(b)).then(self.fullness(*a).total_cmp(&self.fullness(*b))).then(a.cmp(b))
            });
            let Some(host) = fullest else { return };
            self.remove(group, host);
        }
    }

    fn insert(&mut self, group: usize, host: usize) {
        self.groups[group].holders.push(host);
        self.held[host].insert(group);
        if !self.groups[group].before.contains(&host) {
            self.loose[host].insert(group);
            self.copies += 1;
        }
    }

    fn remove(&mut self, group: usize, host: usize) {
        let placed = &mut self.groups[group];
        placed.holders.retain(|holder| *holder != host);
        self.held[host].remove(&group);
        self.loose[host].remove(&group);
        if !placed.before.contains(&host) {
            self.copies -= 1;
        } else if self.loosened {
            for other in &placed.holders {
                self.loose[*other].insert(group);
            }
        }
    }

    /// Hosts below their share come first, then those that may take one more; within these the emptiest.
    fn fill_class(&self, host: usize) -> (u8, f64) {
        let (count, share) = (self.count(host), self.shares[host]);
        let class = u8::from(count >= share.floor) + u8::from(count >= share.ceil);
        (class, (count as f64 + 0.5) / share.ideal)
    }

    fn holds(&self, group: usize, host: usize) -> bool {
        self.groups[group].holders.contains(&host)
    }

    /// Replicas of the group in the zone of this host.
    fn in_zone_of(&self, group: usize, host: usize) -> usize {
        let zone = self.hosts.get(host).zone;
        self.groups[group].holders.iter().filter(|holder| self.hosts.get(**holder).zone == zone).count()
    }

    fn tie(&self, group: usize, host: usize) -> u64 {
        tie(self.groups[group].group, self.hosts.get(host).node)
    }
}
