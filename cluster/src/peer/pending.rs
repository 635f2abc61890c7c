//! Pending: calls of one lane, from being made to being answered.
//! Owns: which were sent (an unanswered one may have been executed) and which were not (surely not), and that a call whose caller
//! went away leaves nothing behind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::limits::CALLS_IN_FLIGHT_MAX;
use crate::error::{Error, ErrorKind, Result};

#[derive(Default)]
pub struct Pending {
    calls: Mutex<HashMap<u64, Call>>,
    last_call: AtomicU64,
    /// Bytes of all calls that are not answered, and some for each call: what a new call has before it.
    load: AtomicUsize,
}

struct Call {
    answer: oneshot::Sender<Result<Bytes>>,
    sent: bool,
}

/// What a small call weighs when connections are compared.
const CALL_LOAD: usize = 1024;

impl Pending {
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// `None` if there are too many.
    pub fn add(self: &Arc<Self>, bytes: usize) -> Option<Waiting> {
        let (answer, answered) = oneshot::channel();
        let call = self.last_call.fetch_add(1, Ordering::Relaxed) + 1;
        let mut calls = self.lock();
        if calls.len() >= CALLS_IN_FLIGHT_MAX {
            return None;
        }
        calls.insert(call, Call { answer, sent: false });
        let load = CALL_LOAD + bytes;
        self.load.fetch_add(load, Ordering::Relaxed);
        Some(Waiting { pending: self.clone(), call, answered, load })
    }

    /// Asked just before the call is written: `false` if nobody waits for it any more, so that it need not be.
    pub fn begin_sending(&self, call: u64) -> bool {
        self.lock().get_mut(&call).map(|call| call.sent = true).is_some()
    }

    pub fn answer(&self, call: u64, answer: Result<Bytes>) {
        let call = self.lock().remove(&call);
        if let Some(call) = call {
            // The caller may go away at this moment.
            let _ = call.answer.send(answer);
        }
    }

    pub fn refuse(&self, call: u64, why: &str) {
        self.answer(call, Err(Error::new(ErrorKind::Unavailable, why)));
    }

    /// The connection is gone: what was sent may have been executed; what was not waits for the next one.
    pub fn connection_broke(&self, why: &str) {
        let sent: Vec<Call> = self.lock().extract_if(|_, call| call.sent).map(|(_, call)| call).collect();
        for call in sent {
            let _ = call.answer.send(Err(Error::new(ErrorKind::OutcomeUnknown, why)));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits.
pub struct Waiting {
    pending: Arc<Pending>,
    pub call: u64,
    answered: oneshot::Receiver<Result<Bytes>>,
    load: usize,
}

impl Waiting {
    pub async fn answer(mut self, limit: Duration) -> Result<Bytes> {
        match tokio::time::timeout(limit, &mut self.answered).await {
            Ok(Ok(answer)) => answer,
            // Dropped with its lane.
            Ok(Err(_)) => Err(Error::new(ErrorKind::OutcomeUnknown, "the connection was given up")),
            Err(_) => Err(match self.pending.lock().remove(&self.call) {
                Some(Call { sent: false, .. }) => Error::new(ErrorKind::Unavailable, "it could not be sent in time"),
                _ => Error::new(ErrorKind::OutcomeUnknown, format!("no answer within {limit:?}")),
            }),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.call);
        self.pending.load.fetch_sub(self.load, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    async fn outcome(waiting: Waiting) -> Result<Bytes, ErrorKind> {
        waiting.answer(LIMIT).await.map_err(|error| error.kind())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_sent_did_surely_not_happen() {
        let pending = Arc::new(Pending::default());
        let (unsent, sent, broken) =
            (pending.add(1).expect("room"), pending.add(1).expect("room"), pending.add(1).expect("room"));
        let unsent_call = unsent.call;
        assert!(pending.begin_sending(broken.call));
        pending.connection_broke("it broke");
        assert_eq!(outcome(broken).await, Err(ErrorKind::OutcomeUnknown));
        assert!(pending.begin_sending(sent.call));
        assert_eq!(outcome(sent).await, Err(ErrorKind::OutcomeUnknown));
        assert_eq!(outcome(unsent).await, Err(ErrorKind::Unavailable));
        assert!(!pending.begin_sending(unsent_call), "it will not be sent after its caller was told so");
        assert!(pending.is_empty() && pending.load() == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_finds_its_caller_and_a_late_one_nobody() {
        let pending = Arc::new(Pending::default());
        let (first, second) = (pending.add(10).expect("room"), pending.add(20).expect("room"));
        assert!(pending.load() > 30);
        let (first_call, second_call) = (first.call, second.call);
        pending.answer(second_call, Ok(Bytes::from_static(b"two")));
        drop(first);
        pending.answer(first_call, Ok(Bytes::from_static(b"late")));
        assert_eq!(outcome(second).await, Ok(Bytes::from_static(b"two")));
        assert!(pending.is_empty() && pending.load() == 0);
    }

    #[test]
    fn they_are_bounded() {
        let pending = Arc::new(Pending::default());
        let waiting: Vec<_> = (0..CALLS_IN_FLIGHT_MAX).map(|_| pending.add(0).expect("room")).collect();
        assert!(pending.add(0).is_none());
        drop(waiting);
        assert!(pending.add(0).is_some());
    }
}
