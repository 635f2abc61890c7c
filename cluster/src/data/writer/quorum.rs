//! Quorum: how far each replica is with one body, and what follows for the body. Pure.
//! Owns: whom the majority is counted among, and when there can be none any more. A replica that was lost stays lost.
//! Invariant: a body is durable when a majority of every set of voters that counts has synced all of it.

use crate::error::ErrorKind;
use crate::id::NodeId;
use crate::metadata::majority;

pub struct Quorum {
    replicas: Vec<Replica>,
    /// The voters when the body began and, if they changed since, those after each change: a majority of each is needed.
    voter_sets: Vec<Vec<NodeId>>,
    /// Chunks that were sent to every replica that is not lost.
    sent: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Replica {
    node: NodeId,
    /// Of the chunks sent; in any order, so this is a count.
    stored: u32,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Writing,
    Synced,
    Lost(ErrorKind),
}

impl Quorum {
    pub fn new(voters: Vec<NodeId>, learners: impl IntoIterator<Item = NodeId>) -> Self {
        let nodes = voters.iter().copied().chain(learners);
        let replicas = nodes.map(|node| Replica { node, stored: 0, fate: Fate::Writing }).collect();
        Self { replicas, voter_sets: vec![voters], sent: 0 }
    }

    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.replicas.iter().map(|replica| replica.node)
    }

    /// From now on a majority of these counts, too.
    pub fn require(&mut self, voters: &[NodeId]) {
        if !self.voter_sets.iter().any(|set| set == voters) {
            self.voter_sets.push(voters.to_vec());
        }
    }

    pub fn send(&mut self) {
        self.sent += 1;
    }

    pub fn stored(&mut self, replica: usize) {
        self.replicas[replica].stored += 1;
    }

    pub fn synced(&mut self, replica: usize) {
        if self.is_writing(replica) {
            self.replicas[replica].fate = Fate::Synced;
        }
    }

    pub fn lose(&mut self, replica: usize, kind: ErrorKind) {
        if self.is_writing(replica) {
            self.replicas[replica].fate = Fate::Lost(kind);
        }
    }

    pub fn is_writing(&self, replica: usize) -> bool {
        self.replicas[replica].fate == Fate::Writing
    }

    /// Neither synced nor lost.
    pub fn writing(&self) -> Vec<usize> {
        (0..self.replicas.len()).filter(|replica| self.is_writing(*replica)).collect()
    }

    pub fn has_all(&self, replica: usize) -> bool {
        self.replicas[replica].stored == self.sent
    }

    pub fn on_their_way(&self, replica: usize) -> u32 {
        self.sent - self.replicas[replica].stored
    }

    /// The least number of chunks on their way with which a majority of each voter set could be named.
    pub fn on_their_way_to_majority(&self) -> u32 {
        let of_set = |voters: &Vec<NodeId>| {
            let mut on_their_way: Vec<u32> = self.of(voters).map(|replica| self.sent - replica.stored).collect();
            on_their_way.sort_unstable();
            on_their_way.get(majority(voters.len()) - 1).copied().unwrap_or(self.sent)
        };
        self.voter_sets.iter().map(of_set).max().unwrap_or(0)
    }

    pub fn is_durable(&self) -> bool {
        self.voter_sets.iter().all(|voters| self.is_durable_on(voters))
    }

    pub fn is_durable_on(&self, voters: &[NodeId]) -> bool {
        let synced = self.of(voters).filter(|replica| replica.fate == Fate::Synced).count();
        synced >= majority(voters.len())
    }

    /// Not yet, but nothing speaks against it.
    pub fn may_become_durable_on(&self, voters: &[NodeId]) -> bool {
        !self.is_durable_on(voters) && self.of(voters).count() >= majority(voters.len())
    }

    pub fn synced_on(&self) -> Vec<NodeId> {
        let synced = self.replicas.iter().filter(|replica| replica.fate == Fate::Synced);
        synced.map(|replica| replica.node).collect()
    }

    /// Why the body can never become durable, if it cannot.
    pub fn failure(&self) -> Option<ErrorKind> {
        self.voter_sets.iter().find(|voters| self.of(voters).count() < majority(voters.len())).map(|voters| {
            let mut kinds = voters.iter().filter_map(|voter| self.loss_of(*voter));
            let first = kinds.next().unwrap_or(ErrorKind::Unavailable);
            // Who was not reached, or gave no answer, may be there for the next try.
            match first {
                ErrorKind::Full | ErrorKind::Internal if kinds.all(|kind| kind == first) => first,
                _ => ErrorKind::Unavailable,
            }
        })
    }

