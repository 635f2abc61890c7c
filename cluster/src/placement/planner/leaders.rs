//! Leaders: which of its nodes should lead each group, so that all lead about as many as they hold.
//! Owns: the choice. A leader that may stay stays, unless its node leads more than its share.

use std::collections::{BTreeMap, BTreeSet};

use super::GroupView;
use super::seats::{Seats, tie};
use super::share::Share;
use crate::id::{GroupId, NodeId};

struct Election<'a> {
    /// Who may lead each group.
    candidates: Vec<(GroupId, Vec<usize>)>,
    leader: Vec<usize>,
    /// Groups that each seat leads, by their number here.
    led: Vec<BTreeSet<usize>>,
    shares: Vec<Share>,
    seats: &'a Seats,
}

pub fn choose(
    groups: &[GroupView],
    targets: &BTreeMap<GroupId, Vec<NodeId>>,
    seats: &Seats,
) -> BTreeMap<GroupId, NodeId> {
    let current: BTreeMap<GroupId, NodeId> =
        groups.iter().filter_map(|group| Some((group.group, group.leader?))).collect();
    let mut candidates = Vec::new();
    let mut leaders = BTreeMap::new();
    for (group, nodes) in targets {
        let able: Vec<usize> = nodes.iter().filter_map(|node| seats.index_of(*node)).collect();
        if !able.is_empty() {
            candidates.push((*group, able));
        } else if let Some(leader) = current.get(group).filter(|leader| nodes.contains(leader)) {
            // All of its nodes drain, and there is none to go to: who leads goes on.
            leaders.insert(*group, *leader);
        }
    }
    let mut election = Election::begin(candidates, &current, seats);
    election.level();
    leaders.extend(election.leaders());
    leaders
}

impl<'a> Election<'a> {
    fn begin(candidates: Vec<(GroupId, Vec<usize>)>, current: &BTreeMap<GroupId, NodeId>, seats: &'a Seats) -> Self {
        // Each candidate's even part of each of its groups: the whole numbers next to the sums can be reached.
        let mut ideal = vec![0.0; seats.len()];
        for (_, able) in &candidates {
            able.iter().for_each(|seat| ideal[*seat] += 1.0 / able.len() as f64);
        }
        let shares: Vec<Share> = ideal.into_iter().map(Share::of).collect();
        let mut led = vec![BTreeSet::new(); seats.len()];
        let mut leader = Vec::with_capacity(candidates.len());
        let staying = |group: &GroupId, able: &[usize]| {
            current.get(group).and_then(|node| seats.index_of(*node)).filter(|seat| able.contains(seat))
        };
        let stays: Vec<Option<usize>> = candidates.iter().map(|(group, able)| staying(group, able)).collect();
        for (number, seat) in stays.iter().enumerate() {
            if let Some(seat) = seat {
                led[*seat].insert(number);
            }
        }
        for (number, (group, able)) in candidates.iter().enumerate() {
            let room = |seat: usize| led[seat].len() as f64 / shares[seat].ideal;
            let emptiest = able.iter().copied().min_by(|a, b| {
                room(*a)
                    .total_cmp(&room(*b))
                    .then_with(|| tie(*group, seats.get(*a).node).cmp(&tie(*group, seats.get(*b).node)))
            });
            let seat = stays[number].or(emptiest).unwrap_or(able[0]);
            led[seat].insert(number);
            leader.push(seat);
        }
        Self { candidates, leader, led, shares, seats }
    }

    fn level(&mut self) {
        for seat in 0..self.seats.len() {
            while self.led[seat].len() > self.shares[seat].ceil
                && (self.hand_on(vec![seat], |it, to| it.led[to].len() < it.shares[to].floor)
                    || self.hand_on(vec![seat], |it, to| it.led[to].len() < it.shares[to].ceil))
            {}
        }
        for seat in 0..self.seats.len() {
            while self.led[seat].len() < self.shares[seat].floor {
                let giving = (0..self.seats.len()).filter(|from| self.led[*from].len() > self.shares[*from].floor);
                if !self.hand_on(giving.collect(), |_, to| to == seat) {
                    break;
                }
            }
        }
    }

    /// The shortest chain of hand-overs from one of `sources` to a seat that `ends` it (breadth first).
    fn hand_on(&mut self, sources: Vec<usize>, ends: impl Fn(&Self, usize) -> bool) -> bool {
        let mut by: Vec<Option<(usize, usize)>> = vec![None; self.seats.len()];
        let mut seen: BTreeSet<usize> = sources.iter().copied().collect();
        let mut queue = std::collections::VecDeque::from(sources);
        while let Some(here) = queue.pop_front() {
            if ends(self, here) {
                let mut to = here;
                while let Some((from, group)) = by[to] {
                    self.led[from].remove(&group);
                    self.led[to].insert(group);
                    self.leader[group] = to;
                    to = from;
                }
                return true;
            }
            for group in &self.led[here] {
                for next in &self.candidates[*group].1 {
                    if seen.insert(*next) {
                        by[*next] = Some((here, *group));
                        queue.push_back(*next);
                    }
                }
            }
        }
        false
    }

    fn leaders(&self) -> impl Iterator<Item = (GroupId, NodeId)> {
        self.candidates.iter().zip(&self.leader).map(|((group, _), seat)| (*group, self.seats.get(*seat).node))
    }
}
