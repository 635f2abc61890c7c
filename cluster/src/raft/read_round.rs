//! Read rounds: reads of a leader of several voters, many of them behind one question to the majority.
//! Owns: who shares a round. A read joins a round only before it begins: the question must be asked after the read arrived.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind, Result};

/// An error is shared as its kind and text.
type Outcome = std::result::Result<u64, (ErrorKind, Arc<str>)>;
type Round = Shared<BoxFuture<'static, Outcome>>;

pub struct ReadRounds {
    /// The round that has not begun yet; taken by itself when it begins.
    next: Mutex<Option<Round>>,
    /// One round at a time; the next one collects readers meanwhile.
    turn: Arc<Semaphore>,
}

impl ReadRounds {
    pub fn new() -> Self {
        Self { next: Mutex::new(None), turn: Arc::new(Semaphore::new(1)) }
    }

    /// What `ask` gave in a round that began after this call.
    pub async fn join<A, F>(self: &Arc<Self>, ask: A) -> Result<u64>
    where
        A: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<u64>> + Send + 'static,
    {
        let round = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            next.get_or_insert_with(|| self.clone().round(ask)).clone()
        };
        round.await.map_err(|(kind, text)| Error::new(kind, &*text))
    }

    fn round<A, F>(self: Arc<Self>, ask: A) -> Round
    where
        A: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<u64>> + Send + 'static,
    {
        let round = async move {
            // The semaphore is never closed.
            let _turn = self.turn.clone().acquire_owned().await;
            *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
            ask().await.map_err(|error| (error.kind(), error.to_string().into()))
        };
        round.boxed().shared()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn readers_that_come_during_a_round_share_the_next_one() {
        let rounds = Arc::new(ReadRounds::new());
        let (asked, go) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let read = || {
            let (rounds, asked, go) = (rounds.clone(), asked.clone(), go.clone());
            async move {
                let ask = move || async move {
                    let round = asked.fetch_add(1, Ordering::Relaxed) + 1;
                    go.notified().await;
                    Ok(round)
                };
                rounds.join(ask).await.expect("reads")
            }
        };
        let first = tokio::spawn(read());
        tokio::task::yield_now().await;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let others: Vec<_> = (0..50).map(|_| tokio::spawn(read())).collect();
        tokio::task::yield_now().await;
        go.notify_one();
        assert_eq!(first.await.expect("ends"), 1);
        go.notify_one();
        let rounds: Vec<u64> = join_all(others).await.into_iter().map(|read| read.expect("ends")).collect();
        assert_eq!(rounds, vec![2; 50]);
    }

    #[tokio::test]
    async fn a_round_whose_readers_went_away_holds_up_nobody() {
        let rounds = Arc::new(ReadRounds::new());
        let stuck = rounds.join(std::future::pending);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), stuck).await.is_err());
        assert_eq!(rounds.join(|| async { Ok(7) }).await.expect("reads"), 7);
        let failed = rounds.join(|| async { Err(Error::new(ErrorKind::NotLeader, "read")) }).await;
        assert_eq!(failed.expect_err("fails").kind(), ErrorKind::NotLeader);
    }
}
