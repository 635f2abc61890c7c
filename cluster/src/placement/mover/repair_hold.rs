//! Repair hold: whether so much looks gone at once that making it again elsewhere would do more harm than good. Pure.
//!
//! A switch or a power line that fails takes many nodes away, and they come back as they were. To copy all that they hold would fill the
//! disks and the network of those that are left, for nothing. An operator who knows better drains the dead nodes: those do not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::placement::planner::{GroupView, NodeState, NodeView};

/// Nodes that look gone, of all: more than one of this many are held to be a failure of something else.
const GONE_ONE_IN: usize = 3;

/// Why nothing shall be moved for now; `nodes` are up unless they count as gone.
pub fn reason(nodes: &[NodeView], groups: &[GroupView]) -> Option<String> {
    let holds = |node: &NodeView| {
        groups.iter().any(|group| group.voters.contains(&node.node) || group.target.contains(&node.node))
    };
    // One that was emptied has nothing to be copied.
    let is_gone = |node: &NodeView| !node.up && holds(node);
    let active: Vec<&NodeView> = nodes.iter().filter(|node| node.state == NodeState::Active).collect();
    let gone: Vec<&NodeView> = active.iter().copied().filter(|node| is_gone(node)).collect();
    // One machine fails as a whole, however many drives it has.
    if gone.len() * GONE_ONE_IN > active.len() && hosts(&gone) > 1 {
        return Some(format!("{} of {} active nodes look gone", gone.len(), active.len()));
    }
    let mut zones: BTreeMap<&str, (Vec<&NodeView>, usize)> = BTreeMap::new();
    for node in active {
        let (all, lost) = zones.entry(&node.zone).or_default();
        all.push(node);
        *lost += usize::from(is_gone(node));
    }
    // A zone of one machine fails as a machine does.
    let zone = zones.iter().find(|(_, (all, lost))| all.len() == *lost && hosts(all) > 1);
    zone.map(|(zone, (all, _))| format!("all {} nodes of zone {zone:?} look gone", all.len()))
}

fn hosts(nodes: &[&NodeView]) -> usize {
    nodes.iter().map(|node| node.host).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GroupId, HostId, NodeId};

    /// One letter a node: its zone, in capitals if it is gone; `-` before it: it drains, `.`: it holds nothing, `+`: on the host of the one before.
    fn check(text: &str, expected: Option<&str>) {
        let mut nodes = Vec::new();
        let mut groups = Vec::new();
        let mut host = 0;
        for (number, word) in (1..).zip(text.split_whitespace()) {
            let (state, letter) = match word.strip_prefix('-') {
                Some(rest) => (NodeState::Draining, rest),
                None => (NodeState::Active, word),
            };
            host += u64::from(!letter.starts_with('+'));
            let letter = letter.trim_start_matches('+');
            let (empty, letter) = (letter.starts_with('.'), letter.trim_start_matches('.'));
            let node = NodeId(number);
            let up = letter != letter.to_uppercase();
            nodes.push(NodeView { node, host: HostId(host), zone: letter.to_lowercase(), weight: 100, state, up });
            if !empty {
                let voters = vec![node];
                groups.push(GroupView {
                    group: GroupId(1),
                    voters: voters.clone(),
                    target: voters,
                    leader: None,
                    bytes: 0,
                });
            }
        }
        assert_eq!(reason(&nodes, &groups).as_deref(), expected, "{text}");
    }

    #[test]
    fn one_node_is_repaired_and_many_are_waited_for() {
        check("a b c d", None);
        check("a b c D", None);
        check("a b C", None);
        check("a b C D", Some("2 of 4 active nodes look gone"));
        check("a b c d e F G", None);
        check("a b c d E F G", Some("3 of 7 active nodes look gone"));
    }

    #[test]
    fn a_zone_that_goes_as_a_whole_comes_back_as_a_whole() {
        check("a a b b c c D D", Some("all 2 nodes of zone \"d\" look gone"));
        check("a a b b c c d D", None);
    }

    #[test]
    fn a_machine_with_many_drives_is_one_machine() {
        check("a b C +C +C", None);
        check("a b C +C D", Some("3 of 5 active nodes look gone"));
    }

    #[test]
    fn who_was_drained_or_emptied_does_not_count() {
        check("a b -C -D", None);
        check("a b .C D e", None);
    }
}
