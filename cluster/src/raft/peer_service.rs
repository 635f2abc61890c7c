//! Peer service: what other nodes ask of the groups of this one.
//! Owns: finding the group of a message, and handing messages over in the order in which they came.
//! Does not own: what a message means (openraft), its bytes (`message`, `append_message`).

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use onggi_storage_engine::drive::WriteFor;
use onggi_storage_engine::format::Record;
use openraft::errors::RaftError;
use openraft::raft::AppendEntriesResponse;
use openraft::storage::Snapshot;

use super::append_message::{AppendAnswer, decode_append};
use super::format::VoteRecord;
use super::group::Group;
use super::group_set::GroupSet;
use super::message::{
    SnapshotBegin, SnapshotBegun, SnapshotBlock, SnapshotEnd, TransferAnswer, TransferMessage, VoteAnswer, VoteMessage,
};
use super::pacemaker::answer_pulse;
use super::pulse_message::Pulse;
use super::snapshot::SnapshotData;
use super::snapshot_file::SnapshotFile;
use super::snapshot_receive::{Received, SnapshotReceiver};
use super::type_config::{SnapshotMeta, TypeConfig, Vote};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::peer::{Caller, Handlers, Method, Payload};

type Answer = BoxFuture<'static, Result<Payload>>;

/// Adds the handlers of the groups to `handlers`.
pub fn serve_groups(groups: &Arc<GroupSet>, handlers: Handlers) -> Handlers {
    let receiver = Arc::new(SnapshotReceiver::new(groups.snapshot_files().clone()));
    let service = |serve: fn(&Service, NodeId, Bytes) -> Result<Answer>| {
        let service = Service { groups: groups.clone(), receiver: receiver.clone() };
        move |from: Caller, payload: Bytes| -> Answer {
            let answer = node_of(from).and_then(|from| serve(&service, from, payload));
            answer.unwrap_or_else(|error| ready(Err(error)).boxed())
        }
    };
    handlers
        .with(Method::RAFT_APPEND, service(Service::append))
        .with(Method::RAFT_VOTE, service(Service::vote))
        .with(Method::RAFT_PRE_VOTE, service(Service::pre_vote))
        .with(Method::RAFT_TRANSFER_LEADER, service(Service::transfer_leader))
        .with(Method::RAFT_PULSE, service(Service::pulse))
        .with(Method::RAFT_SNAPSHOT_BEGIN, service(Service::begin_snapshot))
        .with(Method::RAFT_SNAPSHOT_BLOCK, service(Service::snapshot_block))
        .with(Method::RAFT_SNAPSHOT_END, service(Service::end_snapshot))
}

struct Service {
    groups: Arc<GroupSet>,
    receiver: Arc<SnapshotReceiver>,
}

impl Service {
    fn append(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let (group, request) = decode_append(&payload)?;
        let group = self.group_led_by(from, group, &request.vote)?;
        // The leader goes on with the others, and sends this again.
        group.drive.admit(if request.entries.is_empty() { WriteFor::Voting } else { WriteFor::Changing })?;
        group.admit_entries(request.prev_log_id.as_ref(), &request.entries)?;
        Ok(queued_now(async move {
            let answer = group.raft.append_entries(request).await;
            if !matches!(answer, Err(_) | Ok(AppendEntriesResponse::HigherVote(_))) {
                group.patience.heard();
            }
            answered(&group, answer.map(AppendAnswer))
        }))
    }

    fn pulse(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let answer = answer_pulse(&self.groups, from, &Pulse::from_bytes(&payload)?);
        Ok(ready(Ok(vec![answer.to_bytes()])).boxed())
    }

    fn vote(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let message = VoteMessage::from_bytes(&payload)?;
        let group = self.group_led_by(from, message.group, &message.request.vote)?;
        group.drive.admit(WriteFor::Voting)?;
        if let Some(refusal) = group.refuse_by_promise(&message.request) {
            return Ok(ready(Ok(vec![VoteAnswer(refusal).to_bytes()])).boxed());
        }
        Ok(queued_now(async move {
            let answer = group.raft.vote(message.request).await;
            // It gets the time to become leader.
            if answer.as_ref().is_ok_and(|answer| answer.vote_granted) {
                group.patience.heard();
            }
            answered(&group, answer.map(VoteAnswer))
        }))
    }