    /// The replicas of `voters` that are not lost. A voter that came later was never sent anything.
    fn of<'a>(&'a self, voters: &'a [NodeId]) -> impl Iterator<Item = &'a Replica> {
        let is_lost = |replica: &Replica| matches!(replica.fate, Fate::Lost(_));
        self.replicas.iter().filter(move |replica| voters.contains(&replica.node) && !is_lost(replica))
    }

    fn loss_of(&self, voter: NodeId) -> Option<ErrorKind> {
        match self.replicas.iter().find(|replica| replica.node == voter) {
            None => Some(ErrorKind::Unavailable),
            Some(Replica { fate: Fate::Lost(kind), .. }) => Some(*kind),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(nodes: &[u64]) -> Vec<NodeId> {
        nodes.iter().copied().map(NodeId).collect()
    }

    fn sent(quorum: &mut Quorum, chunks: u32, stored: &[u32]) {
        (0..chunks).for_each(|_| quorum.send());
        for (replica, stored) in stored.iter().enumerate() {
            (0..*stored).for_each(|_| quorum.stored(replica));
        }
    }

    #[test]
    fn durable_is_a_majority_of_the_voters_and_learners_do_not_count() {
        let mut quorum = Quorum::new(nodes(&[1, 2, 3]), nodes(&[4]));
        quorum.synced(0);
        quorum.synced(3);
        assert!(!quorum.is_durable());
        quorum.synced(2);
        assert!(quorum.is_durable());
        let mut alone = Quorum::new(nodes(&[7]), []);
        assert!(!alone.is_durable());
        alone.synced(0);
        assert!(alone.is_durable());
    }

    #[test]
    fn voters_that_changed_meanwhile_must_agree_too() {
        let mut quorum = Quorum::new(nodes(&[1, 2, 3]), []);
        quorum.synced(0);
        quorum.synced(1);
        assert!(quorum.is_durable());
        quorum.require(&nodes(&[2, 3, 4]));
        assert!(!quorum.is_durable(), "node 2 alone of the new ones");
        assert_eq!(quorum.failure(), None, "node 3 may still come");
        quorum.lose(2, ErrorKind::OutcomeUnknown);
        assert_eq!(quorum.failure(), Some(ErrorKind::Unavailable));
        let mut quorum = Quorum::new(nodes(&[1, 2, 3]), nodes(&[4]));
        quorum.require(&nodes(&[2, 3, 4]));
        quorum.synced(1);
        quorum.synced(3);
        assert!(!quorum.is_durable(), "node 2 alone of the old ones");
        quorum.synced(0);
        assert!(quorum.is_durable());
    }

    #[test]
    fn the_slowest_of_the_fastest_majority_sets_the_pace() {
        let mut quorum = Quorum::new(nodes(&[1, 2, 3]), nodes(&[4]));
        sent(&mut quorum, 5, &[5, 3, 0, 0]);
        assert_eq!(quorum.on_their_way_to_majority(), 2);
        quorum.lose(0, ErrorKind::Unavailable);
        assert_eq!(quorum.on_their_way_to_majority(), 5, "now the third is needed");
    }

    #[test]
    fn a_failure_has_the_kind_that_all_lost_voters_share() {
        use ErrorKind::{Corrupt, Full, Internal, OutcomeUnknown, Unavailable};
        for (kinds, expected) in [
            (vec![Full], None),
            (vec![Full, Full], Some(Full)),
            (vec![Internal, Internal], Some(Internal)),
            (vec![Full, Internal], Some(Unavailable)),
            (vec![Full, OutcomeUnknown], Some(Unavailable)),
            (vec![Corrupt, Corrupt], Some(Unavailable)),
        ] {
            let mut quorum = Quorum::new(nodes(&[1, 2, 3]), []);
            kinds.iter().enumerate().for_each(|(replica, kind)| quorum.lose(replica, *kind));
            assert_eq!(quorum.failure(), expected, "{kinds:?}");
        }
    }

    #[test]
    fn what_is_lost_stays_lost_and_what_is_synced_stays_synced() {
        let mut quorum = Quorum::new(nodes(&[1, 2]), []);
        quorum.lose(0, ErrorKind::Full);
        quorum.synced(0);
        quorum.synced(1);
        quorum.lose(1, ErrorKind::Full);
        assert!(!quorum.is_durable());
        assert_eq!(quorum.writing(), Vec::<usize>::new());
        assert_eq!(quorum.failure(), Some(ErrorKind::Full));
    }
}
