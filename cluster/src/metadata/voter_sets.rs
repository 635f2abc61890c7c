//! Voter sets: whose majority decides in a group, and must hold what it names.
//! Owns: the majority rule.

use crate::id::NodeId;

/// One set, or two while one replaces the other (joint consensus): then a majority of each counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoterSets(Vec<Vec<NodeId>>);

impl VoterSets {
    pub fn new(sets: impl IntoIterator<Item = Vec<NodeId>>) -> Self {
        Self(sets.into_iter().collect())
    }

    pub fn have_majority(&self, is_one: impl Fn(NodeId) -> bool) -> bool {
        self.0.iter().all(|voters| voters.iter().filter(|voter| is_one(**voter)).count() >= majority(voters.len()))
    }
}

/// How many of `voters` nodes agree or hold bytes for good.
pub fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_every_set_is_needed() {
        let nodes = |numbers: &[u64]| numbers.iter().copied().map(NodeId).collect::<Vec<_>>();
        let joint = VoterSets::new([nodes(&[1, 2, 3]), nodes(&[3, 4, 5])]);
        for (some, expected) in
            [(&[1, 2, 3, 4, 5][..], true), (&[2, 3, 4], true), (&[1, 2, 3], false), (&[3, 4, 5], false), (&[3], false)]
        {
            assert_eq!(joint.have_majority(|node| some.contains(&node.0)), expected, "{some:?}");
        }
    }
}