    fn pre_vote(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let message = VoteMessage::from_bytes(&payload)?;
        let group = self.group_led_by(from, message.group, &message.request.vote)?;
        if let Some(refusal) = group.refuse_by_promise(&message.request).or_else(|| group.refuse_pre_vote()) {
            return Ok(ready(Ok(vec![VoteAnswer(refusal).to_bytes()])).boxed());
        }
        Ok(queued_now(async move {
            let answer = group.raft.pre_vote(message.request).await;
            answered(&group, answer.map(VoteAnswer))
        }))
    }

    fn transfer_leader(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let message = TransferMessage::from_bytes(&payload)?;
        let group = self.group_led_by(from, message.group, message.request.from_leader())?;
        Ok(queued_now(async move {
            let answer = group.raft.handle_transfer_leader(message.request).await;
            let answer = answer.map_err(|fatal| group.internal("hand over leadership", fatal))?;
            Ok(vec![TransferAnswer(answer).to_bytes()])
        }))
    }

    fn begin_snapshot(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let begin = SnapshotBegin::from_bytes(&payload)?;
        self.group_led_by(from, begin.group, &begin.vote)?.drive.admit(WriteFor::Storing)?;
        let receiver = self.receiver.clone();
        let answer = async move {
            let transfer = receiver.begin(from, begin.group, begin.vote, begin.file_bytes).await?;
            Ok(vec![SnapshotBegun(transfer).to_bytes()])
        };
        Ok(answer.boxed())
    }

    fn snapshot_block(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let block = SnapshotBlock::from_payload(&payload)?;
        let receiver = self.receiver.clone();
        let answer = async move {
            receiver.block(from, block.group, block.transfer, block.offset, block.bytes).await?;
            Ok(Vec::new())
        };
        Ok(answer.boxed())
    }

    fn end_snapshot(&self, from: NodeId, payload: Bytes) -> Result<Answer> {
        let end = SnapshotEnd::from_bytes(&payload)?;
        let (group, receiver) = (self.groups.get(end.group)?, self.receiver.clone());
        let answer = async move {
            let (received, file) = receiver.end(from, end.group, end.transfer).await?;
            // In a task of its own: a connection that breaks must not end the guard of the file while it is installed.
            let installed = tokio::spawn(install(group, received, file));
            let vote =
                installed.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "install snapshot", panic))??;
            Ok(vec![VoteRecord(vote).to_bytes()])
        };
        Ok(answer.boxed())
    }

    /// A node speaks for itself only.
    fn group_led_by(&self, from: NodeId, group: GroupId, vote: &Vote) -> Result<Arc<Group>> {
        if vote.leader_id.node_id != from.0 {
            let context = format!("node {} speaks for node {} in group {}", from.0, vote.leader_id.node_id, group.0);
            return Err(Error::new(ErrorKind::Conflict, context));
        }
        if self.groups.is_stopping() {
            return Err(Error::new(ErrorKind::Unavailable, "this node stops"));
        }
        self.groups.get(group)
    }
}

async fn install(group: Arc<Group>, received: Received, file: SnapshotFile) -> Result<Vote> {
    let applied = file.applied();
    group.admit_snapshot(applied.last_applied.as_ref())?;
    let meta = SnapshotMeta { last_log_id: applied.last_applied, last_membership: applied.membership.clone() };
    let snapshot = Snapshot { meta, snapshot: SnapshotData::Received(Arc::new(file)) };
    let installed = group.raft.install_full_snapshot(received.vote, snapshot).await;
    let vote = installed.map_err(|fatal| group.internal("install snapshot", fatal))?.vote;
    drop(received);
    Ok(vote)
}

fn node_of(from: Caller) -> Result<NodeId> {
    match from {
        Caller::Node(node) => Ok(node),
        Caller::Join(_) => Err(Error::new(ErrorKind::Conflict, "an invited node is no member of a group")),
    }
}

fn answered<R: Record>(group: &Group, answer: std::result::Result<R, RaftError<TypeConfig>>) -> Result<Payload> {
    match answer {
        Ok(answer) => Ok(vec![answer.to_bytes()]),
        Err(error) => Err(group.internal("answer a peer", error)),
    }
}

/// Polls `work` once, now: its message then stands in the group's queue, behind those that came before it. Outside of the task's budget,
/// which could otherwise make the first poll do nothing.
fn queued_now(work: impl Future<Output = Result<Payload>> + Send + 'static) -> Answer {
    let mut work = tokio::task::unconstrained(work).boxed();
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => ready(answer).boxed(),
        Poll::Pending => work,
    }
}
