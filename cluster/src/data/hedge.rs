//! Hedge: asks one source after the other until one gives what is wanted, and the next one early if the one before is slow.
//! Does not own: who the sources are and in which order.

use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use crate::error::{Error, Result};
use crate::id::NodeId;

/// One source, asked when it is polled.
pub struct Attempt<T> {
    pub node: NodeId,
    pub work: BoxFuture<'static, Result<T>>,
}

/// Who could not give it, and why.
pub struct Fault {
    pub node: NodeId,
    pub error: Error,
}

/// What came, from whom, and who had failed by then; or how all failed. `patience` is asked each time a source
/// is slow; `None` waits for it.
pub async fn first_good<T>(
    attempts: Vec<Attempt<T>>,
    mut patience: impl FnMut() -> Option<Duration>,
) -> std::result::Result<(T, NodeId, Vec<Fault>), Vec<Fault>> {
    let mut waiting = attempts.into_iter();
    let mut asked = FuturesUnordered::new();
    let mut faults = Vec::new();
    let ask = |attempt: Attempt<T>| async move { (attempt.node, attempt.work.await) };
    loop {
        if asked.is_empty() {
            match waiting.next() {
                Some(attempt) => asked.push(ask(attempt)),
                None => return Err(faults),
            }
        }
        let limit = if waiting.len() > 0 { patience() } else { None };
        let answered = match limit {
            None => asked.next().await,
            Some(limit) => match tokio::time::timeout(limit, asked.next()).await {
                Ok(answered) => answered,
                Err(_slow) => {
                    asked.extend(waiting.next().map(ask));
                    continue;
                }
            },
        };
        match answered {
            Some((node, Ok(found))) => return Ok((found, node, faults)),
            Some((node, Err(error))) => {
                faults.push(Fault { node, error });
                asked.extend(waiting.next().map(ask));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::error::ErrorKind;

    /// Node → how long it takes, and whether it has the bytes.
    async fn ask(sources: &[(u64, u64, bool)], patience_ms: Option<u64>) -> (u64, Result<u64, Vec<u64>>) {
        let attempts = sources.iter().copied().map(|(node, ms, good)| Attempt {
            node: NodeId(node),
            work: Box::pin(async move {
                sleep(Duration::from_millis(ms)).await;
                if good { Ok(node) } else { Err(Error::new(ErrorKind::NotFound, "gone")) }
            }),
        });
        let start = Instant::now();
        let found = first_good(attempts.collect(), || patience_ms.map(Duration::from_millis)).await;
        let found = match found {
            Ok((found, node, _)) => {
                assert_eq!(found, node.0);
                Ok(found)
            }
            Err(faults) => Err(faults.into_iter().map(|fault| fault.node.0).collect()),
        };
        (start.elapsed().as_millis() as u64, found)
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_is_asked_when_one_fails_or_is_slow() {
        assert_eq!(ask(&[(1, 10, true), (2, 10, true)], Some(50)).await, (10, Ok(1)));
        assert_eq!(ask(&[(1, 10, false), (2, 10, true)], Some(50)).await, (20, Ok(2)));
        assert_eq!(ask(&[(1, 500, true), (2, 10, true)], Some(50)).await, (60, Ok(2)));
        assert_eq!(ask(&[(1, 70, true), (2, 40, true)], Some(50)).await, (70, Ok(1)), "the first is not given up");
        assert_eq!(ask(&[(1, 500, true), (2, 500, true), (3, 10, true)], Some(50)).await, (110, Ok(3)));
        assert_eq!(ask(&[(1, 500, true), (2, 10, true)], None).await, (500, Ok(1)), "no hedge");
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_asked_before_it_is_given_up() {
        let (time, found) = ask(&[(1, 10, false), (2, 200, false), (3, 10, false)], Some(50)).await;
        assert_eq!((time, found), (210, Err(vec![1, 3, 2])));
        assert_eq!(ask(&[], Some(50)).await, (0, Err(vec![])));
    }
}
