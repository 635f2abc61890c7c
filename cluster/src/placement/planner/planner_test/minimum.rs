//! The fewest copies that lead to a balanced placement, exactly, as a flow of least cost: what the planner is measured against.

use std::collections::VecDeque;

use crate::placement::planner::seats::Seats;
use crate::placement::planner::share::shares;
use crate::placement::planner::{GroupView, NodeView};

/// Copies needed so that every group has `replicas` and every seat a whole number next to its share.
pub fn minimum_moves(nodes: &[NodeView], groups: &[GroupView], replicas: usize) -> u64 {
    let seats = Seats::of(nodes);
    let per_zone_max = seats.per_zone_max(replicas) as i64;
    let (zones, hosts) = (seats.zone_count(), seats.hosts().len());
    // Nodes of the flow: source, sink, groups, each group's zones and hosts, seats.
    let (source, sink) = (0, 1);
    let group_at = |group: usize| 2 + group * (1 + zones + hosts);
    let seat_at = |seat: usize| group_at(groups.len()) + seat;
    let mut flow = Flow::new(seat_at(seats.len()));
    for (number, group) in groups.iter().enumerate() {
        flow.edge(source, group_at(number), replicas as i64, 0);
        (0..zones).for_each(|zone| flow.edge(group_at(number), group_at(number) + 1 + zone, per_zone_max, 0));
        let host_at = |host: usize| group_at(number) + 1 + zones + host;
        for (at, host) in seats.hosts().iter().enumerate() {
            flow.edge(group_at(number) + 1 + host.zone, host_at(at), 1, 0);
        }
        for seat in 0..seats.len() {
            let held = group.target.contains(&seats.get(seat).node);
            flow.edge(host_at(seats.get(seat).host), seat_at(seat), 1, if held { 0 } else { 1 });
        }
    }
    for (seat, share) in shares(&seats, groups.len(), replicas).into_iter().enumerate() {
        // A reward above all costs makes the lower bound of what may flow here.
        flow.edge(seat_at(seat), sink, share.floor as i64, -FLOOR_REWARD);
        flow.edge(seat_at(seat), sink, (share.ceil - share.floor) as i64, 0);
    }
    let (sent, cost) = flow.send_all(source, sink);
    assert_eq!(sent, (groups.len() * replicas) as i64, "the shares can always be reached");
    cost.rem_euclid(FLOOR_REWARD) as u64
}

/// More than all replicas of a test together.
const FLOOR_REWARD: i64 = 1_000_000;

struct Flow {
    edges: Vec<Edge>,
    from: Vec<Vec<usize>>,
}

/// Its reverse is the edge of the number next to it (`^ 1`).
struct Edge {
    to: usize,
    room: i64,
    cost: i64,
}

impl Flow {
    fn new(nodes: usize) -> Self {
        Self { edges: Vec::new(), from: vec![Vec::new(); nodes] }
    }

    fn edge(&mut self, from: usize, to: usize, room: i64, cost: i64) {
        self.from[from].push(self.edges.len());
        self.edges.push(Edge { to, room, cost });
        self.from[to].push(self.edges.len());
        self.edges.push(Edge { to: from, room: 0, cost: -cost });
    }

    /// Successive cheapest paths (Bellman and Ford's search with a queue, for costs below zero).
    fn send_all(&mut self, source: usize, sink: usize) -> (i64, i64) {
        let (mut sent, mut total) = (0, 0);
        loop {
            let mut cost = vec![i64::MAX; self.from.len()];
            let mut by = vec![usize::MAX; self.from.len()];
            let mut waiting = vec![false; self.from.len()];
            cost[source] = 0;
            let mut queue = VecDeque::from([source]);
            while let Some(here) = queue.pop_front() {
                waiting[here] = false;
                for number in &self.from[here] {
                    let edge = &self.edges[*number];
                    if edge.room > 0 && cost[here] + edge.cost < cost[edge.to] {
                        cost[edge.to] = cost[here] + edge.cost;
                        by[edge.to] = *number;
                        if !std::mem::replace(&mut waiting[edge.to], true) {
                            queue.push_back(edge.to);
                        }
                    }
                }
            }
            if cost[sink] == i64::MAX {
                return (sent, total);
            }
            let mut at = sink;
            while at != source {
                self.edges[by[at]].room -= 1;
                self.edges[by[at] ^ 1].room += 1;
                at = self.edges[by[at] ^ 1].to;
            }
            sent += 1;
            total += cost[sink];
        }
    }
}
