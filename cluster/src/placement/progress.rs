//! Progress: what is still to be copied until every group is where it shall be. Pure.
//! Owns: what counts as left, and how long that takes at the pace of the last seconds.
//! Does not own: where groups shall be (`planner`), what nodes report of themselves (`data::FillReport`).

use std::collections::BTreeMap;

use super::Placement;
use crate::data::FillReport;
use crate::id::{GroupId, NodeId};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Those that are not where they shall be, those that wait for their turn among them.
    pub groups: Vec<GroupProgress>,
    /// What all nodes together fetch.
    pub bytes_per_second: u64,
    /// Of the node that takes longest; `None` while that cannot be told.
    pub seconds_left: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupProgress {
    pub group: GroupId,
    pub copies: Vec<CopyProgress>,
    /// Nodes that will not have it any more.
    pub leaves: Vec<NodeId>,
}

/// A copy that is being made, or will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    pub node: NodeId,
    /// Of the whole copy, and what of it is left; `None`: nobody has counted yet.
    pub bytes: Option<u64>,
    pub bytes_left: Option<u64>,
}

impl GroupProgress {
    pub fn bytes(&self) -> Option<u64> {
        self.copies.iter().map(|copy| copy.bytes).sum()
    }

    pub fn bytes_left(&self) -> Option<u64> {
        self.copies.iter().map(|copy| copy.bytes_left).sum()
    }
}

impl Progress {
    /// `planned`: where each group shall be; one that is on its way goes to where it was sent first.
    pub fn of(
        placement: &Placement,
        planned: &BTreeMap<GroupId, Vec<NodeId>>,
        reports: &BTreeMap<NodeId, FillReport>,
    ) -> Self {
        let mut groups = Vec::new();
        for record in placement.groups.values() {
            let is_on_its_way = record.voters != record.target;
            let target =
                if is_on_its_way { &record.target } else { planned.get(&record.group).unwrap_or(&record.target) };
            if *target == record.voters {
                continue;
            }
            let fill = |node: &NodeId| reports.get(node)?.of_group(record.group).copied();
            // The system group names no blobs.
            let bytes = match record.group {
                GroupId::SYSTEM => Some(0),
                _ => record.voters.iter().filter_map(fill).map(|fill| fill.named_bytes).max(),
            };
            let copy = |node: &NodeId| match fill(node) {
                Some(fill) if is_on_its_way => {
                    CopyProgress { node: *node, bytes: Some(fill.named_bytes), bytes_left: Some(fill.missing_bytes) }
                }
                _ => CopyProgress { node: *node, bytes, bytes_left: bytes },
            };
            let copies = target.iter().filter(|node| !record.voters.contains(node)).map(copy).collect();
            let leaves = record.voters.iter().filter(|node| !target.contains(node)).copied().collect();
            groups.push(GroupProgress { group: record.group, copies, leaves });
        }
        let bytes_per_second = reports.values().map(|report| report.bytes_per_second).sum();
        let seconds_left = seconds_left(&groups, reports);
        Self { groups, bytes_per_second, seconds_left }
    }
}

fn seconds_left(groups: &[GroupProgress], reports: &BTreeMap<NodeId, FillReport>) -> Option<u64> {
    let mut left: BTreeMap<NodeId, u64> = BTreeMap::new();
    for copy in groups.iter().flat_map(|group| &group.copies) {
        *left.entry(copy.node).or_default() += copy.bytes_left?;
    }
    let seconds =
        left.into_iter().map(|(node, bytes)| match reports.get(&node).map(|report| report.bytes_per_second) {
            _ if bytes == 0 => Some(0),
            None | Some(0) => None,
            Some(pace) => Some(bytes.div_ceil(pace)),
        });
    seconds.collect::<Option<Vec<u64>>>().map(|seconds| seconds.into_iter().max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::GroupFill;
    use crate::metadata::record::GroupRecord;
    use crate::placement::PartitionMap;

    fn nodes(numbers: &[u64]) -> Vec<NodeId> {
        numbers.iter().copied().map(NodeId).collect()
    }

    fn placement(groups: &[(u32, &[u64], &[u64])]) -> Placement {
        let record = |(group, voters, target): &(u32, &[u64], &[u64])| {
            let group = GroupId(*group);
            (group, GroupRecord { group, voters: nodes(voters), target: nodes(target), step: 1 })
        };
        let groups = groups.iter().map(record).collect();
        Placement { map: PartitionMap::even(1), groups, nodes: BTreeMap::new(), splits: BTreeMap::new() }
    }

    /// `(group, named, missing)`
    type Fill = (u32, u64, u64);

    /// `(node, bytes a second, its fills)`
    fn reports(of: &[(u64, u64, &[Fill])]) -> BTreeMap<NodeId, FillReport> {
        let report = |(node, bytes_per_second, fills): &(u64, u64, &[Fill])| {
            let fill = |(group, named_bytes, missing_bytes): &Fill| GroupFill {
                group: GroupId(*group),
                named_bytes: *named_bytes,
                missing_bytes: *missing_bytes,
            };
            let groups = fills.iter().map(fill).collect();
            (NodeId(*node), FillReport { bytes_per_second: *bytes_per_second, groups })
        };
        of.iter().map(report).collect()
    }

    #[test]
    fn what_is_on_its_way_and_what_waits_for_its_turn_is_left() {
        let placement = placement(&[
            (0, &[1], &[1]),
            (1, &[1, 2, 3], &[1, 2, 4]),
            (2, &[1, 2, 3], &[1, 2, 3]),
            (3, &[1, 2, 3], &[1, 2, 3]),
        ]);
        let planned = [(GroupId(0), nodes(&[1, 4])), (GroupId(2), nodes(&[2, 3, 4])), (GroupId(3), nodes(&[1, 2, 3]))];
        let reports = reports(&[(1, 0, &[(1, 100, 0), (2, 60, 0)]), (4, 10, &[(1, 100, 30)])]);
        let progress = Progress::of(&placement, &planned.into(), &reports);
        let copy = |bytes, bytes_left| {
            vec![CopyProgress { node: NodeId(4), bytes: Some(bytes), bytes_left: Some(bytes_left) }]
        };
        let group =
            |group, copies, leaves: &[u64]| GroupProgress { group: GroupId(group), copies, leaves: nodes(leaves) };
        assert_eq!(
            progress.groups,
            [group(0, copy(0, 0), &[]), group(1, copy(100, 30), &[3]), group(2, copy(60, 60), &[1]),]
        );
        assert_eq!((progress.bytes_per_second, progress.seconds_left), (10, Some(9)));
    }

    #[test]
    fn what_nobody_has_counted_is_not_guessed() {
        let placement = placement(&[(1, &[1], &[1, 2, 3])]);
        let progress = Progress::of(&placement, &BTreeMap::new(), &reports(&[(1, 0, &[]), (2, 5, &[])]));
        assert_eq!((progress.groups[0].bytes_left(), progress.seconds_left), (None, None));
        let waits = Progress::of(&placement, &BTreeMap::new(), &reports(&[(1, 0, &[(1, 9, 0)]), (2, 0, &[])]));
        assert_eq!((waits.groups[0].bytes_left(), waits.seconds_left), (Some(18), None), "nothing comes yet");
    }

    #[test]
    fn nothing_left_takes_no_time() {
        let placement = placement(&[(1, &[1, 2, 3], &[1, 2, 3])]);
        assert_eq!(Progress::of(&placement, &BTreeMap::new(), &BTreeMap::new()).seconds_left, Some(0));
    }
}
