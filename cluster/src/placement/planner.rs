//! Planner: which nodes should hold which group, from the nodes that there are and who holds what now.
//! Owns: how many replicas a group has, and the order of the steps that place them.
//! Does not own: when a node counts as gone (the caller says `up`), how a group gets from its voters to its target (the mover).
//! Invariants: pure, and the same for any order of its input; no two replicas of a group on one node; a group never gets fewer
//! replicas than it has, whatever fails; what is in place stays unless a rule needs it elsewhere. Planning a plan changes nothing.

mod balance;
mod layout;
mod leaders;
mod pooled;
mod recorded;
mod seats;
mod share;

use std::collections::BTreeMap;

use crate::id::{GroupId, HostId, NodeId};
use layout::Layout;
use seats::Seats;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    Active,
    /// Still serves what it holds, until that is elsewhere.
    Draining,
    Removed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    pub node: NodeId,
    /// Nodes of one host are lost together.
    pub host: HostId,
    pub zone: String,
    /// 100 is normal; a node of weight 0 is emptied like one that drains.
    pub weight: u32,
    pub state: NodeState,
    /// False once it has been away for so long that its replicas are to be made again elsewhere.
    pub up: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    pub group: GroupId,
    pub voters: Vec<NodeId>,
    /// Where it was last decided to be: the voters, when nothing moves.
    pub target: Vec<NodeId>,
    pub leader: Option<NodeId>,
    pub bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every group, also one that stays; nodes in ascending order.
    pub targets: BTreeMap<GroupId, Vec<NodeId>>,
    /// Who should lead. A group of which no target is up has none.
    pub leaders: BTreeMap<GroupId, NodeId>,
    pub moves: Moves,
}

/// What has to be copied: replicas in a target that are not voters yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    pub replicas: u64,
    pub bytes: u64,
}

/// Places every group on `replication` hosts as far as there are that many.
pub fn plan(nodes: &[NodeView], groups: &[GroupView], replication: usize) -> Plan {
    let seats = Seats::of(nodes);
    let known: BTreeMap<NodeId, &NodeView> = nodes.iter().map(|view| (view.node, view)).collect();
    let replication = odd(replication);
    let host_count = seats.hosts().len();
    let size = odd(replication.min(host_count));
    let mut ordered: Vec<&GroupView> = groups.iter().collect();
    ordered.sort_unstable_by_key(|group| group.group);

    let mut targets = BTreeMap::new();
    let (mut free, mut on_all) = (Vec::new(), Vec::new());
    for group in ordered {
        if seats.is_empty() || !has_live_majority(group, &known) {
            // Without a majority no change of its members could be agreed: it is left as it is, for its voters to come back to.
            targets.insert(group.group, sorted(group.target.clone()));
        } else if size_to_keep(group, replication) > host_count {
            on_all.push(group);
        } else {
            free.push(group);
        }
    }
    // With two hosts for three replicas a group has one (see `odd`), and stays on its host: shared out over both, each failure would
    // stop half of the store, and the third host would move everything again. The second host waits for the third.
    let waits_for_hosts = size == 1 && replication >= 3;
    match waits_for_hosts {
        true => targets.extend(pooled::place(&seats, &known, &free)),
        false => targets.extend(balanced(&seats, &free, size)),
    }
    targets.extend(on_every_host(&seats, &known, &on_all, replication));
    let leaders = leaders::choose(groups, &targets, &seats);
    let moves = count_moves(groups, &targets);
    Plan { targets, leaders, moves }
}

/// Who should lead each group among those that vote in it now. Who leads does not count: every node that knows the same of
/// nodes and voters comes to the same answer.
pub fn leaders(nodes: &[NodeView], groups: &[GroupView]) -> BTreeMap<GroupId, NodeId> {
    let voters = groups.iter().map(|group| (group.group, group.voters.clone())).collect();
    let unled: Vec<GroupView> = groups.iter().map(|group| GroupView { leader: None, ..group.clone() }).collect();
    leaders::choose(&unled, &voters, &Seats::of(nodes))
}

fn balanced(seats: &Seats, groups: &[&GroupView], size: usize) -> Vec<(GroupId, Vec<NodeId>)> {
    let mut layout = Layout::keep(seats, groups, size);
    layout.fill();
    balance::level(&mut layout);
    balance::reclaim(&mut layout);
    layout.targets().collect()
}

/// Never fewer than there are: an even number, which no plan makes, is rounded up.
fn size_to_keep(group: &GroupView, replication: usize) -> usize {
    group.target.len().min(replication) | 1
}

/// Groups have an odd number of replicas: one more needs a larger majority and survives no more failures. With two voters
/// the loss of *either* node would stop the group, so two nodes are not enough for more than one.
fn odd(count: usize) -> usize {
    count - usize::from(count > 0 && count.is_multiple_of(2))
}

fn has_live_majority(group: &GroupView, known: &BTreeMap<NodeId, &NodeView>) -> bool {
    let up = |node: &&NodeId| known.get(node).is_some_and(|view| view.up);
    group.voters.iter().filter(up).count() * 2 > group.voters.len()
}

/// Fewer hosts are left than these groups have replicas: each has one, and nodes of other hosts that should go stay with it, those
/// first that still work.
fn on_every_host(
    seats: &Seats,
    known: &BTreeMap<NodeId, &NodeView>,
    groups: &[&GroupView],
    replication: usize,
) -> Vec<(GroupId, Vec<NodeId>)> {
    let host_count = seats.hosts().len();
    let rank = |node: &NodeId| {
        let view = known.get(node);
        (view.is_none_or(|view| !view.up), view.map(|view| view.state), *node)
    };
    let is_elsewhere =
        |node: &NodeId| known.get(node).is_none_or(|view| seats.hosts().iter().all(|host| host.host != view.host));
    let placed = balanced(seats, groups, host_count);
    let with_others = |((group, mut target), view): ((GroupId, Vec<NodeId>), &&GroupView)| {
        let mut others: Vec<NodeId> = view.target.iter().copied().filter(is_elsewhere).collect();
        others.sort_unstable_by_key(rank);
        others.truncate(size_to_keep(view, replication).saturating_sub(host_count));
        target.extend(others);
        (group, sorted(target))
    };
    placed.into_iter().zip(groups).map(with_others).collect()
}

fn count_moves(groups: &[GroupView], targets: &BTreeMap<GroupId, Vec<NodeId>>) -> Moves {
    let mut moves = Moves::default();
    for group in groups {
        let new = targets.get(&group.group).into_iter().flatten().filter(|node| !group.voters.contains(node)).count();
        moves.replicas += new as u64;
        moves.bytes += new as u64 * group.bytes;
    }
    moves
}

fn sorted(mut nodes: Vec<NodeId>) -> Vec<NodeId> {
    nodes.sort_unstable();
    nodes
}

#[cfg(test)]
mod planner_test;
