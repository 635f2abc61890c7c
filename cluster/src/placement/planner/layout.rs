//! Layout: which seats hold which groups while a plan is made.
//! Owns: the rules that every placement keeps: a group once on a host, and no more than `per_zone_max` times in a zone.
//! Does not own: which of the permitted moves are worth making (`balance`).

use std::collections::BTreeSet;

use super::GroupView;
use super::seats::{Seats, tie};
use super::share::{Share, shares};
use crate::id::{GroupId, NodeId};

pub struct Layout<'a> {
    seats: &'a Seats,
    /// Replicas of each group.
    size: usize,
    per_zone_max: usize,
    groups: Vec<Placed>,
    /// Groups on each seat, by their number here.
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
    pub fn keep(seats: &'a Seats, groups: &[&GroupView], size: usize) -> Self {
        let place = |view: &&GroupView| {
            let mut before: Vec<usize> = view.target.iter().filter_map(|node| seats.index_of(*node)).collect();
            before.sort_unstable();
            before.dedup();
            Placed { group: view.group, holders: before.clone(), before }
        };
        let groups: Vec<Placed> = groups.iter().map(place).collect();
        let mut held = vec![BTreeSet::new(); seats.len()];
        for (number, placed) in groups.iter().enumerate() {
            for seat in &placed.holders {
                held[*seat].insert(number);
            }
        }
        let shares = shares(seats, groups.len(), size);
        let per_zone_max = seats.per_zone_max(size);
        let loose = vec![BTreeSet::new(); seats.len()];
        let mut layout = Self { seats, size, per_zone_max, groups, held, loose, loosened: false, copies: 0, shares };
        (0..layout.groups.len()).for_each(|group| layout.drop_surplus(group));
        layout
    }

    /// Gives every group the replicas that it lacks, on the seats that lack most.
    pub fn fill(&mut self) {
        for group in 0..self.groups.len() {
            while self.groups[group].holders.len() < self.size {
                let may = |seat: &usize| {
                    self.on_host_of(group, *seat) == 0 && self.in_zone_of(group, *seat) < self.per_zone_max
                };
                let best = (0..self.seats.len()).filter(may).min_by(|a, b| {
                    let (fill_a, fill_b) = (self.fill_class(*a), self.fill_class(*b));
                    fill_a
                        .0
                        .cmp(&fill_b.0)
                        .then(fill_a.1.total_cmp(&fill_b.1))
                        .then_with(|| self.tie(group, *a).cmp(&self.tie(group, *b)))
                });
                // `per_zone_max` leaves room for all replicas, so there is always one.
                let Some(seat) = best else { break };
                self.insert(group, seat);
            }
        }
    }

    pub fn seats(&self) -> usize {
        self.seats.len()
    }

    pub fn count(&self, seat: usize) -> usize {
        self.held[seat].len()
    }

    pub fn share(&self, seat: usize) -> Share {
        self.shares[seat]
    }

    /// How full a seat is against its share.
    pub fn fullness(&self, seat: usize) -> f64 {
        self.count(seat) as f64 / self.shares[seat].ideal
    }

    /// The group that moves best between two seats, if possible without a copy more.
    pub fn cheapest(&self, from: usize, to: usize) -> Option<usize> {
        self.freely_movable(from, to).or_else(|| {
            let movable = self.held[from].iter().copied().filter(|group| self.may_move(*group, from, to));
            movable.min_by_key(|group| self.tie(*group, to))
        })
    }

    /// A group that moves between two seats without a copy more, if possible with one less.
    pub fn freely_movable(&self, from: usize, to: usize) -> Option<usize> {
        let was = |group: usize, seat: usize| self.groups[group].before.contains(&seat);
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
                for seat in &placed.holders {
                    self.loose[*seat].insert(group);
                }
            }
        }
    }

    pub fn has_loose(&self, seat: usize) -> bool {
        !self.loose[seat].is_empty()
    }

    /// Replicas that are not where one was before.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// No balanced layout needs fewer: seats below their share need what they lack, and those above keep only their share.
    pub fn fewest_copies(&self) -> usize {
        let mut were = vec![0; self.seats.len()];
        self.groups.iter().flat_map(|placed| &placed.before).for_each(|seat| were[*seat] += 1);
        let seats = || were.iter().zip(&self.shares);
        let lacking: usize = seats().map(|(were, share)| share.floor.saturating_sub(*were)).sum();
        let kept: usize = seats().map(|(were, share)| share.ceil.min(*were)).sum();
        lacking.max((self.groups.len() * self.size).saturating_sub(kept))
    }

    /// Moves that would each save a copy: back to where a replica was, from where one is to be made.
    pub fn homeward(&self) -> Vec<(usize, usize, usize)> {
        let mut moves = Vec::new();
        for (group, placed) in self.groups.iter().enumerate() {
            for home in placed.before.iter().filter(|home| !placed.holders.contains(home)) {
                let fresh = placed.holders.iter().filter(|seat| !placed.before.contains(seat));
                moves.extend(fresh.map(|seat| (group, *seat, *home)));
            }
        }
        moves
    }

    pub fn may_move(&self, group: usize, from: usize, to: usize) -> bool {
        let (leaves, enters) = (self.seats.get(from), self.seats.get(to));
        self.holds(group, from)
            && !self.holds(group, to)
            && (leaves.host == enters.host || self.on_host_of(group, to) == 0)
            && (leaves.zone == enters.zone || self.in_zone_of(group, to) < self.per_zone_max)
    }

    pub fn move_group(&mut self, group: usize, from: usize, to: usize) {
        self.remove(group, from);
        self.insert(group, to);
    }

    pub fn targets(&self) -> impl Iterator<Item = (GroupId, Vec<NodeId>)> {
        self.groups.iter().map(|placed| {
            let mut nodes: Vec<NodeId> = placed.holders.iter().map(|seat| self.seats.get(*seat).node).collect();
            nodes.sort_unstable();
            (placed.group, nodes)
        })
    }

    /// Takes away what a host or zone has too many of, or the group as a whole, from the fullest seats.
    fn drop_surplus(&mut self, group: usize) {
        loop {
            let too_many = self.groups[group].holders.len() > self.size;
            let crowded = |seat: &usize| (self.on_host_of(group, *seat), self.in_zone_of(group, *seat));
            let surplus = |seat: &usize| {
                let (on_host, in_zone) = crowded(seat);
                too_many || on_host > 1 || in_zone > self.per_zone_max
            };
            let holders = self.groups[group].holders.iter().copied().filter(surplus);
            let fullest = holders.max_by(|a, b| {
                crowded(a).cmp(&crowded(b)).then(self.fullness(*a).total_cmp(&self.fullness(*b))).then(a.cmp(b))
            });
            let Some(seat) = fullest else { return };
            self.remove(group, seat);
        }
    }

    fn insert(&mut self, group: usize, seat: usize) {
        self.groups[group].holders.push(seat);
        self.held[seat].insert(group);
        if !self.groups[group].before.contains(&seat) {
            self.loose[seat].insert(group);
            self.copies += 1;
        }
    }

    fn remove(&mut self, group: usize, seat: usize) {
        let placed = &mut self.groups[group];
        placed.holders.retain(|holder| *holder != seat);
        self.held[seat].remove(&group);
        self.loose[seat].remove(&group);
        if !placed.before.contains(&seat) {
            self.copies -= 1;
        } else if self.loosened {
            for other in &placed.holders {
                self.loose[*other].insert(group);
            }
        }
    }

    /// Seats below their share come first, then those that may take one more; within these the emptiest.
    fn fill_class(&self, seat: usize) -> (u8, f64) {
        let (count, share) = (self.count(seat), self.shares[seat]);
        let class = u8::from(count >= share.floor) + u8::from(count >= share.ceil);
        (class, (count as f64 + 0.5) / share.ideal)
    }

    fn holds(&self, group: usize, seat: usize) -> bool {
        self.groups[group].holders.contains(&seat)
    }

    /// Replicas of the group on the host of this seat.
    fn on_host_of(&self, group: usize, seat: usize) -> usize {
        let host = self.seats.get(seat).host;
        self.groups[group].holders.iter().filter(|holder| self.seats.get(**holder).host == host).count()
    }

    /// Replicas of the group in the zone of this seat.
    fn in_zone_of(&self, group: usize, seat: usize) -> usize {
        let zone = self.seats.get(seat).zone;
        self.groups[group].holders.iter().filter(|holder| self.seats.get(**holder).zone == zone).count()
    }

    fn tie(&self, group: usize, seat: usize) -> u64 {
        tie(self.groups[group].group, self.seats.get(seat).node)
    }
}
