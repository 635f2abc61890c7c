//! Back-fills: how the leader of a group learns whether a new replica has the bytes of the group.
//! Owns: the question (`BLOB_MISSING`), its bytes, and which log entry the answer must include.
//! Does not own: the work, which the asked node does by itself (`passes`); what follows from the answer (`placement::mover`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::error as engine;
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use tokio::time::Instant;

use super::group_state::GroupStates;
use super::passes::{BackfillProgress, Passes};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::peer::{Caller, Handler, Method, Payload, Peers};

const CALL_LIMIT: Duration = Duration::from_secs(2);
/// Who was not asked for this long is asked for everything up to then: it may have left the group and come back.
const QUESTION_AGE_MAX: Duration = Duration::from_secs(60);

/// The asking side. Cheap to clone.
#[derive(Clone)]
pub struct Backfills {
    peers: Peers,
    asked: Arc<Mutex<BTreeMap<(NodeId, GroupId), Question>>>,
}

#[derive(Clone, Copy)]
struct Question {
    wanted: u64,
    asked: Instant,
}

/// What a node is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    group: GroupId,
    /// The log entry up to which everything must be there.
    wanted: u64,
}

impl Backfills {
    pub(super) fn new(peers: Peers) -> Self {
        Self { peers, asked: Arc::default() }
    }

    /// Whether `node` has all bytes that the group's records name. `last_index`: of the log, here. To be asked again and again.
    pub fn is_complete(&self, node: NodeId, group: GroupId, last_index: u64) -> BoxFuture<'static, Result<bool>> {
        if group == GroupId::SYSTEM {
            // It names no blobs.
            return Box::pin(std::future::ready(Ok(true)));
        }
        let progress = self.progress(node, group, last_index);
        Box::pin(async move { Ok(progress.await?.complete) })
    }

    fn progress(&self, node: NodeId, group: GroupId, last_index: u64) -> BoxFuture<'static, Result<BackfillProgress>> {
        let wanted = self.wanted(node, group, last_index, Instant::now());
        let request = vec![Request { group, wanted }.to_bytes()];
        let answer = self.peers.call(node, Method::BLOB_MISSING, request, CALL_LIMIT);
        Box::pin(async move { Ok(BackfillProgress::from_bytes(&answer.await?)?) })
    }

    /// The same entry as long as the same question goes on, so that the answer can become yes under load.
    fn wanted(&self, node: NodeId, group: GroupId, last_index: u64, now: Instant) -> u64 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, question| now.duration_since(question.asked) < QUESTION_AGE_MAX);
        let question = asked.entry((node, group)).or_insert(Question { wanted: last_index, asked: now });
        question.asked = now;
        question.wanted
    }
}

/// Answers for this node.
pub(super) fn handler(passes: Passes, states: Arc<dyn GroupStates>) -> impl Handler {
    move |_from: Caller, request: Bytes| -> BoxFuture<'static, Result<Payload>> {
        let (passes, states) = (passes.clone(), states.clone());
        Box::pin(async move {
            let Request { group, wanted } = Request::from_bytes(&request)?;
            let Some(applied) = states.applied(group) else {
                return Err(Error::new(ErrorKind::NotFound, format!("group {} is not on this node", group.0)));
            };
            Ok(vec![passes.backfill(group, applied, wanted).to_bytes()])
        })
    }
}

impl Record for Request {
    const NAME: &'static str = "question for missing blobs";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u32(self.group.0).u64(self.wanted);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> engine::Result<Self> {
        Ok(Self { group: GroupId(decoder.u32()?), wanted: decoder.u64()? })
    }
}

impl Record for BackfillProgress {
    const NAME: &'static str = "back-fill progress";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.bool(self.complete).u64(self.blobs_left).u64(self.bytes_left);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> engine::Result<Self> {
        Ok(Self { complete: decoder.bool()?, blobs_left: decoder.u64()?, bytes_left: decoder.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::peer::Alone;

    #[test]
    fn the_bytes_of_the_question_and_of_the_answer() {
        let hex = |bytes: Bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let request = Request { group: GroupId(3), wanted: 0x0102 };
        expect!["01000000030000000000000102"].assert_eq(&hex(request.to_bytes()));
        assert_eq!(Request::from_bytes(&request.to_bytes()).expect("reads"), request);
        let progress = BackfillProgress { complete: false, blobs_left: 5, bytes_left: 7 };
        expect!["010000000000000000050000000000000007"].assert_eq(&hex(progress.to_bytes()));
        assert_eq!(BackfillProgress::from_bytes(&progress.to_bytes()).expect("reads"), progress);
    }

    #[test]
    fn a_question_keeps_its_entry_until_it_is_asked_no_more() {
        let (backfills, start) = (Backfills::new(Arc::new(Alone)), Instant::now());
        let ask = |index, seconds| backfills.wanted(NodeId(4), GroupId(1), index, start + Duration::from_secs(seconds));
        assert_eq!((ask(10, 0), ask(20, 50), ask(30, 100)), (10, 10, 10));
        assert_eq!(ask(40, 160), 40, "it may have been away");
        assert_eq!(backfills.wanted(NodeId(5), GroupId(1), 41, start), 41);
    }
}
