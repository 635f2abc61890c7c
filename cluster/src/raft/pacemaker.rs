//! Pacemaker: keeps the leaders of all groups of this node in their place, and notices those that are gone.
//! Owns: heartbeats and elections, which openraft would otherwise time for each group by itself.
//! Does not own: what an election is (openraft); safety never depends on time.
//!
//! A group that is idle costs nothing by itself: once a heartbeat interval a node sends each other node one pulse with a beat for every
//! group that it leads and the other follows. The receiver looks them up without waking the groups. Only where it does not follow
//! that leader in that term, or lacks commits, the leader sends the group's own heartbeat, which settles it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use onggi_storage_engine::drive::WriteFor;
use onggi_storage_engine::format::Record;
use openraft::ServerState;
use openraft::async_runtime::WatchReceiver;
use openraft::raft::{VoteRequest, VoteResponse};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::group_set::GroupSet;
use super::pulse_message::{Beat, Pulse, PulseAnswer};
use super::type_config::TypeConfig;
use crate::id::{GroupId, NodeId};
use crate::peer::{Method, Peers};

/// Looked at in steps of this part of a heartbeat: fine against the spread of the followers' patience.
const STEPS_PER_PULSE: u32 = 5;

pub struct Pacemaker {
    pub groups: Weak<GroupSet>,
    pub peers: Peers,
    pub heartbeat: Duration,
}

impl Pacemaker {
    pub async fn run(self, stop: CancellationToken) {
        let mut pulses: BTreeMap<NodeId, JoinHandle<()>> = BTreeMap::new();
        let mut next_pulse = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.heartbeat / STEPS_PER_PULSE) => {}
            }
            let Some(groups) = self.groups.upgrade() else { return };
            if Instant::now() >= next_pulse {
                next_pulse = Instant::now() + self.heartbeat;
                // One at a time to each node: a slow one is not helped by more.
                pulses.retain(|_, pulse| !pulse.is_finished());
                for (node, beats) in beats(&groups) {
                    if !pulses.contains_key(&node) && self.peers.is_up(node) {
                        pulses.insert(node, tokio::spawn(self.pulse(&groups, node, beats)));
                    }
                }
            }
            groups.select(|group| group.patience.is_over()).into_iter().for_each(Group::stand_for_election);
        }
    }

    fn pulse(&self, groups: &Arc<GroupSet>, node: NodeId, beats: Vec<Beat>) -> impl Future<Output = ()> + use<> {
        let pulse = vec![Pulse { beats }.to_bytes()];
        let answer = self.peers.call(node, Method::RAFT_PULSE, pulse, self.heartbeat * 2);
        let groups = Arc::downgrade(groups);
        async move {
            // Without an answer the next pulse tries again.
            let Ok(answer) = answer.await else { return };
            let Ok(PulseAnswer { astray }) = PulseAnswer::from_bytes(&answer) else { return };
            let Some(groups) = groups.upgrade() else { return };
            for group in astray.into_iter().filter_map(|group| groups.find(group)) {
                // Fails only when the group stops.
                let _ = group.raft.trigger().heartbeat().await;
            }
        }
    }
}

/// What each other node is to be told.
fn beats(groups: &GroupSet) -> BTreeMap<NodeId, Vec<Beat>> {
    let mut beats: BTreeMap<NodeId, Vec<Beat>> = BTreeMap::new();
    groups.for_each(|group| group.add_beats(&mut beats));
    beats
}

/// What `from` is told: the groups in which this node does not follow it.
pub fn answer_pulse(groups: &GroupSet, from: NodeId, pulse: &Pulse) -> PulseAnswer {
    let astray = |beat: &&Beat| groups.find(beat.group).is_some_and(|group| !group.follows(from, beat));
    PulseAnswer { astray: pulse.beats.iter().filter(astray).map(|beat| beat.group).collect::<Vec<GroupId>>() }
}

impl Group {
    /// One beat for each other member, if this node leads and means to go on doing so.
    fn add_beats(&self, beats: &mut BTreeMap<NodeId, Vec<Beat>>) {
        if !self.takes_part() {
            return;
        }
        let metrics = self.metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        let hands_over = self.handing_over.is_in(metrics.current_term);
        // A leader that is no voter any more is about to hand over, too.
        let stays = !hands_over && membership.voter_ids().any(|voter| voter == self.node.0);
        if metrics.state != ServerState::Leader || !stays {
            return;
        }
        let committed_next = metrics.local_committed.map_or(0, |log_id| log_id.index + 1);
        let committed_next = self.beat_committed.swap(committed_next, Ordering::Relaxed);
        let beat = Beat { group: self.id, term: metrics.current_term, committed_next };
        for (member, _) in membership.nodes().filter(|(member, _)| **member != self.node.0) {
            beats.entry(NodeId(*member)).or_default().push(beat);
        }
    }

    fn follows(&self, leader: NodeId, beat: &Beat) -> bool {
        let metrics = self.metrics.borrow_watched();
        if metrics.current_leader != Some(leader.0) || metrics.current_term != beat.term {
            return false;
        }
        self.patience.heard();
        metrics.local_committed.map_or(0, |log_id| log_id.index + 1) >= beat.committed_next
    }

    /// Asks the others whether they would vote for this node, and stands if they would. Nothing happens if it leads, is no voter, or has no room for a vote.
    fn stand_for_election(self: Arc<Self>) {
        self.patience.stood();
        if self.is_leader() || !self.voters().contains(&self.node) || self.drive.admit(WriteFor::Voting).is_err() {
            return;
        }
        // In a task of its own: a group whose queue is full must not hold up the others.
        tokio::spawn(async move {
            // Fails only when the group stops.
            let _ = self.raft.trigger().elect(true).await;
        });
    }

    /// The answer to a candidate whose log has less than this replica had when it left the group; `None` leaves it to the group.
    pub(super) fn refuse_by_promise(&self, request: &VoteRequest<TypeConfig>) -> Option<VoteResponse<TypeConfig>> {
        let is_forbidden = self.promise.forbids(request.last_log_id.as_ref());
        is_forbidden.then(|| VoteResponse::new(self.metrics.borrow_watched().vote, self.promise.log_id(), false))
    }

    /// The answer to a pre-vote while there is a leader; `None` leaves it to the group.
    pub(super) fn refuse_pre_vote(&self) -> Option<VoteResponse<TypeConfig>> {
        // Each looks at the metrics by itself: whoever holds them while it looks again waits for a writer that waits for it.
        let (majority_is_up, takes_part) = (self.majority_is_up(), self.takes_part());
        let metrics = self.metrics.borrow_watched();
        let has_leader = match metrics.state {
            ServerState::Leader => majority_is_up && !self.handing_over.is_in(metrics.current_term),
            _ => metrics.current_leader.is_some() && self.patience.is_content(),
        };
        (has_leader && takes_part).then(|| VoteResponse::new(metrics.vote, None, false))
    }
}
